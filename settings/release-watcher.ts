import type { Credentials } from "../runners/namespace/credentials.ts";
import { requireCredentials } from "../runners/namespace/credentials.ts";
import { isCronSchedule } from "../runners/cron-schedule.ts";
import { parsePinnedImage } from "../registry/image-reference.ts";
import { at, namespaceOf } from "./cluster.ts";
import { secretKeyOf, type SecretKeys } from "./credentials.ts";
import { listOf, refusal, requiredText, section, textOf, type Field } from "./field.ts";
import { networkOf, type NetworkSettings } from "./zone-network.ts";
import { requiredObjectName } from "./kubernetes-values.ts";

/** The GitHub App that pushes release tags: its Secret exists, or its key stands encrypted in the stack's file. */
export type WatcherCredentials = Extract<Credentials, { kind: "existing" | "app" }>;

/** The watcher for upstream releases, on a stack's cluster. */
export interface ReleaseWatcherSettings {
  readonly namespace: string;
  /** By digest: kiln with its packages (images/release-watcher). */
  readonly image: string;
  readonly imagePullSecrets: readonly string[];
  /** A cron expression of five fields. */
  readonly schedule: string;
  /** `owner/name` on GitHub: where tags are pushed. */
  readonly repository: string;
  readonly credentials: WatcherCredentials;
  /** What it may connect to beside DNS and port 443 of the internet. */
  readonly network: NetworkSettings;
}

const KEYS = ["namespace", "image", "imagePullSecrets", "schedule", "repository", "network", "app", "secret"] as const;
const APP = ["id", "installationId", "privateKeyConfig"] as const;

/** Every hour, at a minute that is not everybody's. */
const SCHEDULE = "37 * * * *";

/** The watcher of a stack. Throws a usage error that names the key. */
export function releaseWatcherOf(field: Field, secrets: SecretKeys): ReleaseWatcherSettings {
  const watcher = section({ ...field, confidential: true }, KEYS);
  const open = (name: (typeof KEYS)[number]): Field => ({ ...watcher(name), confidential: false });
  return Object.freeze({
    namespace: namespaceOf(open("namespace"), "kiln-release-watcher"),
    image: imageOf(open("image")),
    imagePullSecrets: listOf(open("imagePullSecrets"), (item) => requiredObjectName(item, "Name a Secret")),
    schedule: scheduleOf(open("schedule")),
    repository: repositoryOf(open("repository")),
    network: networkOf(open("network")),
    credentials: Object.freeze(credentialsOf(watcher, secrets)),
  });
}

function imageOf(field: Field): string {
  const mend = "Build images/release-watcher, push it, and write repository@sha256:…: it holds a key that releases";
  const image = requiredText(field, mend);
  if (parsePinnedImage(image) !== undefined) return image;
  throw refusal(field, `is ${JSON.stringify(image)}, but the watcher runs an image by digest`, { mend });
}

function scheduleOf(field: Field): string {
  const schedule = textOf(field) ?? SCHEDULE;
  if (isCronSchedule(schedule)) return schedule;
  throw refusal(field, `is ${JSON.stringify(schedule)}, which is no schedule`, {
    mend: `Write a cron expression such as ${SCHEDULE}`,
  });
}

function repositoryOf(field: Field): string {
  const repository = requiredText(field, "Set it to owner/name of the repository on GitHub that gets the tags");
  if (/^[\w.-]+\/[\w.-]+$/.test(repository)) return repository;
  throw refusal(field, `is ${JSON.stringify(repository)}, which is no repository`, { mend: "Write owner/name" });
}

function credentialsOf(watcher: (name: (typeof KEYS)[number]) => Field, secrets: SecretKeys): WatcherCredentials {
  const [own, secret] = [watcher("app"), watcher("secret")];
  if ((own.value === undefined) === (secret.value === undefined)) {
    throw refusal(own, own.value === undefined ? "is not set" : "is set beside secret, and only one of them counts", {
      mend:
        "Set app: {id, installationId, privateKeyConfig} to the GitHub App that pushes release tags, or secret: <name> to a " +
        "Secret of the namespace with github_app_id, github_app_installation_id and github_app_private_key",
    });
  }
  if (secret.value !== undefined)
    return { kind: "existing", secretName: requiredObjectName(secret, "Name the Secret") };
  const app = section(own, APP);
  const credentials: WatcherCredentials = {
    kind: "app",
    appId: idOf(app("id"), "Set it to the App's id or client id"),
    installationId: idOf(app("installationId"), "Set it to the digits at the end of the installation's address"),
    privateKeyConfig: secretKeyOf(app("privateKeyConfig"), secrets, "the key of the App's private key"),
  };
  requireCredentials(credentials, undefined, at(own).replace(/\.app$/, ""));
  return credentials;
}

/** Ids are digits, which YAML reads as a number. */
function idOf(field: Field, mend: string): string {
  return typeof field.value === "number" ? String(field.value) : requiredText(field, mend);
}
