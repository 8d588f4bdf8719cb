import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import { silent, type Progress } from "../../progress.ts";
import { Downloader, shownUrl } from "../../toolchain/download.ts";
import { places, type Places } from "../../toolchain/places.ts";
import { CRDS_KEY, parseCrd, type CustomResourceDefinition } from "./crd.ts";
import { CRD_KINDS, crdFile, OFFICIAL_CRDS, type CrdFile, type CrdPins, type CrdPlural } from "./crd-pins.ts";

export type { CustomResourceDefinition };

/** Where the CRDs come from: the release's own, a folder with the same four files, or a mirror with its checksums. */
export type CrdSource =
  | { readonly kind: "official" }
  | { readonly kind: "path"; readonly path: string }
  | ({ readonly kind: "url" } & CrdPins);

export interface CrdOptions {
  /** Downloads are kept below `cache`, under their checksum. */
  readonly places?: Pick<Places, "cache">;
  readonly downloader?: Downloader;
  readonly progress?: Progress;
}

/** The size of the largest is 1.2 MB: more is something else. */
const LIMITS = { connectMs: 10_000, stallMs: 60_000, bytes: 8 * 1024 ** 2 };

/**
 * The four CRDs of actions-runner-controller, ordered by name. Downloads are checked against their checksums, all against
 * group, names and kind. Throws a usage error for a folder without them, `unreachable` where they cannot be downloaded.
 */
export async function readCrds(
  source: CrdSource,
  options: CrdOptions = {},
): Promise<readonly CustomResourceDefinition[]> {
  const read = source.kind === "path" ? folderReader(source.path) : pinnedReader(pinsOf(source), options);
  return Promise.all(
    (Object.keys(CRD_KINDS) as CrdPlural[]).map(async (plural) => {
      const { text, from } = await read(crdFile(plural));
      return parseCrd(text, plural, from);
    }),
  );
}

interface CrdText {
  readonly text: string;
  /** Where it is from, for errors. */
  readonly from: string;
}

type CrdReader = (file: CrdFile) => Promise<CrdText>;

function pinsOf(source: Exclude<CrdSource, { readonly kind: "path" }>): CrdPins {
  return source.kind === "official" ? OFFICIAL_CRDS : source;
}

function folderReader(folder: string): CrdReader {
  return async (file) => {
    const from = path.join(folder, file);
    try {
      return { text: await readFile(from, "utf8"), from };
    } catch (error) {
      throw new KilnError(
        "usage",
        `${CRDS_KEY} is ${JSON.stringify(folder)}, but ${from} cannot be read: ${messageOf(error)}`,
        {
          mend: "Set it to a folder with the four files of actions-runner-controller's crds/, or to official",
          cause: error,
        },
      );
    }
  };
}

/** Reads what is here under its checksum, and downloads what is not. */
function pinnedReader(pins: CrdPins, options: CrdOptions): CrdReader {
  const { places: { cache } = places(), progress = silent } = options;
  const downloader = options.downloader ?? new Downloader(LIMITS);
  const folder = path.join(cache, "crds");
  return async (file) => {
    const [url, sha256] = [`${pins.url}/${file}`, pins.sha256[file]];
    const kept = path.join(folder, `${sha256}.yaml`);
    const text = (await keptText(kept, sha256)) ?? (await download({ url, sha256 }, kept, { downloader, progress }));
    return { text, from: shownUrl(url) };
  };
}

async function keptText(file: string, sha256: string): Promise<string | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text !== undefined && createHash("sha256").update(text).digest("hex") === sha256 ? text : undefined;
}

async function download(
  { url, sha256 }: { readonly url: string; readonly sha256: string },
  kept: string,
  { downloader, progress }: { readonly downloader: Downloader; readonly progress: Progress },
): Promise<string> {
  await mkdir(path.dirname(kept), { recursive: true });
  const beside = `${kept}.${randomUUID()}`;
  try {
    const came = await downloader.download(url, beside, progress);
    if ("reason" in came) throw unreached(url, came.reason);
    if (came.sha256 !== sha256) throw changed(url, came.sha256, sha256);
    await rename(beside, kept);
  } finally {
    await rm(beside, { force: true });
  }
  return readFile(kept, "utf8");
}

function unreached(url: string, reason: string): KilnError {
  return new KilnError(
    "unreachable",
    `the CRDs of actions-runner-controller cannot be had: ${shownUrl(url)}: ${reason}`,
    {
      mend: `Get the release's crds/ by another way, and set ${CRDS_KEY}: <path> to that folder`,
    },
  );
}

function changed(url: string, came: string, pinned: string): KilnError {
  return new KilnError("failed", `${shownUrl(url)}: the checksum is ${came}, pinned is ${pinned}`, {
    mend: "Do not apply that file; find out who changed it (a proxy, the tag) before you touch runners/controller/crd-pins.ts",
  });
}
