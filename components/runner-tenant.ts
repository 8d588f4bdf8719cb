import * as pulumi from "@pulumi/pulumi";
import { DIND_IMAGE } from "../runners/scale-set/container-mode.ts";
import { buildKitService } from "../runners/namespace/buildkit.ts";
import { networkAccess } from "../runners/tenant/network.ts";
import { buildkitOf, type BuildKitPlan, type NamespacePlan, type TenantPlan } from "../runners/tenant/plan.ts";
import { pushgatewayOf, pushgatewayService } from "../runners/tenant/pushgateway.ts";
import type { PushgatewaySettings } from "../settings/cluster.ts";
import type { TenantSettings } from "../settings/tenants.ts";
import { BuildKit } from "./buildkit.ts";
import { CacheVolumes } from "./cache-volumes.ts";
import { ImagePrePull } from "./image-pre-pull.ts";
import { RunnerNamespace } from "./runner-namespace.ts";

export interface RunnerTenantArgs {
  readonly tenant: TenantSettings;
  /** Of `planTenant`: what it refuses never comes here. */
  readonly plan: TenantPlan;
  /** What runner pods run, by digest. */
  readonly image: pulumi.Input<string>;
  /** A provider that takes objects over: for what a destroyed stack left on purpose. */
  readonly adoptWith: pulumi.ProviderResource;
  /** Where runners with a cache push what it served. */
  readonly pushgateway?: PushgatewaySettings | undefined;
}

/** One namespace of a tenant, ready for scale sets. */
export interface TenantNamespace {
  readonly plan: NamespacePlan;
  readonly space: RunnerNamespace;
  /** Where its runners build images; nothing where its zone has no buildkitd. */
  readonly buildkit: BuildKit | undefined;
  /** What has to be there before its scale sets, and outlive them. */
  readonly before: readonly pulumi.Resource[];
}

/** What the scale sets of one tenant stand on, apart from the controller: namespaces with walls, volumes, images at hand. */
export class RunnerTenant extends pulumi.ComponentResource {
  readonly namespaces: readonly TenantNamespace[];
  readonly #name: string;
  readonly #args: RunnerTenantArgs;

  constructor(name: string, args: RunnerTenantArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kiln:runner:RunnerTenant", name, {}, opts);
    this.#name = name;
    this.#args = args;
    this.namespaces = args.plan.namespaces.map((plan) => this.#namespace(plan));
    this.registerOutputs({});
  }

  #namespace(plan: NamespacePlan): TenantNamespace {
    const { tenant, image, adoptWith } = this.#args;
    const name = `${this.#name}-${plan.key}`;
    const builder = buildkitOf(plan);
    const gateway = pushgatewayOf(plan, this.#args.pushgateway);
    const buildkit = builder === undefined ? undefined : this.#buildkit(name, plan, builder);
    const space = new RunnerNamespace(
      name,
      {
        namespace: plan.name,
        podSecurity: plan.podSecurity,
        credentials: tenant.credentials,
        network: networkAccess(
          tenant,
          plan,
          builder === undefined ? undefined : buildKitService(builder.namespace),
          gateway === undefined ? undefined : pushgatewayService(gateway),
        ),
        quota: plan.zone.quota,
        limits: plan.zone.limits,
        adoptWith,
        retain: plan.cache?.retention === "retain",
        at: plan.zone.at,
      },
      { parent: this },
    );
    const pods = { namespace: space.namespace, image, imagePullSecrets: tenant.imagePullSecrets, ...plan.nodes };
    const volumes =
      plan.cache === undefined
        ? []
        : [new CacheVolumes(`${name}-cache`, { ...pods, plan: plan.cache, adoptWith }, { parent: this })];
    new ImagePrePull(
      `${name}-images`,
      { ...pods, daemonSetName: "runner-image", moreImages: dockerImages(plan) },
      { parent: this },
    );
    return { plan, space, buildkit, before: [space, ...volumes] };
  }

  /** A buildkitd for the zone's runners that have no Docker. */
  #buildkit(name: string, plan: NamespacePlan, builder: BuildKitPlan): BuildKit {
    return new BuildKit(
      `${name}-buildkit`,
      {
        ...builder,
        clients: [plan.name],
        // Builds have no business with the API server, which job hooks may need.
        network: { ...networkAccess(this.#args.tenant, plan), apiServer: [] },
        at: `${plan.zone.at}.buildkit`,
      },
      { parent: this },
    );
  }
}

/** The Docker daemons of a namespace's scale sets, by the set. */
function dockerImages({ sets }: NamespacePlan): Readonly<Record<string, string>> {
  const withDocker = sets.filter(({ settings }) => settings.mode === "dind");
  return Object.fromEntries(withDocker.map(({ name, settings }) => [name, settings.dockerImage ?? DIND_IMAGE]));
}
