import { isMap } from "../../cache/document.ts";
import type { PinnedImage } from "../../registry/image-reference.ts";
import { distinct, type Package } from "./package.ts";
import { hexOf } from "./statement.ts";

/** What a list of packages is of, and what made it. */
export interface SpdxSubject {
  readonly image: PinnedImage;
  /** When the image was made, as its config says: a list of today would be another one tomorrow. */
  readonly created: string | undefined;
  /** The version of kiln. */
  readonly version: string;
}

const IMAGE_ID = "SPDXRef-Image";
const NOT_KNOWN = "NOASSERTION";

/**
 * An SPDX 2.3 document of what is inside an image: the same image gives the same document, but for its repository, which is a
 * name alone. Pure.
 */
export function spdxDocument(subject: SpdxSubject, found: readonly Package[]): Readonly<Record<string, unknown>> {
  const { image, created, version } = subject;
  const packages = distinct(found).map((one, index) => ({ ...one, id: `SPDXRef-Package-${index + 1}` }));
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `${image.repository}@${image.digest}`,
    documentNamespace: spdxNamespace(image, version),
    creationInfo: { created: dateOf(created), creators: [`Tool: kiln-${version}`] },
    packages: [
      {
        SPDXID: IMAGE_ID,
        name: image.repository,
        versionInfo: image.digest,
        downloadLocation: NOT_KNOWN,
        filesAnalyzed: false,
        primaryPackagePurpose: "CONTAINER",
        checksums: [{ algorithm: "SHA256", checksumValue: hexOf(image.digest) }],
      },
      ...packages.map(({ id, name, version: versionInfo, purl, foundIn }) => ({
        SPDXID: id,
        name,
        versionInfo,
        downloadLocation: NOT_KNOWN,
        filesAnalyzed: false,
        sourceInfo: foundIn,
        externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
      })),
    ],
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: IMAGE_ID },
      ...packages.map(({ id }) => ({
        spdxElementId: IMAGE_ID,
        relationshipType: "CONTAINS",
        relatedSpdxElement: id,
      })),
    ],
  };
}

/** The name that the document of an image has to itself: one for each version of kiln. Pure. */
export function spdxNamespace({ digest }: PinnedImage, version: string): string {
  return `https://spdx.org/spdxdocs/kiln-${version}-${hexOf(digest)}`;
}

/** The digest of the image that a document is about; nothing where it is of none, or was made by others. Pure. */
export function listedDigest(document: Readonly<Record<string, unknown>>): string | undefined {
  const { packages } = document;
  const images = Array.isArray(packages) ? packages.filter((one) => isMap(one) && one.SPDXID === IMAGE_ID) : [];
  const [image] = images as readonly Readonly<Record<string, unknown>>[];
  return typeof image?.versionInfo === "string" ? image.versionInfo : undefined;
}

/** A time as SPDX has it: to the second, in UTC. */
function dateOf(created: string | undefined): string {
  const time = Date.parse(created ?? "");
  return `${new Date(Number.isNaN(time) ? 0 : time).toISOString().slice(0, 19)}Z`;
}
