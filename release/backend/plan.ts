import { KilnError } from "../../errors.ts";
import { stackFile } from "../../settings.ts";
import { parseSecretsAddress, parseStateAddress } from "./address.ts";
import { awsKmsSteps, s3Steps } from "./aws.ts";
import { azblobSteps, azureGroupSteps, keyVaultSteps, type AzurePlace } from "./azure.ts";
import { gcpKmsSteps, gcsSteps } from "./gcp.ts";
import type { Check, Step } from "./step.ts";

/** What a shared backend shall be. */
export interface BackendRequest {
  /** Pulumi's URL of the bucket. */
  readonly url: string;
  /** A secrets provider's URL, or `passphrase`. */
  readonly secrets: string;
  readonly stacks: readonly string[];
  /** Google's project and location, or Azure's location and resource group, of what is to be created. */
  readonly project?: string | undefined;
  readonly location?: string | undefined;
  readonly resourceGroup?: string | undefined;
}

/**
 * Everything that makes a shared backend, in order: the bucket, who keeps the secrets' key, the login, the stacks. Pure.
 * No argument of any command holds a secret. Throws a usage error for addresses that are wrong or lack a place.
 */
export function backendPlan(request: BackendRequest): readonly Step[] {
  const [state, secrets] = [parseStateAddress(request.url), parseSecretsAddress(request.secrets)];
  const azure = state.kind === "azblob" || secrets.kind === "azurekeyvault" ? azurePlace(request) : undefined;
  const stackSteps = request.stacks.flatMap((stack) =>
    secrets.kind === "passphrase" ? passphraseSteps(stack) : keyedSteps(stack, secrets.url),
  );
  return [
    ...(azure === undefined ? [] : azureGroupSteps(azure)),
    ...(state.kind === "s3" ? s3Steps(state.bucket, regionOf(state.region)) : []),
    ...(state.kind === "gs" ? gcsSteps(state, gcpPlace(request)) : []),
    ...(state.kind === "azblob" && azure ? azblobSteps(state, azure) : []),
    ...(secrets.kind === "awskms" ? awsKmsSteps(secrets) : []),
    ...(secrets.kind === "gcpkms" ? gcpKmsSteps(secrets) : []),
    ...(secrets.kind === "azurekeyvault" && azure ? keyVaultSteps(secrets, azure) : []),
    { title: "log in", run: [{ argv: ["pulumi", "login", request.url] }] },
    ...stackSteps,
  ];
}

function regionOf(region: string | undefined): string {
  if (region !== undefined) return region;
  throw new KilnError("usage", "the URL of the bucket names no region", {
    mend: "Write s3://<bucket>?region=<region>: on every machine Pulumi then finds the bucket by the URL alone.",
  });
}

function gcpPlace({ project, location }: BackendRequest): { readonly project: string; readonly location: string } {
  return { project: placed(project, "project", "gs://"), location: placed(location, "location", "gs://") };
}

function azurePlace({ resourceGroup, location }: BackendRequest): AzurePlace {
  return {
    resourceGroup: placed(resourceGroup, "resource-group", "Azure"),
    location: placed(location, "location", "Azure"),
  };
}

function placed(value: string | undefined, option: string, what: string): string {
  if (value !== undefined && /^[\w.:()-]+$/.test(value)) return value;
  throw new KilnError("usage", `${what} needs --${option}: a bucket is created somewhere`, { mend: "See --help." });
}

const pulumi = (...args: readonly string[]) => ({ argv: ["pulumi", ...args] as const });

/** Whether the backend has the stack. */
const known = (stack: string): Check => ({
  ...pulumi("stack", "--stack", stack, "--show-name", "--non-interactive"),
  absent: "no stack named",
});

/** grep ends with 1 where no line matches, and with 2 where it could not look. */
const GREPPED_NONE = "^exit 1$";

/** A stack whose key a cloud keeps. The committed salt goes by itself: Pulumi takes it out for such a provider. */
function keyedSteps(stack: string, url: string): readonly Step[] {
  return [
    {
      title: `stack ${stack}`,
      check: known(stack),
      run: [pulumi("stack", "init", stack, "--no-select", "--non-interactive", "--secrets-provider", url)],
    },
    {
      title: `the secrets of ${stack} are kept by that key`,
      check: { argv: ["grep", "-qxF", `secretsprovider: ${url}`, stackFile(stack)], absent: GREPPED_NONE },
      run: [pulumi("stack", "change-secrets-provider", url, "--stack", stack, "--non-interactive")],
    },
  ];
}

/**
 * A stack whose key comes from PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE. The committed salt belongs to
 * the empty passphrase, so a new stack gets its own, unless the file holds secrets that the salt belongs to.
 */
function passphraseSteps(stack: string): readonly Step[] {
  const file = stackFile(stack);
  const salt = `grep -Eq 'secure"? *:' ${file} || perl -ni -e 'print unless /^encryptionsalt:/' ${file}`;
  const init = ["stack", "init", stack, "--no-select", "--non-interactive", "--secrets-provider", "passphrase"];
  return [
    {
      title: `stack ${stack}, by a passphrase`,
      check: known(stack),
      run: [{ argv: ["sh", "-c", salt] }, pulumi(...init)],
    },
    {
      title: `the secrets of ${stack} are kept by a passphrase`,
      check: { argv: ["grep", "-q", "^encryptionsalt:", file], absent: GREPPED_NONE },
      run: [],
      byHand: `Run \`pulumi stack change-secrets-provider passphrase --stack ${stack}\` in a terminal: it asks for the new passphrase.`,
    },
  ];
}
