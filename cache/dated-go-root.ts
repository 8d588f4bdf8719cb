import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import path from "node:path";
import type { Progress } from "../progress.ts";
import { withLock } from "../toolchain/lock.ts";
import type { Places } from "../toolchain/places.ts";
import { concurrently } from "./concurrently.ts";
import { linkFiles } from "./store.ts";

/** The date of all files of the Go in an image, in seconds since 1970. */
export const GO_SECONDS = Date.UTC(1980, 0, 1) / 1000;

/** What of a GOROOT no build reads. */
const LEFT_OUT = new Set(["api", "doc", "test"]);

/**
 * A copy of a GOROOT whose sources have the dates that they have in an image, made once for each Go. Go keeps an index of
 * each package of the standard library, whose key has the dates of its files: with those of this machine an image would
 * carry indexes that nothing there finds, and other ones from every machine.
 */
export async function readyDatedGoRoot(options: {
  readonly places: Places;
  readonly goRoot: string;
  readonly progress: Progress;
}): Promise<string> {
  const { places, goRoot, progress } = options;
  // That of an image already has them, and its pods can keep no copy.
  if ((await stat(path.join(goRoot, "src/fmt/print.go"))).mtimeMs === GO_SECONDS * 1000) return goRoot;
  const version = await readFile(path.join(goRoot, "VERSION"), "utf8");
  const key = createHash("sha256").update(`${goRoot}\n${version}`).digest("hex").slice(0, 16);
  const home = path.join(places.cache, "tools", `go-dated-${key}`);
  if (existsSync(home)) return home;
  return withLock(`${home}.lock`, progress, "the copy of Go's sources", async () => {
    if (existsSync(home)) return home;
    progress.step("copying Go's sources, dated as in images");
    const fresh = `${home}.${randomUUID()}.part`;
    try {
      await copyDated(goRoot, fresh);
      await rename(fresh, home);
      return home;
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  });
}

async function copyDated(goRoot: string, to: string): Promise<void> {
  const entries = await readdir(goRoot, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(goRoot, path.join(entry.parentPath, entry.name)))
    .filter((name) => !LEFT_OUT.has(name.split(path.sep, 1)[0] ?? ""));
  const isIndexed = (name: string) => name.startsWith("src/") && !name.startsWith("src/cmd/");
  await linkFiles(
    goRoot,
    to,
    names.filter((name) => !isIndexed(name)),
  );
  const indexed = names.filter(isIndexed);
  for (const folder of new Set(indexed.map((name) => path.dirname(name)))) {
    await mkdir(path.join(to, folder), { recursive: true });
  }
  await concurrently(indexed, async (name) => {
    const target = path.join(to, name);
    await copyFile(path.join(goRoot, name), target);
    await utimes(target, GO_SECONDS, GO_SECONDS);
  });
}
