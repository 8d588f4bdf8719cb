import { isMap } from "../../cache/document.ts";
import { KilnError } from "../../errors.ts";
import { attachDocument } from "../../registry/attach-document.ts";
import { readBlobText, readReferrers, type RegistryClient } from "../../registry/client.ts";
import { formatReference, type PinnedImage } from "../../registry/image-reference.ts";
import { readDescriptor, readStoredManifest } from "../../registry/stored-manifest.ts";
import { parseStatement, type Statement } from "./statement.ts";

/** A signed statement with all that its verification needs, as cosign attaches it to an image (Sigstore bundle 0.3). */
export const BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";

const STATEMENT_TYPE = "application/vnd.in-toto+json";

/** No bundle is larger: thousands of packages are a few megabytes. */
const BUNDLE_BYTES = 64_000_000;

/** One bundle that is attached to an image, and what it says without anybody having verified it. */
export interface AttachedBundle {
  /** Of the referrer. */
  readonly digest: string;
  readonly text: string;
  readonly statement: Statement;
}

/** The bundles that are attached to an image, and those of them that are none, with the reason. */
export interface AttachedBundles {
  readonly bundles: readonly AttachedBundle[];
  readonly faults: readonly string[];
}

/** Reads all bundles that are attached to an image or an index, by the referrers API or by the fallback tag. */
export async function readBundles(client: RegistryClient, image: PinnedImage): Promise<AttachedBundles> {
  const { repository } = image;
  const bundles: AttachedBundle[] = [];
  const faults: string[] = [];
  for (const digest of await readReferrers(client, image, BUNDLE_TYPE)) {
    const stored = await readStoredManifest(client, { repository, digest });
    if (stored === undefined) {
      // A listing under the fallback tag may name what went, or has not come yet: another bundle may stand.
      faults.push(`lists ${digest}, a bundle that is not there`);
      continue;
    }
    const [blob, ...more] = stored.layers;
    const size = stored.blobs.find((one) => one.digest === blob)?.size ?? 0;
    if (blob === undefined || more.length > 0 || size > BUNDLE_BYTES) {
      faults.push(`carries ${digest}, a bundle with ${blob === undefined ? "no content" : "too much content"}`);
      continue;
    }
    const text = await readBlobText(client, repository, blob);
    const statement = statementIn(text);
    if (statement === undefined) faults.push(`carries ${digest}, a bundle without a signed statement`);
    else bundles.push({ digest, text, statement });
  }
  return { bundles, faults };
}

/** Attaches a bundle to an image or an index, with the annotations by which cosign finds it. Returns the referrer's digest. */
export async function attachBundle(
  client: RegistryClient,
  image: PinnedImage,
  text: string,
  predicateType: string,
): Promise<string> {
  const subject = await readDescriptor(client, image);
  if (subject === undefined) {
    throw new KilnError("difference", `there is no ${formatReference(image)}`, {
      mend: "Push it before it is sealed.",
    });
  }
  const annotations = {
    "dev.sigstore.bundle.content": "dsse-envelope",
    "dev.sigstore.bundle.predicateType": predicateType,
  };
  return attachDocument(client, image, BUNDLE_TYPE, text, { subject, annotations });
}

/** The statement inside a bundle, unverified; nothing where there is none. */
export function statementIn(bundle: string): Statement | undefined {
  let found: unknown;
  try {
    found = JSON.parse(bundle);
  } catch {
    return undefined;
  }
  const envelope = isMap(found) ? found.dsseEnvelope : undefined;
  if (!isMap(envelope) || envelope.payloadType !== STATEMENT_TYPE || typeof envelope.payload !== "string") {
    return undefined;
  }
  return parseStatement(Buffer.from(envelope.payload, "base64").toString("utf8"));
}
