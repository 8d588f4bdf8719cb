import { readRunnerRegistries } from "../../release/runner-registries.ts";
import { readPolicyText } from "../../release/watch/policy.ts";
import type { Settings } from "../../settings.ts";
import { clusterProvider } from "../cluster-provider.ts";
import { LanguageRunnerRegistry } from "../language-runner-registry.ts";
import { ReleaseWatcher } from "../release-watcher.ts";

/** The registry of language runners that the stack makes; nothing for a stack that has none. */
export async function languageRunnerRegistry(
  { languageRunners }: Settings,
  project: string,
): Promise<LanguageRunnerRegistry | undefined> {
  if (languageRunners === undefined) return undefined;
  const registries = (await readRunnerRegistries(project))[languageRunners.environment];
  return new LanguageRunnerRegistry("language-runners", { ...languageRunners, registries });
}

/** What looks for new versions of Pulumi on the stack's cluster; nothing where a workflow does, or a person. */
export async function releaseWatcher(
  { releaseWatcher: settings }: Settings,
  project: string,
): Promise<ReleaseWatcher | undefined> {
  if (settings === undefined) return undefined;
  const { context, ...watcher } = settings;
  const { production, preproduction } = await readRunnerRegistries(project);
  const policy = await readPolicyText(project);
  const provider = clusterProvider("release-watcher", { context });
  const registries = { production: production[0] ?? "", preproduction: preproduction[0] ?? "" };
  return new ReleaseWatcher("release-watcher", { ...watcher, policy, ...registries }, { provider });
}
