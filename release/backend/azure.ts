import type { SecretsAddress, StateAddress } from "./address.ts";
import { OLD_VERSION_DAYS } from "./retention.ts";
import type { Check, Step } from "./step.ts";

/** Where Azure has what is made. */
export interface AzurePlace {
  readonly resourceGroup: string;
  readonly location: string;
}

const POLICY = {
  rules: [
    {
      enabled: true,
      name: "kiln-old-versions",
      type: "Lifecycle",
      definition: {
        actions: { version: { delete: { daysAfterCreationGreaterThan: OLD_VERSION_DAYS } } },
        filters: { blobTypes: ["blockBlob"] },
      },
    },
  ],
};

const az = (...args: readonly string[]) => ({ argv: ["az", ...args] as const });

/** A look for something: `show` ends with 3 where it is not there, and names an error such as ResourceNotFound. */
const show = (...args: readonly string[]): Check => ({
  ...az(...args),
  absent: "[A-Za-z]NotFound|not found within subscription|^exit 3$",
});

/** The resource group that holds all the rest. */
export function azureGroupSteps({ resourceGroup, location }: AzurePlace): readonly Step[] {
  return [
    {
      title: `resource group ${resourceGroup}`,
      check: show("group", "show", "--name", resourceGroup),
      run: [az("group", "create", "--name", resourceGroup, "--location", location)],
    },
  ];
}

/** A storage account and container for state. Azure encrypts every account; a management policy that is there stays. */
export function azblobSteps(
  { account, container }: StateAddress & { kind: "azblob" },
  { resourceGroup, location }: AzurePlace,
): readonly Step[] {
  const inGroup = ["--resource-group", resourceGroup];
  const named = ["--name", account, ...inGroup];
  const inAccount = ["--account-name", account, ...inGroup];
  const guarded = ["--https-only", "true", "--min-tls-version", "TLS1_2", "--allow-blob-public-access", "false"];
  const kept = ["--enable-versioning", "true", "--enable-delete-retention", "true", "--delete-retention-days", "30"];
  // The management plane (container-rm) needs no data role, which whoever creates an account does not have yet.
  const box = ["--name", container, "--storage-account", account, ...inGroup];
  const policy = ["storage", "account", "management-policy"];
  return [
    {
      title: `storage account ${account}, encrypted at rest as every account of Azure's`,
      check: show("storage", "account", "show", ...named),
      run: [az("storage", "account", "create", ...named, "--location", location, "--sku", "Standard_ZRS", ...guarded)],
    },
    { title: "nothing in it is public", run: [az("storage", "account", "update", ...named, ...guarded)] },
    {
      title: "every version of a state is kept",
      run: [az("storage", "account", "blob-service-properties", "update", ...inAccount, ...kept)],
    },
    {
      title: `old versions go after ${OLD_VERSION_DAYS} days`,
      check: show(...policy, "show", ...inAccount),
      run: [az(...policy, "create", ...inAccount, "--policy", JSON.stringify(POLICY))],
    },
    {
      title: `container ${container}`,
      check: show("storage", "container-rm", "show", ...box),
      run: [az("storage", "container-rm", "create", ...box, "--public-access", "off")],
    },
  ];
}

/**
 * A vault that nobody can purge, and a key in it. The key is not rotated by itself: Pulumi asks for its newest version,
 * which cannot decrypt what an older one encrypted. `pulumi stack change-secrets-provider` before a new version is made.
 */
export function keyVaultSteps(
  { vault, key }: SecretsAddress & { kind: "azurekeyvault" },
  { resourceGroup, location }: AzurePlace,
): readonly Step[] {
  const place = ["--resource-group", resourceGroup, "--location", location];
  const named = ["--vault-name", vault, "--name", key];
  return [
    {
      title: `key vault ${vault}`,
      check: show("keyvault", "show", "--name", vault),
      run: [az("keyvault", "create", "--name", vault, ...place, "--enable-purge-protection", "true")],
    },
    {
      title: `key ${key}, not rotated by itself: Pulumi could not decrypt with a newer version`,
      check: show("keyvault", "key", "show", ...named),
      run: [az("keyvault", "key", "create", ...named, "--kty", "RSA", "--size", "3072")],
    },
  ];
}
