import { KilnError } from "../../errors.ts";
import type { TenantSettings } from "../../settings/tenants.ts";
import type { BuildKitSettings, SetSettings, Toleration, ZoneSettings } from "../../settings/zone.ts";
import type { CacheAttachment } from "../cache/attachment.ts";
import { planCache, type CachePlan } from "../cache/plan.ts";
import { runsJobsInPods, type ContainerMode } from "../scale-set/container-mode.ts";
import { requireUntrustedApart } from "./rules.ts";
import { requireDistinctNames, requireNamespaceName, requireScaleSetName } from "../scale-set/name.ts";
import { ARCH_LABEL, SPOT_TOLERATIONS } from "../scale-set/pod-template.ts";

/** A tenant's namespaces: all that is decided before anything is made. */
export interface TenantPlan {
  readonly namespaces: readonly NamespacePlan[];
}

/** One namespace of a trust zone. */
export interface NamespacePlan {
  /** Stable within the tenant: `trusted`, `trusted-dind`, `untrusted` … */
  readonly key: string;
  readonly name: string;
  readonly zone: ZoneSettings;
  readonly podSecurity: "restricted" | "baseline" | "privileged";
  readonly cache: CachePlan | undefined;
  readonly sets: readonly ScaleSetPlan[];
  /** The nodes that its runners may use: where images are pulled beforehand, and volumes are kept in order. */
  readonly nodes: NodesPlan;
}

export interface NodesPlan {
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
}

/** One scale set: with lanes a kind of runner becomes several, each with a cache of its own. */
export interface ScaleSetPlan {
  /** What workflows write after `runs-on:`. */
  readonly name: string;
  readonly settings: SetSettings;
  readonly maxRunners: number;
  readonly minRunners: number;
  readonly attachment: CacheAttachment | undefined;
}

export interface BuildKitPlan extends BuildKitSettings {
  readonly namespace: string;
}

/** What all zones of a stack share. */
export interface PlanContext {
  readonly stack: string;
  /** Of the runner image: caches are kept by it. */
  readonly goVersion: string;
  readonly arch: "amd64" | "arm64";
  /** The provisioner of a storage class, where a cluster could be asked; the default class has the name `undefined`. */
  readonly provisionerOf?: (storageClass: string | undefined) => string | undefined;
}

/** Pod security by container mode; the suffix tells the namespaces of one zone apart, whatever sets come and go. */
const LEVELS = {
  none: { podSecurity: "restricted", suffix: "" },
  dind: { podSecurity: "privileged", suffix: "-dind" },
  kubernetes: { podSecurity: "baseline", suffix: "-kubernetes" },
  "kubernetes-novolume": { podSecurity: "baseline", suffix: "-kubernetes" },
} as const satisfies Record<ContainerMode, { podSecurity: NamespacePlan["podSecurity"]; suffix: string }>;

/** The buildkitd of runners that have no Docker, in a namespace of its own: it needs more of its node than they do. */
export function buildkitOf({ name, zone, podSecurity }: NamespacePlan): BuildKitPlan | undefined {
  if (zone.buildkit === undefined || podSecurity !== "restricted") return undefined;
  return { ...zone.buildkit, namespace: `${name}-buildkit` };
}

/** The plan of a tenant. Throws a usage error that names the key of what cannot be. */
export function planTenant(tenant: TenantSettings, context: PlanContext): TenantPlan {
  const zones = [tenant.trusted, ...(tenant.untrusted === undefined ? [] : [tenant.untrusted])];
  const namespaces = zones.flatMap((zone) => planZone(tenant, zone, context));
  const names = namespaces.flatMap(({ sets }) => sets.map(({ name }) => name));
  requireDistinctNames(names, `the tenant ${tenant.name}`);
  return { namespaces };
}

function planZone(tenant: TenantSettings, zone: ZoneSettings, context: PlanContext): readonly NamespacePlan[] {
  const bySuffix = Map.groupBy(Object.entries(zone.sets), ([, { mode }]) => LEVELS[mode].suffix);
  const cached = cachedSuffix(zone);
  return [...bySuffix].map(([suffix, sets]) => {
    const key = `${zone.trust}${suffix}`;
    const name = `${zone.namespace}${suffix}`;
    const [first] = sets;
    const mode = first?.[1].mode ?? "none";
    requireNamespaceName(name, first?.[1].at ?? zone.namespace);
    for (const [, settings] of sets) {
      requireApiServer(settings, zone);
      requireUntrustedApart(settings, zone, tenant.credentials);
    }
    const cache = suffix === cached ? zoneCache(tenant.name, zone, context) : undefined;
    const planned = sets.flatMap(([kind, settings]) =>
      scaleSets(`${context.stack}-${tenant.name}-${kind}`, settings, cache),
    );
    return {
      key,
      name,
      zone,
      podSecurity: LEVELS[mode].podSecurity,
      cache,
      nodes: nodesOf(planned, context.arch),
      sets: planned,
    };
  });
}

/** Job hooks talk to the API server, which the zone's walls keep out. */
function requireApiServer({ at, mode }: SetSettings, { at: zone, network }: ZoneSettings): void {
  if (!runsJobsInPods(mode) || network.apiServer.length > 0) return;
  throw new KilnError(
    "usage",
    `${at}.mode is ${mode}, whose job hooks talk to the API server, which the zone keeps out`,
    {
      mend:
        `Name its addresses in ${zone}.network.apiServer, such as [10.0.0.1/32]: ` +
        "`kubectl get endpointslices -n default -l kubernetes.io/service-name=kubernetes` shows them",
    },
  );
}

/** Where the zone's volumes stand: a claim belongs to one namespace. */
function cachedSuffix(zone: ZoneSettings): string | undefined {
  const cached = Object.values(zone.sets).filter(({ cache }) => cache);
  const [first] = cached;
  if (first === undefined) return undefined;
  if (zone.cache === undefined) {
    throw new KilnError("usage", `${first.at}.cache is true, but the zone has no cache`, {
      mend: "Describe one in the zone's cache, such as {mode: lane, lanes: 2, size: 100Gi}, or remove it here",
    });
  }
  const other = cached.find(({ mode }) => LEVELS[mode].suffix !== LEVELS[first.mode].suffix);
  if (other === undefined) return LEVELS[first.mode].suffix;
  throw new KilnError(
    "usage",
    `${other.at}.cache: sets of modes ${first.mode} and ${other.mode} run in namespaces of their own, ` +
      "and a volume belongs to one namespace",
    { mend: "Let sets of one mode use the cache" },
  );
}

/** The zone's volumes. What a mode with one runner a volume does not bear, the rules of caches refuse. */
function zoneCache(tenant: string, zone: ZoneSettings, context: PlanContext): CachePlan | undefined {
  if (zone.cache === undefined) return undefined;
  const { at, ...cache } = zone.cache;
  const { stack, goVersion, arch, provisionerOf } = context;
  const users = Object.values(zone.sets).filter((set) => set.cache);
  const [first, second] = users;
  if (cache.mode === "lane" && second !== undefined) {
    throw new KilnError("usage", `${second.at}.cache: a lane has one runner, and ${first?.at ?? ""} uses the lanes`, {
      mend: "Let one kind of runner use the lanes, or set the cache's mode to node or clone",
    });
  }
  const { moduleCache } = cache;
  return planCache(
    {
      ...cache,
      ...(moduleCache === undefined
        ? {}
        : { moduleCache: { ...moduleCache, provisioner: provisionerOf?.(moduleCache.storageClass) } }),
      name: `${stack}-${tenant}-${zone.trust}`,
      zone: zone.trust,
      goVersion,
      arch,
      provisioner: provisionerOf?.(cache.storageClass),
      maxRunners: users.reduce((sum, { maxRunners }) => sum + maxRunners, 0),
    },
    at,
  );
}

/** A kind of runner as scale sets: one, or with lanes one for each of them. */
function scaleSets(name: string, settings: SetSettings, cache: CachePlan | undefined): readonly ScaleSetPlan[] {
  const attachments = settings.cache ? (cache?.attachments ?? []) : [];
  const [shared] = attachments;
  const { minRunners, maxRunners } = settings;
  const sets =
    cache?.mode === "lane" && settings.cache
      ? attachments.map((attachment, lane) => ({
          name: `${name}-${attachment.key}`,
          settings,
          maxRunners: 1,
          minRunners: lane < minRunners ? 1 : 0,
          attachment,
        }))
      : [{ name, settings, maxRunners, minRunners, attachment: shared }];
  for (const set of sets) requireScaleSetName(set.name, settings.at);
  return sets;
}

/** Labels that the pods of all sets ask for, and every taint that one of them tolerates. */
function nodesOf(sets: readonly ScaleSetPlan[], arch: string): NodesPlan {
  const selectors = sets.map(({ settings, attachment }) => ({ ...settings.nodeSelector, ...attachment?.nodeSelector }));
  const [first, ...others] = selectors.map((own): NodesPlan["nodeSelector"] => ({ [ARCH_LABEL]: arch, ...own }));
  const common = Object.entries(first ?? {}).filter(([label, value]) => others.every((own) => own[label] === value));
  const tolerated = sets.flatMap(({ settings: { spot, tolerations } }) => [
    ...tolerations,
    ...(spot ? SPOT_TOLERATIONS : []),
  ]);
  const tolerations = new Map(tolerated.map((each) => [JSON.stringify(each), each]));
  return { nodeSelector: Object.fromEntries(common), tolerations: [...tolerations.values()] };
}
