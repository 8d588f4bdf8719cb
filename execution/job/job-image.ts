import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { readyBaseImage } from "../../toolchain/base-image.ts";
import type { Engine } from "../../toolchain/docker-engine.ts";
import { DEFAULT_BASE_IMAGE } from "../../toolchain/pins.ts";
import type { Places } from "../../toolchain/places.ts";
import { buildCertificates, buildImage, hasImage } from "../docker.ts";
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
  /** Whether PowerShell must be in it. Otherwise an image is made without it, with a note, where its releases cannot be reached. */
  readonly requirePowerShell?: boolean;
}

const FOLDER = "images/job-runner";

/**
 * An image for jobs in the engine, made once for what goes into it. Returns its reference. Throws "usage" where a download has
 * no checksum, and "failed" with the end of what the build said.
 */
export async function readyJobImage(engine: Engine, options: JobImageOptions): Promise<string> {
  const { image, platform, places, progress } = options;
  const versions = await readJobVersions(places.project);
  refuseUnpinned(unpinnedDownloads(versions, image, platform), options);
  const hasPowerShell = options.requirePowerShell === true || (await reachesPowerShell());
  if (!hasPowerShell) progress.note(`${image}: PowerShell's releases cannot be reached; the image is made without it`);
  const reference = options.base ?? DEFAULT_BASE_IMAGE;
  const base = await readyBaseImage({ engine, reference, platform, progress, places });
  const args = {
    ...versionArguments(versions),
    BASE_IMAGE: base.reference,
    ENTRYPOINT_IMAGE: await readyEntrypointImage(engine, platform, { places, progress }),
    ...(hasPowerShell ? {} : { POWERSHELL_IMAGE: "no-powershell" }),
  };
  const dockerfile = path.join(places.project, FOLDER, "Dockerfile");
  const requirements = path.join(places.project, FOLDER, "python/requirements.txt");
  const parts = [base.recipe, args, await readFile(dockerfile, "utf8"), await readFile(requirements, "utf8")];
  const tag = jobImageTag(image, platform, parts);
  if (await hasImage(engine, tag)) return tag;
  progress.step(`building the job image ${image}`);
  const certificates = buildCertificates();
  const build = { context: places.project, dockerfile, target: image, tag, platform, args, certificates, progress };
  await buildImage(engine, build);
  return tag;
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
