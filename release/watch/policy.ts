import { readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";
import { KilnError, messageOf } from "../../errors.ts";
import {
  choiceOf,
  countOf,
  flagOf,
  listOf,
  refusal,
  requiredText,
  section,
  textOf,
  type Field,
} from "../../settings/field.ts";
import { RUNNER_LANGUAGES, RUNNER_VARIANTS, type RunnerLanguage, type RunnerVariant } from "../runner-image.ts";
import { parseVersion, type Version } from "../version.ts";
import { DATED_KINDS, SOURCE_KINDS, sourceOf, type Source, type SourceKind } from "./source.ts";
import { parseVersionRange, type VersionRange } from "./version-range.ts";

/** Below a checkout: what the watcher does about new versions. */
export const WATCH_FILE = "images/pulumi-runner/watch.yaml";

/** Versions that are not released, and why. */
export interface Hold {
  readonly versions: VersionRange;
  readonly reason: string;
}

/** What the watcher does about versions of Pulumi. Durations are in hours. */
export interface WatchPolicy {
  /** All are asked, each kind on its own; of one kind, in this order until one answers. */
  readonly sources: readonly Source[];
  /** How many sources have to know a version. */
  readonly confirmations: number;
  /** The lowest version that is released. */
  readonly floor: Version;
  /** How old a version is before it is taken, by the times of so many sources as have to know it: what is bad is withdrawn soon. */
  readonly minimumAge: number;
  /** Versions that one run begins or pushes again at most; the others come with the next. */
  readonly backfill: number;
  /** A tag to try that has no images after so long has failed. */
  readonly patience: number;
  /** The same for a tag of production, whose reviewers may take their time. */
  readonly productionPatience: number;
  /** How often a tag of the watcher's that has failed is pushed again, while it is young (patience.ts). */
  readonly retries: number;
  /** When production follows. */
  readonly promotion: Promotion;
  /** What has to be there to try before production follows. */
  readonly required: { readonly languages: readonly RunnerLanguage[]; readonly variants: readonly RunnerVariant[] };
  readonly holds: readonly Hold[];
  /** Tags point to the head of this branch. */
  readonly branch: string;
}

/** Nobody but a person, or the watcher once the images to try are there for so long; with `latest` where it is the highest. */
export type Promotion =
  { readonly kind: "by hand" } | { readonly kind: "after"; readonly hours: number; readonly latest: boolean };

const POLICY = [
  ...["sources", "confirmations", "floor", "minimumAgeHours", "backfill", "patienceHours"],
  ...["productionPatienceHours", "retries"],
  ...["promote", "languages", "variants", "holds", "branch"],
] as const;

/** Reads the policy of a checkout, or of another file. */
export async function readWatchPolicy(file: string): Promise<WatchPolicy> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new KilnError("usage", `${file} cannot be read: ${messageOf(error)}`, {
      mend: `Name the watcher's file by --config; a checkout has it at ${WATCH_FILE}.`,
    });
  });
  return parseWatchPolicy(text, path.basename(file));
}

/** The text of a checkout's policy, checked: what a pod gets as its file. */
export async function readPolicyText(project: string): Promise<string> {
  const text = await readFile(path.join(project, WATCH_FILE), "utf8");
  parseWatchPolicy(text, WATCH_FILE);
  return text;
}

/** Checks the text of a policy. Throws a usage error that names the key. */
export function parseWatchPolicy(text: string, file: string): WatchPolicy {
  const policy = section({ file, key: "", value: parsedYaml(text, file) }, POLICY);
  const sources = listOf(policy("sources"), (field) => sourceOf(field));
  if (sources.length === 0) {
    throw refusal(policy("sources"), "names no source", { mend: `Name one of ${SOURCE_KINDS.join(", ")}` });
  }
  // A source and its mirror confirm nothing to each other: they count as one, and stand in for each other.
  const kinds = [...new Set(sources.map(({ kind }) => kind))];
  const confirmations = countOf(policy("confirmations"), 1) ?? Math.min(2, kinds.length);
  if (confirmations > kinds.length) {
    throw refusal(
      policy("confirmations"),
      `is ${confirmations}, but there are ${kinds.length} sources of different kinds`,
      {
        mend: "Name more sources, or ask for fewer",
      },
    );
  }
  return Object.freeze({
    sources,
    confirmations,
    floor: versionOf(policy("floor")),
    minimumAge: minimumAgeOf(policy("minimumAgeHours"), kinds, confirmations),
    backfill: countOf(policy("backfill"), 1) ?? 3,
    patience: countOf(policy("patienceHours"), 1) ?? 6,
    productionPatience: countOf(policy("productionPatienceHours"), 1) ?? 72,
    retries: countOf(policy("retries")) ?? 1,
    promotion: promotionOf(policy("promote")),
    required: {
      languages: namesOf(policy("languages"), RUNNER_LANGUAGES),
      variants: namesOf(policy("variants"), RUNNER_VARIANTS),
    },
    holds: listOf(policy("holds"), holdOf),
    branch: branchOf(policy("branch")),
  });
}

function parsedYaml(text: string, file: string): unknown {
  try {
    return parse(text) as unknown;
  } catch (error) {
    throw new KilnError("usage", `${file} is no YAML: ${messageOf(error)}`, { mend: "Correct that line." });
  }
}

function versionOf(field: Field): Version {
  const version = parseVersion(requiredText(field, "Set it to the lowest version to release, such as 3.250.0"));
  if (version !== undefined) return version;
  throw refusal(field, "is no version", { mend: "Write three numbers, such as 3.250.0" });
}

/** An age is told by as many sources as have to know a version; where fewer can, every version would wait for ever. */
function minimumAgeOf(field: Field, kinds: readonly SourceKind[], confirmations: number): number {
  const hours = countOf(field) ?? 24;
  const dated = kinds.filter((kind) => DATED_KINDS.includes(kind)).length;
  if (hours === 0 || dated >= confirmations) return hours;
  const problem = `is ${hours}: ${confirmations} kinds of sources have to say when a version was published, and ${dated} of these do`;
  throw refusal(field, problem, {
    mend: `Name more of ${DATED_KINDS.join(", ")}, ask for fewer confirmations, or set it to 0, for versions of any age`,
  });
}

/** It becomes a part of what Git is asked for. */
function branchOf(field: Field): string {
  const branch = textOf(field) ?? "main";
  if (/^\w[\w./-]*$/.test(branch) && !branch.includes("..")) return branch;
  throw refusal(field, `is ${JSON.stringify(branch)}, which is no branch`, { mend: "Name one such as main" });
}

function promotionOf(field: Field): Promotion {
  const promotion = section(field, ["production", "afterHours", "latest"]);
  const kind = choiceOf(promotion("production"), ["by hand", "after"], "by hand");
  if (kind === "by hand") return { kind };
  return { kind, hours: countOf(promotion("afterHours")) ?? 24, latest: flagOf(promotion("latest"), true) };
}

function namesOf<Name extends string>(field: Field, all: readonly [Name, ...Name[]]): readonly Name[] {
  const named = listOf(field, (item) => choiceOf(item, all, all[0]));
  return named.length === 0 ? all : named;
}

function holdOf(field: Field): Hold {
  const hold = section(field, ["versions", "reason"]);
  const text = requiredText(hold("versions"), "Name a version, or a range such as >=3.251.0 <3.251.3");
  const versions = parseVersionRange(text);
  if (versions === undefined) {
    throw refusal(hold("versions"), `is ${JSON.stringify(text)}, which is no range of versions`, {
      mend: 'Write it in quotes: "3.251.0", or ">=3.251.0 <3.251.3"',
    });
  }
  return { versions, reason: requiredText(hold("reason"), "Say why, for whoever asks in a year") };
}
