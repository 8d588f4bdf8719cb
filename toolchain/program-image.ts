import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { foldersAbove, OWNED, putEntry } from "./archive-entry.ts";
import { engineEnvironment, type Engine } from "./docker-engine.ts";
import { loadImage } from "./load-image.ts";
import type { Places } from "./places.ts";
import { run } from "./process.ts";

/** A file of an image: of this machine, or a text. */
export type ImageFile =
  | { readonly to: string; readonly file: string; readonly mode?: number }
  | { readonly to: string; readonly text: string };

/**
 * An image in the engine that holds nothing but these files, owned by root and of one date. Its tag is a digest of them, so
 * it is made once, and the same files are the same image on every machine. Returns its reference.
 */
export async function readyProgramImage(
  engine: Engine,
  image: { readonly name: string; readonly platform: string; readonly files: readonly ImageFile[] },
  places: Places,
): Promise<string> {
  const files = [...image.files].sort((a, b) => (a.to < b.to ? -1 : 1));
  const reference = `${image.name}:${await filesKey(files)}-${image.platform.replace("linux/", "")}`;
  const env = engineEnvironment(engine);
  const known = await run(engine.docker, ["image", "inspect", reference], { env, allowFailure: true });
  if (known.code === 0) return reference;
  await mkdir(places.work, { recursive: true });
  const work = await mkdtemp(path.join(places.work, "program-image-"));
  try {
    const archive = path.join(work, "layer.tar");
    await writeArchive(archive, files);
    await loadImage(engine, { reference, platform: image.platform, archive });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return reference;
}

async function filesKey(files: readonly ImageFile[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) {
    const content = createHash("sha256");
    if ("text" in file) content.update(file.text);
    else for await (const chunk of createReadStream(file.file)) content.update(chunk as Buffer);
    hash.update(`${JSON.stringify([file.to, modeOf(file), content.digest("hex")])}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}

async function writeArchive(archive: string, files: readonly ImageFile[]): Promise<void> {
  const stream = pack();
  const written = pipeline(stream, createWriteStream(archive));
  try {
    const folders = foldersAbove(files.map(({ to }) => to.slice(1)));
    for (const folder of folders)
      await putEntry(stream, { ...OWNED, name: `${folder}/`, type: "directory", mode: 0o755 });
    for (const file of files) {
      const header = { ...OWNED, name: file.to.slice(1), mode: modeOf(file) };
      if ("text" in file) await putEntry(stream, header, file.text);
      else {
        const { size } = await stat(file.file);
        await pipeline(createReadStream(file.file), stream.entry({ ...header, size }));
      }
    }
    stream.finalize();
  } catch (error) {
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
    await written.catch(() => undefined);
    throw error;
  }
  await written;
}

function modeOf(file: ImageFile): number {
  return "text" in file ? 0o644 : (file.mode ?? 0o755);
}
