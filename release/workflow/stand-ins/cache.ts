import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { writeWhole } from "../../../execution/whole-file.ts";
import type { ActionCall, StandIn } from "../stand-in.ts";

/** `actions/cache`: a folder beside the runs, by key. Kept once the job has succeeded, as on GitHub. */
export const cache: StandIn = {
  here: "a folder below .kiln/release/cache",
  takes: ["path", "key", "restore-keys"],
  ignores: ["enableCrossOsArchive"],
  async run(call) {
    const { key = "" } = call.with;
    const found = await restorable(call, key);
    if (found !== undefined) await restore(call, found);
    call.say(found === undefined ? `nothing kept for ${key}` : `taken from ${found}`);
    return {
      outputs: { "cache-hit": String(found === key), "cache-primary-key": key, "cache-matched-key": found ?? "" },
      ...(found === key ? {} : { afterJob: () => keep(call, key) }),
    };
  },
};

function pathsOf(call: ActionCall): readonly string[] {
  const lines = (call.with.path ?? "").split("\n").map((line) => line.trim());
  return lines
    .filter((line) => line !== "")
    .map((line) => path.resolve(call.job.workspace, line.replace(/^~(?=\/|$)/, call.job.home)));
}

/** The key itself, or the latest that begins with one of `restore-keys`. */
async function restorable(call: ActionCall, key: string): Promise<string | undefined> {
  const kept = await keysOf(call.run.cache);
  if (kept.some((one) => one.key === key)) return key;
  const prefixes = (call.with["restore-keys"] ?? "").split("\n").map((line) => line.trim());
  for (const prefix of prefixes.filter((one) => one !== "")) {
    const fitting = kept.filter((one) => one.key.startsWith(prefix)).sort((a, b) => b.at - a.at);
    if (fitting[0] !== undefined) return fitting[0].key;
  }
  return undefined;
}

async function keysOf(folder: string): Promise<readonly { readonly key: string; readonly at: number }[]> {
  const names = await readdir(folder).catch(() => []);
  const whole = names.filter((name) => /^[0-9a-f]{64}$/.test(name));
  return Promise.all(
    whole.map(async (name) => {
      const file = path.join(folder, name, "key");
      return { key: await readFile(file, "utf8"), at: (await stat(file)).mtimeMs };
    }),
  );
}

async function restore(call: ActionCall, key: string): Promise<void> {
  for (const [index, to] of pathsOf(call).entries()) {
    const from = path.join(entry(call.run.cache, key), String(index));
    if (!(await exists(from))) continue;
    await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  }
}

async function keep(call: ActionCall, key: string): Promise<void> {
  const place = entry(call.run.cache, key);
  const partial = `${place}.${call.job.key.replace(/\W/g, "-")}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  for (const [index, from] of pathsOf(call).entries()) {
    if (!(await exists(from))) continue;
    await cp(from, path.join(partial, String(index)), {
      recursive: true,
      verbatimSymlinks: true,
      preserveTimestamps: true,
    });
  }
  await writeWhole(path.join(partial, "key"), key);
  // What another job kept meanwhile under the same key stays.
  if (await exists(place)) await rm(partial, { recursive: true, force: true });
  else await rename(partial, place);
}

function entry(folder: string, key: string): string {
  return path.join(folder, createHash("sha256").update(key).digest("hex"));
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}
