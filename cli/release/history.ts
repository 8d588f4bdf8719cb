import { parsePinnedImage } from "../../registry/image-reference.ts";
import { imageRepository, warmRepository } from "../../registry/repository-names.ts";
import { readFileVersions, readIsUncommitted } from "../../release/git-history.ts";
import { readDeployments, type Deployment } from "../../release/deployments.ts";
import { namedImages, shortCommit, type NamedImage } from "../../release/history.ts";
import { readImageState, readReleasedTags, type ImageState } from "../../release/image-state.ts";
import { shortDigest } from "../../release/reachable.ts";
import { rollback, type Rollback } from "../../release/rollback.ts";
import { readStackSettings } from "../../release/stack-file.ts";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { stackFile } from "../../settings.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command } from "../command.ts";
import { noArguments, optional, required } from "../options.ts";
import { table } from "../printer.ts";
import { pulumiEnvironments } from "./stack-environment.ts";

/** One image of a stack's history; without `state` the registry was not asked. */
export type HistoryEntry = NamedImage & { readonly state?: ImageState };

const DEFAULT_LIMIT = 20;

/** `kiln release history`. */
export const historyCommand: Command = {
  name: "release history",
  summary: "List the warm images that a stack's file named: since when, from which commit, and whether they are there.",
  usage: "--stack S [--limit N] [--offline | --deployed]",
  options: {
    stack: { type: "string" },
    limit: { type: "string" },
    offline: { type: "boolean" },
    deployed: { type: "boolean" },
  },
  help: {
    stack: "the stack",
    deployed:
      "what was brought up instead, and when, as the stack's backend remembers it; asks Pulumi, and no registry",
    limit: `how many, the newest first (default: ${DEFAULT_LIMIT})`,
    offline: "ask no registry: only what Git has",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const stack = required(values, "stack");
    const { project } = places();
    const file = stackFile(stack);
    const { registry } = await readStackSettings(project, stack);
    const limit = limitOf(optional(values, "limit"));
    if (values.deployed === true) {
      const env = (await pulumiEnvironments([stack], progress))(stack);
      const deployments = (await readDeployments({ project, stack, env })).slice(0, limit);
      return { json: { stack, deployments }, text: deploymentsText(stack, deployments) };
    }
    const all = namedImages(await readFileVersions(project, file));
    const repositories = [warmRepository(registry), imageRepository(registry)];
    const images = all.slice(0, limit);
    const entries = values.offline === true ? images : await withStates(images, repositories, progress);
    const uncommitted = await readIsUncommitted(project, file);
    return { json: { stack, file, uncommitted, images: entries }, text: historyText(file, entries, uncommitted) };
  },
};

/** `kiln release rollback`. */
export const rollbackCommand: Command = {
  name: "release rollback",
  summary: "Write the warm image that a stack had before, or one that it had at a commit, into its file again.",
  usage: "--stack S [--to COMMIT|DIGEST] [--dry-run]",
  options: { stack: { type: "string" }, to: { type: "string" }, "dry-run": { type: "boolean" } },
  help: {
    stack: "the stack that goes back",
    to: "a commit, or a digest that the stack had (sha256:… and at least 12 digits); default: the image before",
    "dry-run": "check, say what would be written, and change nothing",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const here = places();
    const [stack, to] = [required(values, "stack"), optional(values, "to")];
    const { path: regctl } = await resolveTool("regctl", { places: here, progress });
    const dryRun = values["dry-run"] === true;
    const done = await rollback({ client: { regctl }, project: here.project, stack, to, dryRun, progress });
    return { json: done, text: rollbackText(done) };
  },
};

async function withStates(
  images: readonly NamedImage[],
  repositories: readonly string[],
  progress: Progress,
): Promise<readonly HistoryEntry[]> {
  const { path: regctl } = await resolveTool("regctl", { places: places(), progress });
  progress.step("looking up images and release tags");
  const released = await readReleasedTags({ regctl }, repositories);
  const entries: HistoryEntry[] = [];
  for (const [index, image] of images.entries()) {
    progress.update(image.warmImage, index, images.length);
    const pinned = parsePinnedImage(image.warmImage);
    const state = pinned === undefined ? undefined : await readImageState({ regctl }, pinned, released);
    entries.push({ ...image, ...(state === undefined ? {} : { state }) });
  }
  return entries;
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new KilnError("usage", `--limit ${text} is no number of images`, { mend: "Give 1 or more." });
}

/** What a stack ran on, in lines for a person, the newest first. Times are UTC. */
export function historyText(file: string, entries: readonly HistoryEntry[], uncommitted: boolean): string {
  const rows = entries.map(({ since, until, commit, warmImage, authored, subject, state }) => [
    minuteOf(since),
    until === undefined ? "now" : minuteOf(until),
    shortDigest(parsePinnedImage(warmImage)?.digest ?? warmImage),
    state?.registry ?? "",
    state?.tags.map((tag) => tag.slice(tag.lastIndexOf(":") + 1)).join(" ") ?? "",
    shortCommit(commit),
    minuteOf(authored),
    subject,
  ]);
  const head = ["since", "until", "image", "registry", "release", "commit", "written", "subject"];
  return [
    rows.length === 0 ? `${file} has named no warm image so far` : table([head, ...rows]),
    ...(uncommitted ? [`${file} has changes that are not committed: they are not listed`] : []),
  ].join("\n");
}

/** What was brought up and destroyed, in lines for a person, the newest first. Times are UTC. */
export function deploymentsText(stack: string, deployments: readonly Deployment[]): string {
  if (deployments.length === 0) return `stack ${stack} was not brought up in the operations that its backend remembers`;
  const rows = deployments.map(({ kind, result, started, ended, warmImage, commit, dirty, message }) => [
    minuteOf(ended ?? started),
    kind === "update" ? "up" : kind,
    result,
    warmImage === undefined ? "" : shortDigest(parsePinnedImage(warmImage)?.digest ?? warmImage),
    `${shortCommit(commit ?? "")}${dirty ? " with changes" : ""}`,
    message.split("\n")[0] ?? "",
  ]);
  return table([["when", "what", "result", "image", "commit", "message"], ...rows]);
}

/** What a rollback wrote, in lines for a person. */
export function rollbackText({
  stack,
  warmImage,
  before,
  from,
  record,
  programs,
  dryRun,
  unchanged,
}: Rollback): string {
  const file = stackFile(stack);
  const rows = [
    ["warm image", warmImage],
    ...(unchanged ? [] : [["was", before ?? "not set"]]),
    ["named at", `${shortCommit(from.commit)}, ${minuteOf(from.since)}: ${from.subject}`],
    ["verified", `${programs} programs; record ${record}`],
  ];
  const wrote = `wrote ${file}: commit it, then \`pulumi up -s ${stack}\``;
  const ending = unchanged ? "no changes" : dryRun ? `dry run: ${file} is as it was` : wrote;
  return `${table(rows)}\n${ending}`;
}

/** A date as `2026-11-22 05:29`, UTC. */
function minuteOf(date: string): string {
  return new Date(date).toISOString().slice(0, 16).replace("T", " ");
}
