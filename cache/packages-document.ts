import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import { attachDocument } from "../registry/attach-document.ts";
import { readBlobText, readImageManifest, readReferrers, type RegistryClient } from "../registry/client.ts";
import { formatReference, type ImageReference } from "../registry/image-reference.ts";
import { concurrently } from "./concurrently.ts";
import { contractFault, type BuildContract } from "./contract.ts";
import { isMap, isTextMap } from "./document.ts";
import { sorted, uniteInputs, type BuildInputs } from "./explain/build-inputs.ts";
import { partition } from "./layers.ts";
import type { CacheManifest } from "./manifest.ts";

const ARTIFACT_TYPE = "application/vnd.kiln.packages.v1+json";

/** No document is larger: 100 bytes a package. */
const DOCUMENT_BYTES = 32_000_000;

/** Which packages a warm image has compiled, and from what: attached to it, so that a price is told without pulling a layer. */
export interface PackagesDocument {
  readonly version: 1;
  readonly contract: BuildContract;
  /** By layer, the bytes of each package's archive, by its key in the build graph. */
  readonly layers: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Bytes of each layer as it travels, where it was pushed. */
  readonly sizes: Readonly<Record<string, number>>;
  /** By directory, a digest of what each of the repository's own packages was compiled from. */
  readonly local: Readonly<Record<string, string>>;
}

/** What a cache directory's image has compiled. `sizes` are those of its pushed layers. */
export async function packagesDocument(
  cache: string,
  manifest: CacheManifest,
  sizes: Readonly<Record<string, number>> = {},
): Promise<PackagesDocument> {
  const layers: Record<string, Readonly<Record<string, number>>> = {};
  for (const { name, goBuild } of partition(manifest, "cache")) {
    const packages: Record<string, number> = {};
    await concurrently(goBuild, async (entry) => {
      const key = manifest.objects[entry];
      if (key !== undefined) packages[key] = (await stat(path.join(cache, "go-build", entry))).size;
    });
    layers[name] = sorted(packages);
  }
  const local = localDigests(Object.values(manifest.inputs ?? {}));
  return { version: 1, contract: manifest.contract, layers, sizes: sorted(sizes), local };
}

/**
 * By directory, a digest of all that decides the compilation of each of the repository's own packages besides its imports: its
 * files, and the language and `godebug` lines of the go.mod and go.work files of the programs that have it.
 */
export function localDigests(inputs: readonly BuildInputs[]): Readonly<Record<string, string>> {
  const { programs, goFiles, packages } = uniteInputs(inputs);
  const governing = new Map<string, Set<string>>();
  for (const program of Object.values(programs)) {
    for (const directory of program.packages) {
      const files = governing.get(directory) ?? new Set();
      for (const file of program.goFiles) files.add(file);
      governing.set(directory, files);
    }
  }
  return Object.fromEntries(
    Object.entries(packages).map(([directory, files]) => {
      const settings = [...(governing.get(directory) ?? [])].sort().map((file) => [file, goFiles[file]]);
      return [
        directory,
        createHash("sha256")
          .update(JSON.stringify([files, settings]))
          .digest("hex"),
      ];
    }),
  );
}

/** Attaches a document to an image as a referrer. The same content gives the same one. Returns its digest. */
export async function pushPackages(
  client: RegistryClient,
  image: ImageReference & { readonly digest: string },
  document: PackagesDocument,
): Promise<string> {
  return attachDocument(client, image, ARTIFACT_TYPE, JSON.stringify(document));
}

/** Reads what an image says of its packages: some hundred kilobytes. Throws where none is attached that this kiln reads. */
export async function readPackages(
  client: RegistryClient,
  image: ImageReference & { readonly digest: string },
): Promise<PackagesDocument> {
  const { repository } = image;
  for (const digest of await readReferrers(client, image, ARTIFACT_TYPE)) {
    const [blob] = (await readImageManifest(client, { repository, digest })).layers;
    if (blob === undefined || blob.size > DOCUMENT_BYTES) continue;
    const document = parsedDocument(await readBlobText(client, repository, blob.digest));
    if (document !== undefined) return document;
  }
  throw new KilnError("usage", `${formatReference(image)} does not say what it has compiled`, {
    mend: "Name an image that this kiln baked and pushed, or the cache directory that it was made of.",
  });
}

/** The document in a text, or nothing where it is none. */
export function parsedDocument(text: string): PackagesDocument | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isMap(found) || found.version !== 1 || contractFault(found.contract) !== undefined) return undefined;
  const { layers, sizes, local } = found;
  if (!isMap(layers) || !Object.values(layers).every(isBytes) || !isBytes(sizes) || !isTextMap(local)) return undefined;
  return found as unknown as PackagesDocument;
}

function isBytes(value: unknown): boolean {
  return isMap(value) && Object.values(value).every((bytes) => typeof bytes === "number" && bytes >= 0);
}
