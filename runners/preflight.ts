import { KilnError, messageOf } from "../errors.ts";
import { stackFile, type RunnersSettings, type Settings } from "../settings.ts";
import { clusterReport, provisionerOf } from "./cluster/checks.ts";
import { readClusterFacts } from "./cluster/facts.ts";
import type { ClusterReading } from "./cluster/wanted.ts";
import { readCrds, type CustomResourceDefinition } from "./controller/crds.ts";
import { freshnessWarning, type RunnerRelease } from "./upkeep/freshness.ts";
import { clusterWanted } from "./cluster/stack-cluster.ts";
import { planTenant, type TenantPlan } from "./tenant/plan.ts";
import { planWarnings } from "./tenant/warnings.ts";
import { requireOwnGroups, requireTogether } from "./tenant/rules.ts";

/** All that is known of a stack's runners before anything is made. */
export interface Preflight {
  /** By tenant. */
  readonly plans: Readonly<Record<string, TenantPlan>>;
  /** Nothing where a preview could not read them, or where another stack has them. */
  readonly crds: readonly CustomResourceDefinition[] | undefined;
  readonly arch: "amd64" | "arm64";
  /** What a person should know before going on. */
  readonly warnings: readonly string[];
  /** What was done or left out. */
  readonly notes: readonly string[];
}

export interface PreflightOptions {
  /** Whether anything will be changed: then nothing may be left unread. */
  readonly preview: boolean;
  /** Of the runner image. */
  readonly goVersion: string;
  readonly now: Date;
  /** The release that an image made elsewhere records. */
  readonly recordedRelease: (image: string) => Promise<RunnerRelease | undefined>;
  /** Where Pulumi is told by which passphrase secrets are encrypted. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Plans a stack's runners, and asks the cluster where that can be. Nothing for a stack without any. Throws a usage error for
 * what cannot be, `unreachable` for a cluster that has to be asked or CRDs that have to be had.
 */
export async function preflight(settings: Settings, options: PreflightOptions): Promise<Preflight | undefined> {
  const { runners, stack, image } = settings;
  if (runners === undefined) return undefined;
  const file = stackFile(stack);
  const arch = image.platform === "linux/arm64" ? "arm64" : "amd64";
  const { image: given, release = given === undefined ? undefined : await options.recordedRelease(given) } =
    runners.actionsRunner;
  const aging = freshnessWarning(release, options.now, `${file}: kiln:actionsRunner`);
  const plansFor = (provisioner?: (storageClass: string | undefined) => string | undefined) =>
    Object.fromEntries(
      Object.entries(runners.tenants).map(([name, tenant]) => [
        name,
        planTenant(tenant, {
          ...{ stack, goVersion: options.goVersion, arch },
          ...(provisioner === undefined ? {} : { provisionerOf: provisioner }),
        }),
      ]),
    );
  // What the stack says alone is refused before a cluster is asked.
  const planned = plansFor();
  requireOwnGroups(runners.tenants);
  requireTogether(planned, runners.controller, file);
  const wanted = clusterWanted(runners, planned, file);
  const reading = await readClusterFacts(wanted, contextOf(runners.cluster.context));
  const notes = clusterReport(wanted, reading, runners.cluster.checks);
  const plans = plansFor(provisioners(reading));
  const crds = runners.controller.manage ? await definitions(runners.controller.crds, options.preview) : undefined;
  const warnings = Object.values(runners.tenants).flatMap((tenant) => {
    const plan = plans[tenant.name];
    return plan === undefined ? [] : planWarnings(tenant, plan);
  });
  return {
    plans,
    arch,
    crds: crds?.found,
    warnings: [...(aging === undefined ? [] : [aging]), ...openWarnings(runners, options.env, file), ...warnings],
    notes: [
      ...clusterNote(reading, runners.cluster.context),
      ...notes,
      ...(crds?.missed === undefined ? [] : [crds.missed]),
    ],
  };
}

/** Which cluster it is about: the last chance to see that it is another one. */
function clusterNote(reading: ClusterReading, context: string | undefined): readonly string[] {
  if (reading.kind === "unreachable") return [];
  const by = context === undefined ? "the current context of the kubeconfig" : `the context ${context}`;
  return [`this plan is for the cluster ${reading.facts.server}, by ${by}`];
}

/** What a stack leaves open that somebody else could decide. */
function openWarnings({ cluster, tenants }: RunnersSettings, env: NodeJS.ProcessEnv, file: string): readonly string[] {
  const secrets = Object.values(tenants).some(({ credentials }) => ["app", "token"].includes(credentials.kind));
  return [
    ...(cluster.context === undefined
      ? [
          `${file}: kiln:cluster.context is not set: the kubeconfig of whoever runs Pulumi decides which cluster this stack changes`,
        ]
      : []),
    ...(secrets && env.PULUMI_CONFIG_PASSPHRASE === ""
      ? [
          `${file}: its secrets are encrypted with the empty passphrase, so that whoever has the file can read them: ` +
            "choose who keeps them (stacks/README.md), then set them anew",
        ]
      : []),
  ];
}

function provisioners(reading: ClusterReading) {
  if (reading.kind === "unreachable") return undefined;
  return (storageClass: string | undefined) => provisionerOf(reading.facts, storageClass);
}

/** A preview without a network shows that the CRDs will be there; an update that lacks them stops. */
async function definitions(source: Parameters<typeof readCrds>[0], preview: boolean) {
  try {
    return { found: await readCrds(source), missed: undefined };
  } catch (error) {
    if (!preview || !(error instanceof KilnError) || error.kind !== "unreachable") throw error;
    return { found: undefined, missed: `skipped: what the CRDs hold, because ${messageOf(error)}` };
  }
}

function contextOf(context: string | undefined) {
  return context === undefined ? {} : { context };
}
