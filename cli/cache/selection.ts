import path from "node:path";
import { buildContract, type BuildContract } from "../../cache/contract.ts";
import { readJson, type CacheManifest } from "../../cache/manifest.ts";
import type { Plan } from "../../cache/plan.ts";
import { planFault } from "../../cache/planning.ts";
import type { Progress } from "../../progress.ts";
import type { RegistryClient } from "../../registry/client.ts";
import { toolVersions } from "../../toolchain/pins.ts";
import { places } from "../../toolchain/places.ts";
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
  source: "the repository (default: .)",
  modules: "where its Go programs are, such as examples/modules/{provider}/{module}",
  provider: "only this provider's (may be repeated)",
} as const;

/** What `--store` says in every help. */
export const STORE_HELP = "persistent volume with go-mod/ and go-build/ (default: .kiln/store)";

/** The repository that `--source` names, absolute; the current directory by default. */
export function sourceOf(values: Values): string {
  return path.resolve(optional(values, "source") ?? ".");
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

/** The pinned Go, brought here where it is missing. */
export function goTool(progress: Progress): Promise<ResolvedTool> {
  return resolveTool("go", { places: places(), progress });
}

/** The pinned registry client, brought here where it is missing. */
export async function registryClient(progress: Progress): Promise<RegistryClient> {
  return { regctl: (await resolveTool("regctl", { places: places(), progress })).path };
}

/** The contract of this kiln's image tools on this machine. */
export function ownContract(): BuildContract {
  return buildContract(toolVersions, process.arch === "x64" ? "amd64" : process.arch);
}

/** One line on what a cache directory holds. */
export function summary(manifest: CacheManifest): string {
  const { goBuildEntries, goModules, bytes } = manifest.counts;
  return `${manifest.modules.length} programs warm: ${goBuildEntries} build entries, ${goModules} Go modules, ${size(bytes)}`;
}
