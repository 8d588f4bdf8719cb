import { readFile } from "node:fs/promises";
import path from "node:path";
import { run } from "../../toolchain/process.ts";
import type { BuildContract } from "../contract.ts";

/** A Go setting that a person's shell or `go env -w` brings into each build. */
export interface CallerSetting {
  readonly name: string;
  readonly value: string;
  /** `the environment`, or the file that `go env -w` writes. */
  readonly where: string;
  /** The command that takes it away. */
  readonly unset: string;
}

/** Settings that enter action IDs, or choose what is compiled. */
const DECIDING = [
  ...["GOOS", "GOARCH", "CGO_ENABLED", "GOEXPERIMENT", "GOAMD64", "GOARM64", "GOFIPS140", "GOFLAGS", "GOWORK"],
];

/** Flags that change no compiled package: how Go fetches, prints, links and stamps. */
const HARMLESS = /^--?(?:(?:buildvcs|modcacherw|p|v|x|n|work|json|ldflags)(?:=|$)|mod=readonly$)/;

/** Of a GOFLAGS value, the flags that change what is compiled under a contract. */
export function decidingFlags(value: string, contract: Pick<BuildContract, "flags">): string {
  const words = value.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  const unquoted = words.map((word) => word.replace(/^(['"])(.*)\1$/s, "$2"));
  return unquoted.filter((word) => !HARMLESS.test(word) && !contract.flags.includes(word)).join(" ");
}

/** The settings among an environment and the text of Go's own settings file, where the environment counts first. */
export function callerSettings(
  env: Readonly<Record<string, string | undefined>>,
  file: { readonly name: string; readonly text: string },
): readonly CallerSetting[] {
  const written = new Map(
    [...file.text.matchAll(/^([A-Z0-9_]+)=(.*)$/gm)].map(([, name = "", value]) => [name, value]),
  );
  return DECIDING.flatMap((name): readonly CallerSetting[] => {
    const value = env[name] ?? "";
    if (value !== "") return [{ name, value, where: "the environment", unset: `unset ${name}` }];
    const kept = written.get(name)?.trim() ?? "";
    return kept === "" ? [] : [{ name, value: kept, where: file.name, unset: `go env -u ${name}` }];
  });
}

/** The Go settings with which the person who runs kiln would build in a directory. */
export async function readCallerSettings(
  goRoot: string,
  directory: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<readonly CallerSetting[]> {
  const { stdout } = await run(path.join(goRoot, "bin/go"), ["env", "GOENV"], {
    cwd: directory,
    env: { ...env, GOTOOLCHAIN: "local" },
    allowFailure: true,
  });
  const name = stdout.trim();
  return callerSettings(env, { name, text: await readFile(name, "utf8").catch(() => "") });
}
