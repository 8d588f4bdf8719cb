import type { V1ResourceRequirements } from "@kubernetes/client-node";
import type { CertificateAuthority, ProxySettings, TenantSettings } from "../../settings/tenants.ts";
import type { PushgatewaySettings } from "../../settings/cluster.ts";
import type { SetSettings } from "../../settings/zone.ts";
import type { ControllerReference } from "../controller/arc.ts";
import { givenFields } from "../given-fields.ts";
import type { CertificateAuthority as TrustedAuthority, Proxy, ScaleSetRequest } from "../scale-set/request.ts";
import type { ScaleSetPlan } from "./plan.ts";
import { besideGateway, isMeasured, pushgatewayEnv } from "./pushgateway.ts";

/** What a scale set is, apart from what other resources say of it. */
export type PlannedScaleSet = Omit<
  ScaleSetRequest<string>,
  "namespace" | "secretName" | "credentialsVersion" | "runnerGroup" | "image" | "buildkit" | "imagePullSecrets"
>;

/** Where jobs find the certificate of a GitHub Enterprise Server. */
const CERTIFICATES = "/usr/local/share/ca-certificates/";

/** What a scale set has of its stack. */
export interface ScaleSetContext {
  readonly controller: ControllerReference;
  readonly arch: "amd64" | "arm64";
  /** Of the set's namespace: nothing where its runners do not tell what their caches served. */
  readonly pushgateway?: PushgatewaySettings | undefined;
}

/** A planned scale set in the words of `RunnerScaleSet`. */
export function plannedScaleSet(
  tenant: TenantSettings,
  { name, settings, minRunners, maxRunners, attachment }: ScaleSetPlan,
  context: ScaleSetContext,
): PlannedScaleSet {
  const { credentials } = tenant;
  const pushgateway = isMeasured({ attachment }) ? context.pushgateway : undefined;
  const { labels, nodeSelector, tolerations, spot, mode, workVolume } = settings;
  return {
    scaleSetName: name,
    configUrl: tenant.url.url,
    ...(credentials.kind === "vault" ? { vault: credentials.vault } : {}),
    ...(labels.length === 0 ? {} : { labels }),
    controller: context.controller,
    arch: context.arch,
    mode,
    minRunners,
    maxRunners,
    resources: resourcesOf(settings),
    nodeSelector,
    tolerations: tolerations.map((toleration) => ({ ...toleration })),
    spot,
    ...connectionOf(tenant),
    ...(pushgateway === undefined ? {} : measured(name, pushgateway, connectionOf(tenant).proxy)),
    ...givenFields({
      cache: attachment,
      priorityClassName: settings.priorityClass,
      runtimeClassName: settings.runtimeClass,
      dind: settings.dockerImage === undefined ? undefined : { image: settings.dockerImage },
      workVolumeClaim: workVolume === undefined ? undefined : workVolumeClaim(workVolume),
    }),
  };
}

/** A set whose runners push what their caches served: past the proxy, which cannot reach the cluster's services. */
function measured(name: string, gateway: PushgatewaySettings, proxy: Proxy | undefined): Partial<PlannedScaleSet> {
  return {
    env: pushgatewayEnv(gateway, name),
    ...(proxy === undefined ? {} : { proxy: besideGateway(proxy, gateway) }),
  };
}

/** How a tenant's pods reach GitHub. */
export function connectionOf({ proxy, certificateAuthority }: Pick<TenantSettings, "proxy" | "certificateAuthority">): {
  readonly proxy?: Proxy;
  readonly certificateAuthority?: TrustedAuthority;
} {
  return {
    ...(proxy === undefined ? {} : { proxy: proxyOf(proxy) }),
    ...(certificateAuthority === undefined ? {} : { certificateAuthority: authorityOf(certificateAuthority) }),
  };
}

/**
 * A memory limit that equals the request where none is set: a runner that takes more would be evicted with its job anyway,
 * and later, when the node is full.
 */
function resourcesOf({ requests, limits }: Pick<SetSettings, "requests" | "limits">): V1ResourceRequirements {
  const { memory } = requests;
  return {
    requests: { ...requests },
    limits: { ...(memory === undefined ? {} : { memory }), ...limits },
  };
}

function proxyOf({ http, https, noProxy }: ProxySettings): Proxy {
  return {
    ...givenFields({
      http:
        http === undefined
          ? undefined
          : { url: http.url, ...givenFields({ credentialSecretRef: http.credentialSecretRef }) },
      https:
        https === undefined
          ? undefined
          : { url: https.url, ...givenFields({ credentialSecretRef: https.credentialSecretRef }) },
    }),
    ...(noProxy.length === 0 ? {} : { noProxy }),
  };
}

function authorityOf({ configMap, key }: CertificateAuthority): TrustedAuthority {
  return { configMap, key, runnerMountPath: CERTIFICATES };
}

function workVolumeClaim({ storageClass, size }: NonNullable<SetSettings["workVolume"]>) {
  return {
    accessModes: ["ReadWriteOnce"],
    ...givenFields({ storageClassName: storageClass }),
    resources: { requests: { storage: size } },
  };
}
