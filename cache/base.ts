import { createHash } from "node:crypto";
import { chmod, cp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { GO_SECONDS } from "./dated-go-root.ts";
import type { Reuse } from "./reuse.ts";
import { buildCertificates, buildImage, hasImage, pushImage } from "../execution/docker.ts";
import type { Progress } from "../progress.ts";
import { readDigest, type RegistryClient } from "../registry/client.ts";
import type { ImageReference } from "../registry/image-reference.ts";
import type { BaseImage } from "../toolchain/base-image.ts";
import type { Engine } from "../toolchain/docker-engine.ts";
import { loadImage } from "../toolchain/load-image.ts";
import type { Places } from "../toolchain/places.ts";
import { ownPlatform } from "../toolchain/platforms.ts";
import { run } from "../toolchain/process.ts";
import type { ResolvedTool } from "../toolchain/resolve.ts";

/** Where an image for packed caches has the program that serves them to Go; go.env names it. */
export const GOCACHE_PATH = "/usr/local/lib/kiln/gocache";

/** The tools that go into an IaC runner image, for its platform. */
export interface ImageTools {
  readonly go: ResolvedTool;
  readonly pulumi: ResolvedTool;
  readonly opentofu: ResolvedTool;
}

/** What serves packs inside an image: the program for its platform, and a digest of what it is made from. */
export interface PackServer {
  readonly digest: string;
  /** Its file here; built when it is first asked for. */
  readonly ready: () => Promise<string>;
}

/**
 * What the base of warm images is made of: enough to tell two bases apart without building them. `server` is that of a
 * base for packed caches.
 */
export async function baseRecipe(
  places: Places,
  tools: ImageTools,
  base: string,
  server?: Pick<PackServer, "digest">,
): Promise<readonly string[]> {
  const dockerfile = await readFile(path.join(places.project, "images/iac-runner/Dockerfile"), "utf8");
  const versions = [tools.go, tools.pulumi, tools.opentofu].map(
    (tool) => `${tool.name} ${tool.version} ${tool.source === "built" ? "built from source" : "official"}`,
  );
  const serving = server === undefined ? [] : [`gocache ${server.digest}`];
  return [base, ...versions, createHash("sha256").update(dockerfile).digest("hex"), ...serving];
}

/**
 * Builds the stage `base` of images/iac-runner, or `packed-base` with a server of packs, with the tools of this machine
 * and pushes it, unless the repository has one of the same recipe that may be taken. Returns its reference by digest.
 */
export async function readyWarmBase(options: {
  readonly places: Places;
  readonly engine: Engine;
  readonly client: RegistryClient;
  readonly tools: ImageTools;
  readonly base: () => Promise<BaseImage>;
  readonly recipe: readonly string[];
  readonly server?: PackServer | undefined;
  readonly reuse?: Reuse | undefined;
  readonly repository: string;
  readonly platform: string;
  readonly progress: Progress;
}): Promise<ImageReference> {
  const { places, engine, client, repository, server, reuse, progress } = options;
  const key = createHash("sha256")
    .update(JSON.stringify([options.recipe, options.platform]))
    .digest("hex")
    .slice(0, 16);
  const target = { repository, tag: `base-${key}` };
  const known = await readDigest(client, target);
  if (known !== undefined && (await reuse?.takes({ repository, digest: known }, target.tag)) !== false) {
    return { repository, digest: known };
  }

  const base = await options.base();
  progress.step("building the base image: Go, Pulumi, OpenTofu, user, empty caches");
  const toolsImage = await readyToolsImage(places, engine, options.tools, options.platform);
  const gocacheImage = server && (await readyGocacheImage(places, engine, server, options.platform));
  await buildImage(engine, {
    context: path.join(places.project, "images/iac-runner"),
    dockerfile: path.join(places.project, "images/iac-runner/Dockerfile"),
    target: gocacheImage === undefined ? "base" : "packed-base",
    tag: `${target.repository}:${target.tag}`,
    platform: options.platform,
    args: {
      ...{ BASE_IMAGE: base.reference, TOOLS_IMAGE: toolsImage },
      ...(gocacheImage === undefined ? {} : { GOCACHE_IMAGE: gocacheImage }),
    },
    certificates: buildCertificates(),
    progress,
  });
  const image = { repository, digest: await pushImage(engine, `${target.repository}:${target.tag}`) };
  await reuse?.vouch(image, target.tag);
  return image;
}

/** An image in the engine that holds verified tools at their places below /usr/local, and nothing else. */
export async function readyToolsImage(
  places: Places,
  engine: Engine,
  tools: ImageTools,
  platform: string,
): Promise<string> {
  const versions = [tools.go, tools.pulumi, tools.opentofu].map((tool) => `${tool.version}-${tool.source}`);
  const name = platform === ownPlatform() ? "kiln-tools" : `kiln-tools-${platform.replace("linux/", "")}`;
  const tag = `${name}:${versions.join("-")}`;
  if (await hasImage(engine, tag)) return tag;
  const root = path.join(places.work, "tools-image");
  await rm(root, { recursive: true, force: true });
  const bin = path.join(root, "usr/local/bin");
  await mkdir(bin, { recursive: true });
  await cp(tools.go.root, path.join(root, "usr/local/go"), {
    recursive: true,
    dereference: true,
    filter: (file) => !["test", "api", "doc"].some((folder) => file === path.join(tools.go.root, folder)),
  });
  for (const name of await readdir(path.dirname(tools.pulumi.path))) {
    if (/^pulumi(-(language|analyzer|watch)[\w-]*)?$/.test(name)) {
      await cp(path.join(path.dirname(tools.pulumi.path), name), path.join(bin, name), { dereference: true });
    }
  }
  await cp(tools.opentofu.path, path.join(bin, "tofu"), { dereference: true });
  await chmod(path.join(bin, "tofu"), 0o755);
  await loadTree(engine, root, { reference: tag, platform });
  return tag;
}

/** An image in the engine that holds the program which serves packs, and nothing else. */
async function readyGocacheImage(
  places: Places,
  engine: Engine,
  server: PackServer,
  platform: string,
): Promise<string> {
  const tag = `kiln-gocache:${server.digest}-${platform.replace("linux/", "")}`;
  if (await hasImage(engine, tag)) return tag;
  const root = path.join(places.work, "gocache-image");
  await rm(root, { recursive: true, force: true });
  const program = path.join(root, GOCACHE_PATH);
  await mkdir(path.dirname(program), { recursive: true });
  await cp(await server.ready(), program);
  await chmod(program, 0o755);
  await loadTree(engine, root, { reference: tag, platform });
  return tag;
}

/** Makes an image of one layer from the folder `usr` below `root`, and removes `root`. */
async function loadTree(
  engine: Engine,
  root: string,
  image: { readonly reference: string; readonly platform: string },
): Promise<void> {
  const archive = `${root}.tar`;
  const flags = [
    "--sort=name",
    `--mtime=@${GO_SECONDS}`,
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--mode=u+rw,go=rX",
  ];
  try {
    await run("tar", [...flags, "-C", root, "-cf", archive, "usr"]);
    await loadImage(engine, { ...image, archive });
  } finally {
    await Promise.all([rm(root, { recursive: true, force: true }), rm(archive, { force: true })]);
  }
}
