import type { V1Container, V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import type { JobDescription } from "./description.ts";

/** Where the Secret is mounted, and the token of the pod's service account: in the container before the job's, where there are any. */
const SECRETS_FOLDER = "/run/kiln-secrets";
const TOKEN_FOLDER = "/run/kiln-token";
/** In memory, from the one container to the other. What the entrypoint has read there is gone before its script starts. */
const ONCE_FOLDER = "/run/kiln-once";
const ONCE_BYTES = 2 * 1024 * 1024;
const DOCUMENT = "secrets.json";

/** What a pod has so that its secrets reach the entrypoint, and its script none of them but its own. */
export interface SecretHandOver {
  /** Of the job's container. */
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly V1VolumeMount[];
  /** Before the job's container; the same but for this. */
  readonly before: Pick<V1Container, "name" | "args" | "volumeMounts"> | undefined;
  readonly volumes: readonly V1Volume[];
}

/**
 * The hand-over of a job, whose Secret has that name. One without secrets needs none, and mounts the Secret all the same:
 * that is made last, and a pod waits for what it mounts.
 */
export function secretHandOver(description: JobDescription, secretName: string): SecretHandOver {
  const usesToken = hasToken(description);
  const secrets = { name: "secrets", mountPath: SECRETS_FOLDER, readOnly: true };
  const items = [{ key: DOCUMENT, path: DOCUMENT, mode: 0o440 }];
  const volume = { name: "secrets", secret: { secretName, items } };
  if (description.secrets.length === 0 && !usesToken) {
    return { environment: {}, mounts: [secrets], before: undefined, volumes: [volume] };
  }
  const once = { name: "once", mountPath: ONCE_FOLDER };
  const files = [`${SECRETS_FOLDER}/${DOCUMENT}`, ...(usesToken ? [`${TOKEN_FOLDER}/token`] : [])];
  return {
    environment: { KILN_SECRETS: "once", KILN_SECRETS_FILE: `${ONCE_FOLDER}/${DOCUMENT}` },
    mounts: [once],
    before: {
      name: "hand-over",
      args: ["hand-over", ...files, ONCE_FOLDER],
      volumeMounts: [secrets, ...(usesToken ? [{ name: "token", mountPath: TOKEN_FOLDER, readOnly: true }] : []), once],
    },
    volumes: [
      volume,
      { name: "once", emptyDir: { medium: "Memory", sizeLimit: String(ONCE_BYTES) } },
      ...(usesToken ? [tokenVolume(description)] : []),
    ],
  };
}

/** The same description with the place of the pod's token, where its own settings name none. */
export function withToken(description: JobDescription): JobDescription {
  if (!hasToken(description)) return description;
  return { ...description, vault: { jwt_file: `${ONCE_FOLDER}/token`, ...description.vault } };
}

/** Vault checks who the pod is by a token that the cluster made for Vault alone, unless the job says by what other. */
function hasToken({ vault, secrets }: JobDescription): boolean {
  const hasOther = vault?.jwt_file !== undefined || secrets.some(({ name }) => name === "VAULT_JWT");
  return vault?.auth === "kubernetes" && !hasOther;
}

function tokenVolume({ timeouts }: JobDescription): V1Volume {
  const token = { path: "token", audience: "vault", expirationSeconds: Math.max(600, Math.ceil(timeouts.job)) };
  return { name: "token", projected: { sources: [{ serviceAccountToken: token }] } };
}
