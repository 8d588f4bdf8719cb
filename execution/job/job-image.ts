import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { readyBaseImage } from "../../toolchain/base-image.ts";
import type { Engine } from "../../toolchain/docker-engine.ts";
import { DEFAULT_BASE_IMAGE } from "../../toolchain/pins.ts";
import type { Places } from "../../toolchain/places.ts";
import { buildCertificates, buildImage, hasImage, type BuildOptions } from "../docker.ts";
import { readyEntrypointImage } from "../module/entrypoint-program.ts";
import { readJobVersions, unpinnedDownloads, versionArguments, type JobImageName } from "./image-versions.ts";

export interface JobImageOptions {
  readonly image: JobImageName;
  /** What it shall run on: `linux/amd64`. */
  readonly platform: string;
  readonly places: Places;
  readonly progress: Progress;
  /** The image that it stands on; Debian's public one otherwise, or what takes its place where that cannot be pulled. */
  readonly base?: string;
  /** Without a word an image is made without PowerShell, with a note, where its releases cannot be reached. */
  readonly powershell?: "required" | "none";
  /** Labels that say where the image is from, for one that is released. */
  readonly origin?: { readonly source: string; readonly revision: string };
}

const FOLDER = "images/job-runner";

/** What the language runners' images and these share: it copies what was installed, with one date. */
const SHARED_SCRIPT = "images/pulumi-runner/build/difference";

/**
 * An image for jobs in the engine, made once for what goes into it. Returns its reference. Throws "usage" where a download has
 * no checksum, and "failed" with the end of what the build said.
 */
export async function readyJobImage(engine: Engine, options: JobImageOptions): Promise<string> {
  const build = await jobImageBuild(engine, options);
  if (await hasImage(engine, build.tag)) return build.tag;
  options.progress.step(`building the job image ${options.image}`);
  await buildImage(engine, build);
  return build.tag;
}

/** How that image is built; its tag names what goes into it. */
export async function jobImageBuild(engine: Engine, options: JobImageOptions): Promise<BuildOptions> {
  const { image, platform, places, progress } = options;
  const versions = await readJobVersions(places.project);
  refuseUnpinned(unpinnedDownloads(versions, image, platform), options);
  const { powershell } = options;
  const hasPowerShell = powershell === undefined ? await reachesPowerShell() : powershell === "required";
  if (!hasPowerShell && powershell === undefined)
    progress.note(`${image}: PowerShell's releases cannot be reached; the image is made without it`);
  const reference = options.base ?? DEFAULT_BASE_IMAGE;
  const base = await readyBaseImage({ engine, reference, platform, progress, places });
  const args = {
    ...versionArguments(versions),
    BASE_IMAGE: base.reference,
    ENTRYPOINT_IMAGE: await readyEntrypointImage(engine, platform, { places, progress }),
    ...(hasPowerShell ? {} : { POWERSHELL_IMAGE: "no-powershell" }),
    ...(options.origin === undefined ? {} : { SOURCE: options.origin.source, REVISION: options.origin.revision }),
  };
  const files = [`${FOLDER}/Dockerfile`, `${FOLDER}/python/requirements.txt`, SHARED_SCRIPT];
  const texts = await Promise.all(files.map((file) => readFile(path.join(places.project, file), "utf8")));
  const tag = jobImageTag(image, platform, [base.recipe, args, ...texts]);
  const dockerfile = path.join(places.project, FOLDER, "Dockerfile");
  const certificates = buildCertificates();
  return { context: places.project, dockerfile, target: image, tag, platform, args, certificates, progress };
}

/** A name that only these parts have. */
export function jobImageTag(image: JobImageName, platform: string, parts: readonly unknown[]): string {
  const key = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
  return `kiln-job-${image}:${key}-${platform.replace("linux/", "")}`;
}

/** Asked of this machine: a build that reaches less than it fails, and says why. */
async function reachesPowerShell(): Promise<boolean> {
  const signal = AbortSignal.timeout(5000);
  return fetch(POWERSHELL_RELEASES, { method: "HEAD", redirect: "manual", signal }).then(
    ({ status }) => status < 400,
    () => false,
  );
}

const POWERSHELL_RELEASES = "https://github.com/PowerShell/PowerShell/releases";

function refuseUnpinned(lacking: readonly string[], { image, platform }: JobImageOptions): void {
  if (lacking.length === 0) return;
  throw new KilnError(
    "usage",
    `the job image ${image} for ${platform} has downloads without a checksum: ${lacking.join(", ")}`,
    {
      mend: `Look them up as ${FOLDER}/README.md says, and write them into ${FOLDER}/versions.json.`,
    },
  );
}
