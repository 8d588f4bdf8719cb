import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";

/** The images that jobs run in; each but the first stands on the first. */
export const JOB_IMAGES = ["base", "python", "powershell", "kubernetes"] as const;

export type JobImageName = (typeof JOB_IMAGES)[number];

/** Where the one list of versions is, from the project's folder. */
export const JOB_VERSIONS_FILE = "images/job-runner/versions.json";

/** A download: its version, and its checksum by architecture; null where none could be looked up. */
export interface PinnedDownload {
  readonly version: string;
  readonly sha256: Readonly<Record<string, string | null>>;
}

/** What goes into the images. */
export interface JobVersions {
  /** Of the images themselves: what the tag `job-runner-v<version>` releases. */
  readonly version: string;
  readonly base: { readonly image: string; readonly tag: string };
  readonly go: string;
  readonly powershell: PinnedDownload;
  readonly pester: PinnedDownload;
  readonly kubectl: PinnedDownload;
  readonly oc: PinnedDownload;
}

/** Reads the list. Throws a usage error where it is none. */
export async function readJobVersions(project: string): Promise<JobVersions> {
  const file = path.join(project, JOB_VERSIONS_FILE);
  try {
    return JSON.parse(await readFile(file, "utf8")) as JobVersions;
  } catch (cause) {
    throw new KilnError("usage", `${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** The downloads that an image has, by the names of the list. Python packages have hashes of their own. */
const DOWNLOADS: Readonly<Record<JobImageName, readonly ("powershell" | "pester" | "kubectl" | "oc")[]>> = {
  base: ["powershell"],
  python: ["powershell"],
  powershell: ["powershell", "pester"],
  kubernetes: ["powershell", "kubectl", "oc"],
};

/** What of an image has no checksum for a platform (`linux/arm64`): its build refuses to download that. */
export function unpinnedDownloads(versions: JobVersions, image: JobImageName, platform: string): readonly string[] {
  const architecture = platform.replace("linux/", "");
  return DOWNLOADS[image].filter((name) => {
    const { sha256 } = versions[name];
    return (sha256[architecture] ?? sha256.all ?? null) === null;
  });
}

/** The build arguments that the list stands for; those without a checksum stay empty. */
export function versionArguments(versions: JobVersions): Readonly<Record<string, string>> {
  const args: Record<string, string> = { IMAGE_VERSION: versions.version };
  for (const name of ["powershell", "pester", "kubectl", "oc"] as const) {
    const { version, sha256 } = versions[name];
    args[`${name.toUpperCase()}_VERSION`] = version;
    for (const [architecture, sum] of Object.entries(sha256)) {
      const of = architecture === "all" ? "" : `${architecture.toUpperCase()}_`;
      args[`${name.toUpperCase()}_${of}SHA256`] = sum ?? "";
    }
  }
  return args;
}
