import { parsedMap } from "../../cache/document.ts";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { attachDocument } from "../../registry/attach-document.ts";
import { readBlobText, readReferrers, type RegistryClient } from "../../registry/client.ts";
import { readImage, type Image } from "../../registry/compose.ts";
import { formatReference, type PinnedImage } from "../../registry/image-reference.ts";
import { readDescriptor, readStoredManifest } from "../../registry/stored-manifest.ts";
import { readBundles } from "./bundle.ts";
import { packagesIn, type Package } from "./package.ts";
import { listedDigest, spdxDocument, spdxNamespace } from "./spdx.ts";
import { isAbout, partOf } from "./statement.ts";

/** The type of a list of packages that stands beside an image by itself: SPDX as JSON, under the name that other tools look for. */
export const PACKAGE_LIST = "application/spdx+json";

/** No list is larger: thousands of packages are a few megabytes. */
const LIST_BYTES = 64_000_000;

/** A list of packages that is attached to an image. */
export interface PackageList {
  /** Of the referrer. */
  readonly digest: string;
  /** The SPDX document. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly packages: readonly Package[];
  /** Whether it is a part of a seal, whose signature `kiln release verify` verifies. */
  readonly isSealed: boolean;
}

export interface ListOptions {
  readonly client: RegistryClient;
  /** Of kiln, which makes the list. */
  readonly version: string;
  /** Reads what is inside an image, layer by layer. */
  readonly readPackages: (repository: string, image: Image) => Promise<readonly Package[]>;
  readonly progress: Progress;
}

/**
 * Attaches the list of an image's packages (SBOM) to the image by its digest, and returns the referrer's digest. The list that this
 * version of kiln made already stays, and no layer is read again.
 */
export async function attachPackageList(options: ListOptions, image: PinnedImage): Promise<string> {
  const { client, version, readPackages, progress } = options;
  const namespace = spdxNamespace(image, version);
  const standing = (await readPlainLists(client, image)).find(({ document }) => isNamed(document, namespace));
  if (standing !== undefined) return standing.digest;
  progress.step(`listing the packages of ${formatReference(image)}`);
  const content = await readImage(client, image);
  const packages = await readPackages(image.repository, content);
  if (packages.length === 0) {
    throw new KilnError("failed", `${formatReference(image)} has no package that kiln can name`, {
      mend: "Nothing was attached. Build it on a distribution that says what it has installed.",
    });
  }
  const document = spdxDocument({ image, created: content.config.created, version }, packages);
  const subject = await readDescriptor(client, image);
  const text = `${JSON.stringify(document)}\n`;
  const more = subject === undefined ? {} : { subject };
  const digest = await attachDocument(client, image, PACKAGE_LIST, text, more);
  if ((await readPlainLists(client, image)).some((list) => list.digest === digest)) return digest;
  throw new KilnError("difference", `${formatReference(image)} does not give back its list of packages, ${digest}`, {
    mend: "Run the command again; if it stays so, the registry changes or hides what is attached.",
  });
}

/** The lists of packages that are attached to an image, those of its seal first. Nobody has verified one here. */
export async function readPackageLists(client: RegistryClient, image: PinnedImage): Promise<readonly PackageList[]> {
  const { bundles } = await readBundles(client, image);
  const sealed = bundles.flatMap(({ digest, statement }): readonly PackageList[] => {
    const { predicate: document } = statement;
    const packages = packagesIn(document);
    const isList = partOf(statement) === "sbom" && isAbout(statement, image.digest) && packages !== undefined;
    return isList ? [{ digest, document, packages, isSealed: true }] : [];
  });
  return [...sealed, ...(await readPlainLists(client, image))];
}

/** Those without a signature. What is about another image, or no list, is passed over: whoever may push can attach what they like. */
async function readPlainLists(client: RegistryClient, image: PinnedImage): Promise<readonly PackageList[]> {
  const { repository } = image;
  const lists: PackageList[] = [];
  for (const digest of await readReferrers(client, image, PACKAGE_LIST)) {
    const stored = await readStoredManifest(client, { repository, digest });
    const [blob, ...more] = stored?.layers ?? [];
    const size = stored?.blobs.find((one) => one.digest === blob)?.size ?? 0;
    if (blob === undefined || more.length > 0 || size > LIST_BYTES) continue;
    const document = parsedMap(await readBlobText(client, repository, blob));
    const packages = packagesIn(document);
    if (packages === undefined || listedDigest(document) !== image.digest) continue;
    lists.push({ digest, document, packages, isSealed: false });
  }
  return lists;
}

function isNamed(document: Readonly<Record<string, unknown>>, namespace: string): boolean {
  return document.documentNamespace === namespace;
}
