import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { readDigest, readImageManifest, readTags, type RegistryClient } from "../../registry/client.ts";
import type { Image } from "../../registry/compose.ts";
import { parsePinnedImage, type PinnedImage } from "../../registry/image-reference.ts";
import { readStoredManifest, type StoredManifest } from "../../registry/stored-manifest.ts";
import type { Settings } from "../../settings.ts";
import { git } from "../github/git.ts";
import { BASE_LABEL } from "../verified-runner.ts";
import { builderOf, commitMaterial, imageMaterial, type BuildFacts, type Material } from "./provenance.ts";

export interface FactsQuery {
  readonly client: RegistryClient;
  /** The checkout that the build was started in. */
  readonly project: string;
  readonly settings: Settings;
  /** The file of the plan by which shards were compiled, where there was one. */
  readonly plan: string | undefined;
  /** Of kiln. */
  readonly version: string;
  readonly env: NodeJS.ProcessEnv;
}

/** What can be known of a build here: who builds, from which commit, and what was asked for. Nothing of one image yet. */
export async function readBuildFacts({ project, settings, plan, version, env }: FactsQuery): Promise<BuildFacts> {
  const { stack, source, image } = settings;
  const elsewhere = source.path === "." ? [] : [await readCommit(path.resolve(project, source.path))];
  const commits = [await readCommit(project), ...elsewhere].flatMap((commit) => commit ?? []);
  const planned = plan === undefined ? [] : [{ name: "plan", digest: { sha256: await readPlanDigest(plan) } }];
  return {
    builder: builderOf(env),
    version,
    parameters: {
      ...{ stack, platform: image.platform, dockerfile: image.dockerfile },
      ...{ modules: source.modules, tags: source.tags },
    },
    materials: [...distinctMaterials(commits), ...planned],
  };
}

/** The commit that a folder's checkout is at; nothing where it is none. A source elsewhere may be a folder of the same one. */
async function readCommit(folder: string): Promise<Material | undefined> {
  const commit = (
    await git(folder, ["rev-parse", "--verify", "HEAD"], { allowFailure: true }).catch(() => undefined)
  )?.trim();
  if (commit === undefined || commit === "") return undefined;
  const origin = await git(folder, ["config", "--get", "remote.origin.url"], { allowFailure: true });
  return commitMaterial(publicAddress(origin?.trim() ?? ""), commit);
}

/** The address of a repository without a login; nothing for a path of this machine. */
export function publicAddress(origin: string): string | undefined {
  const [, host, name] = /^(?:ssh:\/\/)?[\w.-]+@([\w.-]+)[:/](.+)$/.exec(origin) ?? [];
  if (host !== undefined && name !== undefined) return `https://${host}/${name}`;
  try {
    const { protocol, host: at, pathname } = new URL(origin);
    return protocol === "https:" || protocol === "http:" ? `https://${at}${pathname}` : undefined;
  } catch {
    return undefined;
  }
}

function distinctMaterials(materials: readonly Material[]): readonly Material[] {
  return [...new Map(materials.map((one) => [JSON.stringify(one), one])).values()];
}

async function readPlanDigest(file: string): Promise<string> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new KilnError("usage", `--plan ${file} cannot be read`, {
      mend: "Name the plan.json that `kiln cache plan` wrote, or leave it out.",
      cause,
    });
  });
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * What an image stands on: the warm image that a runner's label names, or the base whose layers a warm image begins with. Nothing
 * where neither is in the registry any more.
 */
export async function readBase(
  client: RegistryClient,
  { repository }: PinnedImage,
  image: Image,
): Promise<PinnedImage | undefined> {
  const named = parsePinnedImage(image.config.config?.Labels?.[BASE_LABEL] ?? "");
  if (named !== undefined) return named;
  const layers = image.manifest.layers.map(({ digest }) => digest);
  const bases: { readonly digest: string; readonly count: number }[] = [];
  for (const tag of await readTags(client, repository, "base-[0-9a-f]{16}")) {
    const digest = await readDigest(client, { repository, tag });
    if (digest === undefined) continue;
    const own = (await readImageManifest(client, { repository, digest })).layers.map((layer) => layer.digest);
    const begins = own.length > 0 && own.every((layer, index) => layers[index] === layer);
    if (begins) bases.push({ digest, count: own.length });
  }
  const [base] = bases.sort((a, b) => b.count - a.count);
  return base === undefined ? undefined : { repository, digest: base.digest };
}

/** What a build had, with what one image of it stands on: its base, or of an index its images. */
export async function factsOf(
  client: RegistryClient,
  common: BuildFacts,
  target: PinnedImage,
  content: Image | StoredManifest,
): Promise<BuildFacts> {
  if ("children" in content) {
    const images = content.children.map((digest) => ({ ...imageMaterial({ ...target, digest }), name: "image" }));
    return { ...common, materials: [...common.materials, ...images] };
  }
  const base = await readBase(client, target, content);
  return base === undefined ? common : { ...common, materials: [...common.materials, imageMaterial(base)] };
}

/** The manifest of an index; nothing for an image. */
export async function readIndex(client: RegistryClient, target: PinnedImage): Promise<StoredManifest | undefined> {
  const stored = await readStoredManifest(client, target);
  return stored !== undefined && stored.children.length > 0 ? stored : undefined;
}
