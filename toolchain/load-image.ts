import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { engineEnvironment, type Engine } from "./docker-engine.ts";
import { run } from "./process.ts";

/** An image of one layer, as the engine shall have it. */
export interface LoadedImage {
  readonly reference: string;
  /** `linux/arm64`: recorded as it is said, whatever the engine runs on. */
  readonly platform: string;
  /** An uncompressed tar archive of all its files; absolute. */
  readonly archive: string;
  readonly env?: readonly string[];
}

/**
 * Puts an image of one layer into an engine. `docker import` would do, but engines before 23 give what they import their own
 * platform whatever `--platform` says; and the same archive gives the same image here, since nothing in it is of today.
 */
export async function loadImage(engine: Engine, image: LoadedImage): Promise<void> {
  const work = await mkdtemp(`${image.archive}.load-`);
  try {
    const layout = path.join(work, "image");
    await mkdir(layout);
    await link(image.archive, path.join(layout, "layer.tar"));
    const config = imageConfig(image, await sha256Of(image.archive));
    const manifest = [{ Config: "config.json", RepoTags: [image.reference], Layers: ["layer.tar"] }];
    await writeFile(path.join(layout, "config.json"), JSON.stringify(config));
    await writeFile(path.join(layout, "manifest.json"), JSON.stringify(manifest));
    const archive = path.join(work, "image.tar");
    await run("tar", ["-C", layout, "-cf", archive, "manifest.json", "config.json", "layer.tar"]);
    await run(engine.docker, ["load", "--quiet", "--input", archive], { env: engineEnvironment(engine) });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function imageConfig({ platform, env }: LoadedImage, layer: string) {
  const [os, architecture] = platform.split("/");
  return { os, architecture, config: { Env: env ?? [] }, rootfs: { type: "layers", diff_ids: [`sha256:${layer}`] } };
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
