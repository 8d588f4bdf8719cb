import { KilnError } from "../../errors.ts";

/** A bucket that holds the state of several stacks, taken from its Pulumi backend URL. */
export type StateAddress =
  | { readonly kind: "s3"; readonly bucket: string; readonly prefix: string; readonly region: string | undefined }
  | { readonly kind: "gs"; readonly bucket: string; readonly prefix: string }
  | { readonly kind: "azblob"; readonly container: string; readonly prefix: string; readonly account: string };

/** Who keeps the key of a stack's secrets, taken from its Pulumi secrets provider. */
export type SecretsAddress =
  | { readonly kind: "awskms"; readonly url: string; readonly key: string; readonly region: string }
  | {
      readonly kind: "gcpkms";
      readonly url: string;
      readonly project: string;
      readonly location: string;
      readonly keyRing: string;
      readonly key: string;
    }
  | { readonly kind: "azurekeyvault"; readonly url: string; readonly vault: string; readonly key: string }
  | { readonly kind: "passphrase" };

const FORMS = {
  s3: "s3://<bucket>[/<prefix>]?region=<region>",
  gs: "gs://<bucket>[/<prefix>]",
  azblob: "azblob://<container>[/<prefix>]?storage_account=<account>",
  awskms: "awskms://alias/<name>?region=<region>",
  gcpkms: "gcpkms://projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>",
  azurekeyvault: "azurekeyvault://<vault>.vault.azure.net/keys/<key>",
} as const;

const NAME = {
  bucket: /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/,
  prefix: /^(?:[\w.-]+(?:\/[\w.-]+)*)?$/,
  region: /^[a-z]{2}(?:-[a-z]+)+-\d+$/,
  container: /^[a-z0-9](?:-?[a-z0-9]){2,62}$/,
  account: /^[a-z0-9]{3,24}$/,
  awsKey: /^(?:alias\/[\w/-]+|[0-9a-f-]{36}|mrk-[0-9a-f]{32}|arn:aws[\w-]*:kms:[\w-]+:\d{12}:(?:key|alias)\/[\w/-]+)$/,
  gcpKey: /^projects\/([\w:.-]+)\/locations\/([\w-]+)\/keyRings\/([\w-]+)\/cryptoKeys\/([\w-]+)$/,
  vault: /^([A-Za-z][\w-]{1,22}[A-Za-z0-9])\.vault\.azure\.net$/,
  vaultKey: /^keys\/([A-Za-z0-9-]{1,127})$/,
} as const;

/** Takes a backend URL apart. Throws a usage error for what is no bucket of the three clouds, the file backend included. */
export function parseStateAddress(text: string): StateAddress {
  const url = parsed(text);
  if (url?.protocol === "file:") {
    throw new KilnError("usage", `${text} is a file backend, which is for one machine`, {
      mend: `Its locks and versions do not reach another one. Name a bucket: ${forms("s3", "gs", "azblob")}.`,
    });
  }
  if (url?.protocol === "http:" || url?.protocol === "https:") {
    throw new KilnError("usage", `${text} is a Pulumi service, which keeps versions, locks and keys by itself`, {
      mend: "There is nothing to set up: `pulumi login` is enough.",
    });
  }
  if (url?.searchParams.has("endpoint")) {
    throw new KilnError("usage", `${text} is not Amazon S3: kiln does not know how its bucket is protected`, {
      mend: "Set that bucket up by its own means, with versioning; then `pulumi login` with this URL.",
    });
  }
  const address = url === undefined ? undefined : stateAddressOf(url);
  if (address !== undefined) return address;
  throw new KilnError("usage", `"${text}" is not the URL of a shared backend`, {
    mend: `Write ${forms("s3", "gs", "azblob")}.`,
  });
}

function stateAddressOf(url: URL): StateAddress | undefined {
  const prefix = trimmed(url.pathname);
  const bucket = url.host;
  if (!NAME.prefix.test(prefix)) return undefined;
  if (url.protocol === "gs:" && NAME.bucket.test(bucket)) return { kind: "gs", bucket, prefix };
  const region = url.searchParams.get("region") ?? undefined;
  if (url.protocol === "s3:" && NAME.bucket.test(bucket) && (region === undefined || NAME.region.test(region))) {
    return { kind: "s3", bucket, prefix, region };
  }
  const account = url.searchParams.get("storage_account") ?? "";
  if (url.protocol === "azblob:" && NAME.container.test(bucket) && NAME.account.test(account)) {
    return { kind: "azblob", container: bucket, prefix, account };
  }
  return undefined;
}

/** Takes a secrets provider apart. Throws a usage error for one that kiln cannot set up. */
export function parseSecretsAddress(text: string): SecretsAddress {
  if (text === "passphrase") return { kind: "passphrase" };
  const url = parsed(text);
  const whole = url === undefined ? "" : trimmed(`${url.host}${url.pathname}`);
  if (url?.protocol === "awskms:") {
    const region = url.searchParams.get("region") ?? (whole.startsWith("arn:") ? (whole.split(":")[3] ?? "") : "");
    if (NAME.awsKey.test(whole) && NAME.region.test(region)) return { kind: "awskms", url: text, key: whole, region };
  }
  const [, project, location, keyRing, key] = NAME.gcpKey.exec(whole) ?? [];
  if (url?.protocol === "gcpkms:" && project !== undefined && location !== undefined && keyRing !== undefined) {
    return { kind: "gcpkms", url: text, project, location, keyRing, key: key ?? "" };
  }
  if (url?.protocol === "azurekeyvault:") {
    const vault = NAME.vault.exec(url.host)?.[1];
    const name = NAME.vaultKey.exec(trimmed(url.pathname))?.[1];
    if (vault !== undefined && name !== undefined) return { kind: "azurekeyvault", url: text, vault, key: name };
  }
  throw new KilnError("usage", `"${text}" is not a secrets provider that kiln can set up`, {
    mend: `Write passphrase, ${forms("awskms", "gcpkms", "azurekeyvault")}.`,
  });
}

function parsed(text: string): URL | undefined {
  return /['"\s$`\\]/.test(text) || !URL.canParse(text) ? undefined : new URL(text);
}

function trimmed(path: string): string {
  return path.replace(/^\/+|\/+$/g, "");
}

function forms(...names: readonly (keyof typeof FORMS)[]): string {
  return names.map((name) => FORMS[name]).join(", or ");
}
