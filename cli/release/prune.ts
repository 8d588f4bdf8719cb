import { EXIT, KilnError } from "../../errors.ts";
import type { RegistryClient } from "../../registry/client.ts";
import { parsePinnedImage, parseReference, registryHost } from "../../registry/image-reference.ts";
import { imageRepository, isLoopback, warmRepository } from "../../registry/repository-names.ts";
import { githubConnection } from "../../release/github/connection.ts";
import { packageRemover } from "../../release/github/package-versions.ts";
import { registryRemover, type ImageRemover } from "../../release/image-remover.ts";
import { prune, type Prune } from "../../release/prune.ts";
import { shortDigest } from "../../release/reachable.ts";
import { freedBytes, type Named } from "../../release/retention.ts";
import { requireFetched } from "../../release/remote-heads.ts";
import { retentionRoots } from "../../release/retention-roots.ts";
import { readStackSettings } from "../../release/stack-file.ts";
import { runningRoots, standaloneStacks, type RunningImage } from "../../release/standalone-stacks.ts";
import { readStackHistory, stackNamesIn } from "../../release/stack-roots.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command, Invocation } from "../command.ts";
import { noArguments, optional, repeated } from "../options.ts";
import { size, table } from "../printer.ts";

const DEFAULTS = { "keep-days": 90, "keep-last": 10, "grace-hours": 24 } as const;

/** `kiln release prune`. */
export const pruneCommand: Command = {
  name: "release prune",
  summary:
    "Delete the images that no stack's file, history, release, index or referrer leads to. Without --yes only says so.",
  usage:
    "--stack S… | --repository REPO… [--running S=IMAGE]… [--keep-days 90] [--keep-last 10] [--grace-hours 24] [--yes]",
  options: {
    stack: { type: "string", multiple: true },
    repository: { type: "string", multiple: true },
    running: { type: "string", multiple: true },
    "keep-days": { type: "string" },
    "keep-last": { type: "string" },
    "grace-hours": { type: "string" },
    yes: { type: "boolean" },
  },
  help: {
    stack: "clean up this stack's repositories: its warm images, and its runner images (may be repeated)",
    repository: "clean up this repository, such as ghcr.io/acme/infra/base-images/iac-runner-warm (may be repeated)",
    running: "the image that a standalone stack runs, which no file names: STACK=REPOSITORY@DIGEST (may be repeated)",
    "keep-days": "what a stack's file named in so many days stays",
    "keep-last": "and what the last so many versions of each stack named, whichever keeps more",
    "grace-hours":
      "what is younger stays; of a registry that tells no dates, what was not yet seen unused for so long; shards stay for 7 days",
    yes: "delete; without it nothing changes",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const here = places();
    const now = Date.now();
    const [keepDays, keepLast, graceHours] = [
      wholeNumber(values, "keep-days"),
      wholeNumber(values, "keep-last"),
      wholeNumber(values, "grace-hours"),
    ];
    const repositories = await chosenRepositories(here.project, values);
    const running = repeated(values, "running").map(runningImage);
    const mayLack = values.yes !== true || repositories.every((repository) => isLoopback(registryHost(repository)));
    await requireFetched(here.project, { mayLack });
    const window = { now, keepDays, keepLast };
    const history = await readStackHistory(here.project, window);
    const roots = [
      ...retentionRoots(history, window),
      ...runningRoots(standaloneStacks(history), running, repositories),
    ];
    const { path: regctl } = await resolveTool("regctl", { places: here, progress });
    const done = await prune({
      ...{ client: { regctl }, repositories, roots, removerOf: removers({ regctl }), now, progress },
      ...{ stacks: stackNamesIn(history), graceMs: graceHours * 3_600_000, dryRun: values.yes !== true },
    });
    return {
      json: { ...done, bytes: freedBytes(done) },
      text: pruneReport(done),
      exitCode: done.failed.length > 0 ? EXIT.failed : EXIT.done,
    };
  },
};

async function chosenRepositories(project: string, values: Invocation["values"]): Promise<readonly string[]> {
  const chosen = repeated(values, "repository").map((text) => {
    const { repository, tag, digest } = parseReference(text);
    if (tag === undefined && digest === undefined && repository.includes("/")) return repository;
    throw new KilnError("usage", `--repository ${text} is no repository`, {
      mend: "Name it with its registry and without a tag: localhost:5180/kiln/base-images/iac-runner-warm.",
    });
  });
  for (const stack of repeated(values, "stack")) {
    const { registry } = await readStackSettings(project, stack);
    chosen.push(warmRepository(registry), imageRepository(registry));
  }
  if (chosen.length > 0) return [...new Set(chosen)];
  throw new KilnError("usage", "neither --stack nor --repository is given", {
    mend: "Say what to clean up, such as --stack dev.",
  });
}

function runningImage(text: string): RunningImage {
  const [, stack, name] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  const image = parsePinnedImage(name ?? "");
  if (stack !== undefined && image !== undefined) return { stack, image };
  throw new KilnError("usage", `--running ${text} does not say which stack runs which image`, {
    mend: 'Write STACK=REPOSITORY@sha256:…, such as --running "prod=$(npx kiln release image --stack prod --deployed)".',
  });
}

/** One remover for each kind of registry, made when it is first asked for: a loopback registry needs no token. */
function removers(client: RegistryClient): (repository: string) => ImageRemover {
  const known = new Map<string, ImageRemover>();
  return (repository) => {
    const [host, owner, name] = repository.split("/");
    const kind = host === "ghcr.io" ? host : "registry";
    const found = known.get(kind);
    if (found !== undefined) return found;
    const origin = `https://github.com/${owner ?? ""}/${name ?? ""}`;
    const made = kind === "registry" ? registryRemover(client) : packageRemover(githubConnection(process.env, origin));
    known.set(kind, made);
    return made;
  };
}

function wholeNumber(values: Invocation["values"], name: keyof typeof DEFAULTS): number {
  const text = optional(values, name) ?? String(DEFAULTS[name]);
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new KilnError("usage", `--${name} ${text} is no whole number`, {
    mend: `Such as --${name} ${DEFAULTS[name]}.`,
  });
}

/** What a clean-up found and did, in lines for a person: for each repository what stays and why, and what goes. */
export function pruneReport(done: Prune): string {
  const { repositories, skipped, foreign, failed } = done;
  return [
    ...skipped.map(
      (repository) => `${repository}: left alone, because no image is there that a stack's file here names`,
    ),
    ...repositories.flatMap((repository) => section(done, repository)),
    ...(foreign.length > 0 ? [`not kiln's, and therefore left: ${foreign.join(", ")}`] : []),
    ...failed.map(({ what, reason }) => `not done: ${what}: ${reason}`),
    ending(done),
  ].join("\n");
}

/** A repository's name, and below it a line for each of its manifests. */
function section({ keep, remove, removed, dryRun }: Prune, repository: string): readonly string[] {
  const own = ({ repository: other }: Named) => other === repository;
  const rows = [
    ...keep.filter(own).map((one) => ["  stays", shortDigest(one.digest), "", "", labelOf(one), one.reason]),
    ...(dryRun ? remove : removed).filter(own).map((one) => {
      const age = one.ageMs === undefined ? "" : ageOf(one.ageMs);
      return [dryRun ? "  goes" : "  deleted", shortDigest(one.digest), size(one.bytes), age, labelOf(one), ""];
    }),
  ];
  return [repository, rows.length > 0 ? table(rows) : "  nothing is there"];
}

/** Tags of a manifest that a line names: a warm image has one for each program, and the reason has to stay in sight. */
const SHOWN_TAGS = 2;

function labelOf({ tags }: Named): string {
  if (tags.length === 0) return "no tag";
  const more = tags.length > SHOWN_TAGS ? ` and ${tags.length - SHOWN_TAGS} more` : "";
  return `${tags.slice(0, SHOWN_TAGS).join(" ")}${more}`;
}

function ageOf(milliseconds: number): string {
  const hours = Math.floor(milliseconds / 3_600_000);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

function ending({ keep, remove, removed, failed, dryRun }: Prune): string {
  const stays = `manifests: ${keep.length} stay`;
  if (dryRun) {
    const goes = `${remove.length} would go with ${size(freedBytes({ remove }))}`;
    return `dry run: ${stays}, ${remove.length === 0 ? "none would go" : `${goes}; --yes deletes them`}`;
  }
  if (remove.length === 0) return `no changes: ${stays}`;
  const freed = size(freedBytes({ remove: removed }));
  const done = `${stays}, ${removed.length} deleted; their ${freed} are freed when the registry next collects its garbage`;
  return failed.length === 0 ? done : `${done}. ${failed.length} not done: run the command again`;
}
