import path from "node:path";
import { KilnError } from "../../errors.ts";
import { run } from "../../toolchain/process.ts";
import { proxyEnvironment } from "../module-proxy.ts";
import type { StepContext } from "../step.ts";

/** The published method is a shell script of its own, with nothing of kiln in it. */
export const SCRIPTS = path.join(import.meta.dirname, "../published");

/** With the settings that runners have by themselves, or with those of the image. */
export type PublishedMethod = "published" | "corrected";

/** Runs a script with nothing of the caller's Go settings, and gives the words of each line that it printed. */
export async function runScript(
  context: StepContext,
  method: PublishedMethod,
  name: string,
  args: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const { work, goRoot, contract, progress } = context;
  const env = {
    PATH: `${goRoot}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    ...(process.env.TMPDIR === undefined ? {} : { TMPDIR: process.env.TMPDIR }),
    GOTOOLCHAIN: "local",
    GOENV: "off",
    ...proxyEnvironment(work),
    ...(method === "corrected" ? contract.environment : {}),
  };
  let line = 0;
  const onStderrLine = (text: string) => {
    if (/^(go build|cp -r)/.test(text)) progress.update(text, (line += 1), 0);
  };
  return wordsOf((await run("/bin/sh", [path.join(SCRIPTS, name), ...args], { env, onStderrLine })).stdout);
}

export function wordsOf(printed: string): readonly (readonly string[])[] {
  return printed.split("\n").flatMap((line) => (line === "" ? [] : [line.split(" ")]));
}

export function secondsOf(lines: readonly (readonly string[])[], word: string): number {
  const found = Number(lines.find(([name]) => name === word)?.[1]);
  if (Number.isFinite(found)) return found;
  throw new KilnError("failed", `bench/published printed no "${word}"`);
}
