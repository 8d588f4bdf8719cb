import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, KilnError, messageOf } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readRunnerRegistries, withRegistries } from "../release/runner-registries.ts";
import { FeedClient, type FeedMemory } from "../release/watch/feed-client.ts";
import { folderMemory } from "../release/watch/feed-memory.ts";
import { openTags } from "../release/watch/open-tags.ts";
import { readWatchPolicy, WATCH_FILE } from "../release/watch/policy.ts";
import { watchOnce, type Watch } from "../release/watch/watch.ts";
import { places } from "../toolchain/places.ts";
import { interruption, throwIfInterrupted } from "../toolchain/process.ts";
import type { Command, Invocation, Outcome } from "./command.ts";
import { noArguments, optional, repeated } from "./options.ts";
import { printable, printableLine } from "./printable.ts";
import { table } from "./printer.ts";

const DEFAULT_MINUTES = 60;

/** `kiln watch`. */
export const watchCommand: Command = {
  name: "watch",
  summary:
    "Release new versions of Pulumi: push the tags that build the language runners, to try and then for production.",
  usage: "[--once] [--dry-run] [--config FILE] [--checkout DIR] [--via git|api] [--every MINUTES]",
  options: {
    once: { type: "boolean" },
    "dry-run": { type: "boolean" },
    config: { type: "string" },
    checkout: { type: "string" },
    via: { type: "string" },
    registry: { type: "string", multiple: true },
    every: { type: "string" },
  },
  help: {
    once: "look once and end; without it, again and again until it is interrupted",
    "dry-run": "say what would be pushed, and push nothing",
    config: `the watcher's file (default: ${WATCH_FILE})`,
    checkout: "a checkout whose remote origin gets the tags (default: this one)",
    via: "git, or api: GITHUB_REPOSITORY by GitHub's API, without a checkout (default: git where there is a checkout)",
    registry:
      "where images to try are looked up, in place of images/pulumi-runner/registries.json: preproduction=localhost:5180/kiln",
    every: `minutes between two looks (default: ${DEFAULT_MINUTES})`,
  },
  async run(invocation) {
    noArguments(invocation.positionals);
    const { values, progress } = invocation;
    const minutes = minutesOf(values);
    const memory = folderMemory(path.join(places().cache, "watch"));
    if (values.once === true) return outcomeOf(await look(invocation, memory));
    if (values.json === true) {
      throw new KilnError("usage", "--json prints one document, and a watch without --once has no end", {
        mend: "Add --once.",
      });
    }
    return keepLooking(invocation, memory, minutes, progress);
  },
};

/** Every look begins anew, with the file, the token and the tags as they are then. */
async function look({ values, progress }: Invocation, memory: FeedMemory): Promise<Watch> {
  const { project } = places();
  const policy = await readWatchPolicy(path.resolve(optional(values, "config") ?? path.join(project, WATCH_FILE)));
  const registries = withRegistries(await readRunnerRegistries(project), repeated(values, "registry"));
  const dryRun = values["dry-run"] === true;
  const now = () => Date.now();
  const checkout = path.resolve(optional(values, "checkout") ?? project);
  const opened = await openTags({ checkout, via: viaOf(values), env: process.env, dryRun, now });
  const { repository, login } = opened;
  const client = new FeedClient({ memory, ...(login === undefined ? {} : { login }) });
  return watchOnce({ policy, client, repository, registries, now, dryRun, progress });
}

/** Looks until it is interrupted. What fails now may go well in an hour; wrong usage does not. */
async function keepLooking(
  invocation: Invocation,
  memory: FeedMemory,
  minutes: number,
  progress: Progress,
): Promise<Outcome> {
  for (;;) {
    try {
      progress.note(watchText(await look(invocation, memory)));
    } catch (error) {
      throwIfInterrupted();
      if (!(error instanceof KilnError) || error.kind === "usage") throw error;
      progress.note(messageOf(error));
    }
    progress.step(`next look in ${minutes} min`);
    await sleep(minutes * 60_000, undefined, { signal: interruption.signal }).catch(throwIfInterrupted);
  }
}

function outcomeOf(watch: Watch): Outcome {
  return { json: watch, text: watchText(watch), exitCode: exitCodeOf(watch) };
}

/** A tag that was not pushed is a failure; a version whose images never came is a difference that a person looks at. */
export function exitCodeOf({ tags, versions }: Pick<Watch, "tags" | "versions">): number {
  if (tags.some(({ outcome }) => outcome === "failed")) return EXIT.failed;
  return versions.some(({ verdict }) => verdict === "failed") ? EXIT.difference : EXIT.done;
}

/** What was found and done, a line a version; of pre-releases and drafts, which are many, only how many. */
export function watchText({ repository, sources, versions, malformed, tags, dryRun }: Watch): string {
  const outcomes = new Map(tags.map((tag) => [tag.tag, tag]));
  const told = versions.filter(({ verdict }) => verdict !== "skipped");
  const rows = told.map(({ version, verdict, reason, tags: wanted }) => {
    const pushed = wanted.map(({ name }) => {
      const outcome = outcomes.get(name);
      return `${name} ${outcome?.outcome ?? "not pushed"}`;
    });
    // A reason may be upstream's own words: they make no row of their own.
    return [version, verdict, printableLine([reason, ...pushed].join("; "))];
  });
  const done = tags.filter(({ outcome }) => outcome === "pushed").length;
  return [
    ...(rows.length === 0 ? [] : [table(rows)]),
    ...(told.length === versions.length ? [] : [`pre-releases and drafts left out: ${versions.length - told.length}`]),
    ...sources.flatMap(({ source, fault }) =>
      fault === undefined ? [] : [printableLine(`${source} did not answer: ${fault}`)],
    ),
    ...malformed.map(({ source, name }) => printableLine(`${JSON.stringify(name)} of ${source} is no version`)),
    ...tags.flatMap(({ tag, fault }) => (fault === undefined ? [] : [printable(`${tag} was not pushed: ${fault}`)])),
    dryRun
      ? `dry run: ${tags.length === 1 ? "1 tag" : `${tags.length} tags`} would be pushed to ${repository}`
      : tags.length === 0
        ? "no changes"
        : `${done} of ${tags.length} tags pushed to ${repository}`,
  ].join("\n");
}

function viaOf(values: Invocation["values"]): "git" | "api" | undefined {
  const via = optional(values, "via");
  if (via === undefined || via === "git" || via === "api") return via;
  throw new KilnError("usage", `--via ${via} is neither git nor api`, {
    mend: "Leave it out where there is a checkout.",
  });
}

function minutesOf(values: Invocation["values"]): number {
  const text = optional(values, "every") ?? String(DEFAULT_MINUTES);
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new KilnError("usage", `--every ${text} is no number of minutes`, { mend: "Give 1 to 9999." });
}
