import * as pulumi from "@pulumi/pulumi";
import { CRD_GROUP, CRD_KINDS } from "../runners/controller/crd-pins.ts";
import type { CustomResourceDefinition } from "../runners/controller/crds.ts";
import type { Preflight } from "../runners/preflight.ts";
import { runnerFleet } from "../runners/upkeep/runner-fleet.ts";
import { pushgatewayOf } from "../runners/tenant/pushgateway.ts";
import { connectionOf, plannedScaleSet } from "../runners/tenant/scale-set.ts";
import type { RunnersSettings } from "../settings.ts";
import type { TenantSettings } from "../settings/tenants.ts";
import { clusterProvider } from "./cluster-provider.ts";
import { RunnerController } from "./runner-controller.ts";
import { RunnerFreshness } from "./runner-freshness.ts";
import { RunnerObservability } from "./runner-observability.ts";
import { RunnerScaleSet } from "./runner-scale-set.ts";
import { RunnerTenant, type TenantNamespace } from "./runner-tenant.ts";

export interface RunnersArgs {
  readonly settings: RunnersSettings;
  readonly preflight: Preflight;
  /** What runner pods run, by digest. */
  readonly image: pulumi.Input<string>;
  /** The stack's own runner groups by name: known once GitHub has them. A group that is not here must exist. */
  readonly runnerGroups: Readonly<Record<string, pulumi.Input<string>>>;
}

/** What workflows write after `runs-on:`, by tenant and namespace. */
export type ScaleSetNames = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** The runners of one cluster: its tenants, the controller, their scale sets, and what watches over them. */
export class Runners extends pulumi.ComponentResource {
  readonly scaleSets: ScaleSetNames;
  readonly #name: string;
  readonly #args: RunnersArgs;
  readonly #adopting: pulumi.ProviderResource;

  constructor(name: string, args: RunnersArgs, opts: pulumi.ComponentResourceOptions = {}) {
    const { context } = args.settings.cluster;
    const cluster = clusterProvider(name, { context });
    super("kiln:runner:Runners", name, {}, { ...opts, providers: [cluster] });
    this.#name = name;
    this.#args = args;
    this.#adopting = clusterProvider(`${name}-adopting`, { context, adopts: true }, { parent: this });

    const tenants = Object.values(args.settings.tenants).map((tenant) => [tenant, this.#tenant(tenant)] as const);
    const namespaces = tenants.flatMap(([, made]) => made.namespaces);
    const controller = this.#controller(namespaces);
    for (const [tenant, made] of tenants) this.#scaleSets(tenant, made, controller);
    for (const [tenant, made] of tenants) this.#freshness(tenant, made);
    this.#observability(controller);

    this.scaleSets = scaleSetNames(tenants);
    this.registerOutputs({ scaleSets: this.scaleSets });
  }

  #tenant(tenant: TenantSettings): RunnerTenant {
    const plan = this.#args.preflight.plans[tenant.name] ?? { namespaces: [] };
    return new RunnerTenant(
      `${this.#name}-${tenant.name}`,
      {
        tenant,
        plan,
        image: this.#args.image,
        adoptWith: this.#adopting,
        pushgateway: this.#args.settings.cluster.pushgateway,
      },
      { parent: this },
    );
  }

  /** Nothing where another stack has it. One that watches a single namespace has a role there: the namespace comes first. */
  #controller(namespaces: readonly TenantNamespace[]): readonly RunnerController[] {
    const { settings, preflight } = this.#args;
    const { manage, namespace, serviceAccount, version, replicas, watchNamespace, retainCrds, protect } =
      settings.controller;
    if (!manage) return [];
    const watched = namespaces.filter(({ plan }) => plan.name === watchNamespace).map(({ space }) => space);
    const args = {
      ...{ namespace, fullName: serviceAccount, version, replicas, retainCrds },
      ...(watchNamespace === undefined ? {} : { watchSingleNamespace: watchNamespace }),
      crds: preflight.crds ?? unreadCrds(),
      adoptWith: this.#adopting,
      at: "kiln:controller",
    };
    return [new RunnerController(`${this.#name}-controller`, args, { parent: this, protect, dependsOn: watched })];
  }

  #scaleSets(tenant: TenantSettings, made: RunnerTenant, controller: readonly RunnerController[]): void {
    const { settings, preflight, image, runnerGroups } = this.#args;
    const { namespace, serviceAccount, version } = settings.controller;
    const context = { controller: { namespace, serviceAccount, version }, arch: preflight.arch };
    for (const { plan, space, buildkit, before } of made.namespaces) {
      const group = plan.zone.runnerGroup;
      const pushgateway = pushgatewayOf(plan, settings.cluster.pushgateway);
      for (const set of plan.sets) {
        new RunnerScaleSet(
          set.name,
          {
            ...plannedScaleSet(tenant, set, { ...context, pushgateway }),
            namespace: space.namespace,
            secretName: space.secretName,
            credentialsVersion: space.credentialsVersion,
            image,
            imagePullSecrets: tenant.imagePullSecrets,
            ...(group === undefined ? {} : { runnerGroup: runnerGroups[group] ?? group }),
            ...(buildkit === undefined ? {} : { buildkit: buildkit.address }),
            at: set.settings.at,
          },
          { parent: made, dependsOn: [...before, ...controller] },
        );
      }
    }
  }

  /** Starts the rebuild of the runner image from the trusted zone, where the App may start workflows. */
  #freshness(tenant: TenantSettings, made: RunnerTenant): void {
    const [first] = made.namespaces;
    if (tenant.rebuild === undefined || first === undefined) return;
    const { namespace, secretName } = first.space;
    const { imagePullSecrets } = tenant;
    new RunnerFreshness(
      `${this.#name}-${tenant.name}-freshness`,
      {
        ...{ ...tenant.rebuild, ...connectionOf(tenant), ...first.plan.nodes },
        ...{ namespace, secretName, image: this.#args.image, imagePullSecrets },
      },
      { parent: made },
    );
  }

  #observability(controller: readonly RunnerController[]): void {
    const { settings, preflight } = this.#args;
    const { monitoring, monitorLabels } = settings.cluster;
    if (monitoring === "none") return;
    const args = { ...runnerFleet(settings, preflight.plans), monitorLabels };
    new RunnerObservability(`${this.#name}-watch`, args, { parent: this, dependsOn: [...controller] });
  }
}

function scaleSetNames(tenants: readonly (readonly [TenantSettings, RunnerTenant])[]): ScaleSetNames {
  const named = tenants.map(([{ name }, { namespaces }]) => {
    const sets = namespaces.map(({ plan }) => [plan.key, plan.sets.map((set) => set.name)] as const);
    return [name, Object.fromEntries(sets)] as const;
  });
  return Object.fromEntries(named);
}

/** What a preview without a network knows of the CRDs: that they will be there. */
function unreadCrds(): readonly CustomResourceDefinition[] {
  return Object.entries(CRD_KINDS).map(([plural, kind]) => ({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${CRD_GROUP}` },
    spec: {
      group: CRD_GROUP,
      names: { kind, plural },
      scope: "Namespaced",
      versions: pulumi.output(pulumi.unknown) as never,
    },
  }));
}
