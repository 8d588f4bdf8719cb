import type { V1EnvVar, V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import { posix } from "node:path";
import { KilnError } from "../../errors.ts";
import { isCronSchedule } from "../cron-schedule.ts";
import { parseConfigUrl } from "../scale-set/config-url.ts";
import { apiAddress } from "../github/package-state.ts";
import { REBUILD_AFTER_DAYS } from "./freshness.ts";
import type { CertificateAuthority, Proxy, ProxyServer } from "../scale-set/request.ts";

/** A job of the cluster that starts the rebuild of the runner image before GitHub refuses the runner in it. */
export interface FreshnessCheck {
  /** The repository whose workflow rebuilds the image: `https://github.com/<owner>/<repository>`, or on a GHES host. */
  readonly repositoryUrl: string;
  /** The file of that workflow, such as `rebuild-runner.yml`. It must have the trigger `workflow_dispatch`. */
  readonly workflow: string;
  /** The branch that it is started on; `main` where left out. */
  readonly ref?: string;
  /** A cron expression of five fields, at least daily; every morning where left out. */
  readonly schedule?: string;
  readonly proxy?: Proxy;
  readonly certificateAuthority?: CertificateAuthority;
}

/** What the pods of the check are made of, beside image, Secret and place. */
export interface FreshnessPod {
  readonly schedule: string;
  readonly command: readonly string[];
  readonly env: readonly V1EnvVar[];
  readonly volumes: readonly ConfigMapVolume[];
  readonly mounts: readonly V1VolumeMount[];
}

/** A ConfigMap as files of a pod. */
export interface ConfigMapVolume extends Pick<V1Volume, "name"> {
  readonly configMap: { readonly name: string; readonly items: { readonly key: string; readonly path: string }[] };
}

/** Where the runner image has the program (images/actions-runner/check-freshness.mjs). */
export const FRESHNESS_PROGRAM = "/usr/local/lib/kiln/check-freshness.mjs";

/** Where its pod has the files of the runners' Secret. */
export const APP_DIRECTORY = "/var/run/kiln/github";

const CERTIFICATES = "/var/run/kiln/certificates";
const WORKFLOW = /^[\w.-]+\.ya?ml$/;
const REF = /^[\w][\w./-]*$/;

/** The pod of a check. Throws a usage error that names `at`, the key path under which the check is written. */
export function freshnessPod(check: FreshnessCheck, at: string): FreshnessPod {
  const { repositoryUrl, workflow, ref = "main", schedule = "23 5 * * *", proxy, certificateAuthority } = check;
  const { kind, host, owner, repository = "" } = parseConfigUrl(repositoryUrl, `${at}.repositoryUrl`);
  if (kind !== "repository") throw refusal(`${at}.repositoryUrl`, repositoryUrl, "the address of a repository");
  if (!WORKFLOW.test(workflow))
    throw refusal(`${at}.workflow`, workflow, "a file of .github/workflows such as rebuild.yml");
  if (!REF.test(ref)) throw refusal(`${at}.ref`, ref, "a branch such as main");
  if (!isCronSchedule(schedule)) throw refusal(`${at}.schedule`, schedule, "a cron expression such as 23 5 * * *");
  const plain = {
    KILN_REPOSITORY: `${owner}/${repository}`,
    KILN_WORKFLOW: workflow,
    KILN_REF: ref,
    KILN_APP_DIRECTORY: APP_DIRECTORY,
    KILN_REBUILD_AFTER_DAYS: String(REBUILD_AFTER_DAYS),
    GITHUB_API_URL: apiAddress(host),
  };
  const env = Object.entries(plain).map(([name, value]) => ({ name, value }));
  const trust = trustOf(certificateAuthority);
  return {
    schedule,
    command: ["node", FRESHNESS_PROGRAM],
    env: [...env, ...(proxy === undefined ? [] : proxyEnv(proxy)), ...trust.env],
    volumes: trust.volumes,
    mounts: trust.mounts,
  };
}

/**
 * What makes Node use a proxy. Name and password come from the Secret that scale sets name too, put together by the kubelet:
 * where they hold characters that an address must encode, the Secret has to hold them encoded.
 */
function proxyEnv({ http, https, noProxy = [] }: Proxy): readonly V1EnvVar[] {
  return [
    { name: "NODE_USE_ENV_PROXY", value: "1" },
    ...serverEnv("HTTP_PROXY", http),
    ...serverEnv("HTTPS_PROXY", https ?? http),
    ...(noProxy.length > 0 ? [{ name: "NO_PROXY", value: noProxy.join(",") }] : []),
  ];
}

function serverEnv(name: string, server: ProxyServer | undefined): readonly V1EnvVar[] {
  if (server === undefined) return [];
  const { url, credentialSecretRef: secret } = server;
  if (secret === undefined) return [{ name, value: url }];
  const fromSecret = (key: string) => ({
    name: `${name}_${key.toUpperCase()}`,
    valueFrom: { secretKeyRef: { name: secret, key } },
  });
  const login = `$(${name}_USERNAME):$(${name}_PASSWORD)@`;
  return [fromSecret("username"), fromSecret("password"), { name, value: url.replace("://", () => `://${login}`) }];
}

function trustOf(authority: CertificateAuthority | undefined): Pick<FreshnessPod, "env" | "volumes" | "mounts"> {
  if (authority === undefined) return { env: [], volumes: [], mounts: [] };
  const { configMap, key } = authority;
  const name = "certificates";
  return {
    env: [{ name: "NODE_EXTRA_CA_CERTS", value: posix.join(CERTIFICATES, key) }],
    volumes: [{ name, configMap: { name: configMap, items: [{ key, path: key }] } }],
    mounts: [{ name, mountPath: CERTIFICATES, readOnly: true }],
  };
}

function refusal(at: string, value: string, wanted: string): KilnError {
  return new KilnError("usage", `${at} is ${JSON.stringify(value)}, which it cannot be`, {
    mend: `Set it to ${wanted}`,
  });
}
