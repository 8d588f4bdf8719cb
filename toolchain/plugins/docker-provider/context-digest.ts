import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import path from "node:path";
import { parseDockerIgnore } from "./docker-ignore.ts";
import type { DockerIgnore } from "./docker-ignore.ts";

/**
 * A sha256 over what a docker build can see: of every file of the context its path, whether it may be executed and its
 * content, and the Dockerfile wherever it stands. Times, owners and the rest of the mode do not count, because git does
 * not keep them: two checkouts of one commit have one digest.
 */
export async function contextDigest(context: string, dockerfile: string): Promise<string> {
  const hash = createHash("sha256");
  const add = (...fields: string[]) => hash.update(`${JSON.stringify(fields)}\n`);
  add("dockerfile", await fileDigest(dockerfile));
  for (const entry of await readContext(context, await readDockerIgnore(context, dockerfile))) {
    const file = path.join(context, entry.path);
    if (entry.kind === "link") add("link", entry.path, await readlink(file));
    else add(entry.executable ? "executable" : "file", entry.path, await fileDigest(file));
  }
  return `sha256:${hash.digest("hex")}`;
}

type Entry =
  | { readonly kind: "link"; readonly path: string }
  | { readonly kind: "file"; readonly path: string; readonly executable: boolean };

/** The files and links of a context that the build gets, sorted by path. */
export async function readContext(context: string, ignore: DockerIgnore, below = ""): Promise<readonly Entry[]> {
  const children = await readdir(path.join(context, below), { withFileTypes: true });
  const found: Entry[] = [];
  for (const child of children.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const relative = below === "" ? child.name : `${below}/${child.name}`;
    const ignored = ignore.ignores(relative);
    if (child.isDirectory()) {
      if (!ignored || !ignore.prunes(relative)) found.push(...(await readContext(context, ignore, relative)));
    } else if (!ignored && child.isSymbolicLink()) {
      found.push({ kind: "link", path: relative });
    } else if (!ignored && child.isFile()) {
      const { mode } = await stat(path.join(context, relative));
      found.push({ kind: "file", path: relative, executable: (mode & 0o100) !== 0 });
    }
  }
  return found;
}

/** What the build leaves out: `<Dockerfile>.dockerignore` where there is one, else `.dockerignore` of the context. */
export async function readDockerIgnore(context: string, dockerfile: string): Promise<DockerIgnore> {
  for (const file of [`${dockerfile}.dockerignore`, path.join(context, ".dockerignore")]) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text !== undefined) return parseDockerIgnore(text);
  }
  return parseDockerIgnore("");
}

async function fileDigest(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
