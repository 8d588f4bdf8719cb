import path from "node:path";
import { buildContract, contractDifferences, tagsOfContract, type BuildContract } from "../../cache/contract.ts";
import { readyDatedGoRoot } from "../../cache/dated-go-root.ts";
import { STORE_IN_PLACE } from "../../cache/go/command.ts";
import { parseGitSource, readyGitSource } from "../../cache/git-source.ts";
import { readJson, type CacheManifest } from "../../cache/manifest.ts";
import type { Plan } from "../../cache/plan.ts";
import { planFault } from "../../cache/planning.ts";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import type { RegistryClient } from "../../registry/client.ts";
import { throwIfRefused } from "../../toolchain/finding.ts";
import { requireSoundMachine } from "../../toolchain/machine.ts";
import { namespaceRefusal } from "../../toolchain/namespaces.ts";
import { toolVersions } from "../../toolchain/pins.ts";
import { places } from "../../toolchain/places.ts";
import { ownPlatform, PLATFORMS } from "../../toolchain/platforms.ts";
import { resolveTool, type ResolvedTool } from "../../toolchain/resolve.ts";
import type { Invocation } from "../command.ts";
import { optional, required } from "../options.ts";
import { size } from "../printer.ts";

type Values = Invocation["values"];

/** Options by which commands choose programs of a repository. */
export const SELECTION = {
  source: { type: "string" },
  modules: { type: "string" },
  provider: { type: "string", multiple: true },
} as const;

export const SELECTION_HELP = {
  source: "the repository: a directory (default: .), or a Git address URL#COMMIT[:DIRECTORY]",
  modules: "where its Go programs are, such as examples/modules/{provider}/{module}",
  provider: "only this provider's (may be repeated)",
} as const;

/** What `--store` says in every help. */
export const STORE_HELP = "persistent volume with go-mod/ and go-build/ (default: .kiln/store)";

/** The repository that `--source` names, absolute; the current directory by default. A Git address is checked out first. */
export async function readySource(values: Values, progress: Progress): Promise<string> {
  const source = optional(values, "source") ?? ".";
  const git = parseGitSource(source);
  return git === undefined ? path.resolve(source) : readyGitSource(git, path.join(places().work, "sources"), progress);
}

/** The store that `--store` names, absolute; the work folder's by default. */
export function storeOf(values: Values): string {
  return path.resolve(optional(values, "store") ?? path.join(places().work, "store"));
}

/** The plan that `--plan` names. */
export async function planAt(values: Values): Promise<Plan> {
  return readJson<Plan>(
    path.resolve(required(values, "plan")),
    "a plan",
    "Make one with `npx kiln cache plan`.",
    planFault,
  );
}

/**
 * The pinned Go, brought here where it is missing, once this machine is known to be one on which it can work on caches: on
 * those of `store` alone no namespace is needed where they stand at the image's paths, as in the pod of a scale set.
 */
export async function goTool(progress: Progress, store?: string): Promise<ResolvedTool> {
  await requireSoundMachine(places());
  const go = await resolveTool("go", { places: places(), progress });
  if (store === STORE_IN_PLACE) return go;
  throwIfRefused(await namespaceRefusal());
  return { ...go, root: await readyDatedGoRoot({ places: places(), goRoot: go.root, progress }) };
}

/** The pinned registry client, brought here where it is missing. */
export async function registryClient(progress: Progress): Promise<RegistryClient> {
  return { regctl: (await resolveTool("regctl", { places: places(), progress })).path };
}

/** Options that decide for what caches are warmed. */
export const TARGET = { platform: { type: "string" }, tags: { type: "string" } } as const;

export const TARGET_HELP = {
  platform: "linux/amd64 or linux/arm64 (default: this machine's); the machine that warms may be another",
  tags: "build tags, with commas between: the image gets them in GOFLAGS, since Pulumi passes none",
} as const;

/** The contract of this kiln's image tools, for the platform and tags that a command's options name. */
export function ownContract(values: Values): BuildContract {
  return buildContract(toolVersions, platformOf(values).replace(/^.*\//, ""), tagsOf(values));
}

/** Throws where a plan was made for other tools than this kiln has: what it warms would be noted under the wrong name. */
export function requireOwnTools(plan: Plan): void {
  const own = buildContract(toolVersions, plan.contract.goarch, tagsOfContract(plan.contract));
  const differences = contractDifferences(plan.contract, own);
  if (differences.length === 0) return;
  throw new KilnError("usage", `the plan is for other tools than this kiln's:\n  ${differences.join("\n  ")}`, {
    mend: "Plan again with this kiln, or use the kiln that made the plan.",
  });
}

/** Throws where what was warmed under one contract is to be built under another: every build would be a miss. */
export function requireContract(what: string, warmed: BuildContract, wanted: BuildContract): void {
  const differences = contractDifferences(warmed, wanted);
  if (differences.length === 0) return;
  throw new KilnError(
    "difference",
    `${what} was warmed differently from what would be built:\n  ${differences.join("\n  ")}`,
    { mend: "Warm it again with this kiln, or verify it with the kiln that warmed it." },
  );
}

/** The build tags that `--tags` names. */
export function tagsOf(values: Values): readonly string[] {
  return (optional(values, "tags") ?? "").split(",").filter((tag) => tag !== "");
}

/** The platform that `--platform` names; this machine's by default. Throws a usage error for one that kiln does not know. */
export function platformOf(values: Values): string {
  const platform = optional(values, "platform") ?? ownPlatform();
  if (PLATFORMS.some((name) => name === platform)) return platform;
  throw new KilnError("usage", `--platform ${platform} is none that kiln warms for`, {
    mend: `Choose one of: ${PLATFORMS.join(", ")}.`,
  });
}

/** One line on what a cache directory holds. */
export function summary(manifest: CacheManifest): string {
  const { goBuildEntries, goModules, bytes } = manifest.counts;
  return `${manifest.modules.length} programs warm: ${goBuildEntries} build entries, ${goModules} Go modules, ${size(bytes)}`;
}
