import { createHash } from "node:crypto";
import { CONTRACT_LABEL, contractDifferences, MODULES_LABEL, type BuildContract } from "../cache/contract.ts";
import { reportImage, type CacheReport, type ReportedLayer } from "../cache/report.ts";
import type { Image } from "../registry/compose.ts";

/** What is different for a stack, and for a machine that has its old image, with the new one. Sizes are compressed bytes. */
export interface ImageChange {
  readonly layers: { readonly added: readonly ReportedLayer[]; readonly removed: readonly ReportedLayer[] };
  /** What a machine pulls that has the old image; all of it where there was none. */
  readonly bytesToPull: number;
  readonly programs: { readonly added: readonly string[]; readonly removed: readonly string[] };
  /** Each input of builds, and each other label, that differs, as `name: old, new`. */
  readonly contract: readonly string[];
}

/** File-system layers in order, as an image's config names them: uncompressed, so equal whatever the compression. */
export interface FileSystem {
  readonly count: number;
  /** `sha256:` of the list, a digest and a line feed each: one word to compare images by. */
  readonly digest: string;
  readonly diffIds: readonly string[];
}

/** The file system of an image. */
export function fileSystemOf({ config }: Image): FileSystem {
  const diffIds = config.rootfs.diff_ids;
  const list = diffIds.map((id) => `${id}\n`).join("");
  return { count: diffIds.length, digest: `sha256:${createHash("sha256").update(list).digest("hex")}`, diffIds };
}

/** What changes from one warm image to another; everything is new where there was none. Pure. */
export function imageChange(before: Image | undefined, after: Image): ImageChange {
  const report = reportImage(after, before);
  const old: CacheReport = before === undefined ? { programs: [], layers: [], bytes: 0 } : reportImage(before, after);
  const fresh = ({ shared }: ReportedLayer) => shared !== true;
  return {
    layers: { added: report.layers.filter(fresh), removed: old.layers.filter(fresh) },
    bytesToPull: report.bytesToPull ?? report.bytes,
    programs: {
      added: report.programs.filter((program) => !old.programs.includes(program)),
      removed: old.programs.filter((program) => !report.programs.includes(program)),
    },
    contract: before === undefined ? [] : labelDifferences(labelsOf(before), labelsOf(after)),
  };
}

type Labels = Readonly<Record<string, string>>;

function labelsOf({ config }: Image): Labels {
  return config.config?.Labels ?? {};
}

function labelDifferences(before: Labels, after: Labels): readonly string[] {
  const [old, fresh] = [contractIn(before), contractIn(after)];
  const known = old !== undefined && fresh !== undefined;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const others = names.filter((name) => name !== MODULES_LABEL && !(known && name === CONTRACT_LABEL));
  const quoted = (text: string | undefined) => (text === undefined ? "not set" : JSON.stringify(text));
  return [
    ...(known ? contractDifferences(old, fresh) : []),
    ...others
      .filter((name) => before[name] !== after[name])
      .map((name) => `${name}: ${quoted(before[name])}, ${quoted(after[name])}`),
  ];
}

/** The contract in an image's labels; nothing where the label is missing or no contract, as on images of others. */
function contractIn(labels: Labels): BuildContract | undefined {
  try {
    const found = JSON.parse(labels[CONTRACT_LABEL] ?? "") as Partial<BuildContract> | null;
    return found?.flags && found.environment && found.paths ? (found as BuildContract) : undefined;
  } catch {
    return undefined;
  }
}
