import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { readBlobFile, type Descriptor, type RegistryClient } from "../../registry/client.ts";
import type { Image } from "../../registry/compose.ts";
import { run } from "../../toolchain/process.ts";
import { readLayerPackages, type LayerPackages } from "./layer-packages.ts";
import {
  binaryPackages,
  debianPackages,
  distinct,
  goModule,
  goStandardLibrary,
  parseOsRelease,
  type Package,
} from "./package.ts";

export interface ImageContent {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly image: Image;
  /** The `go` program: it tells of which modules a binary is made. */
  readonly go: () => Promise<string>;
  /** Where layers stand while they are read. */
  readonly work: string;
  readonly progress: Progress;
}

/**
 * The packages inside an image: what dpkg says is installed, Go, the modules in the Go module cache, those that programs
 * were built from, and what npm, Python and language runners say of themselves. Each layer is fetched once, compared with its digest, and read as a stream; one at a time stands on the disk.
 */
export async function readImagePackages(content: ImageContent): Promise<readonly Package[]> {
  const { image, work, progress } = content;
  await mkdir(work, { recursive: true });
  const scratch = await mkdtemp(path.join(work, "sbom-"));
  const { layers } = image.manifest;
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  const found: LayerPackages[] = [];
  const binaries: Package[] = [];
  let done = 0;
  try {
    for (const [index, layer] of layers.entries()) {
      progress.update(`reading layer ${index + 1} of ${layers.length}`, done, total);
      const folder = path.join(scratch, `programs-${index}`);
      const packages = await readLayer(content, layer, path.join(scratch, "layer"), folder);
      binaries.push(...(await readBinaries(content, folder, packages)));
      found.push(packages);
      done += layer.size;
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return distinct([...packagesOfLayers(found), ...binaries]);
}

/** What the layers of an image, lowest first, come to: the list of the highest that has one stands. Pure. */
export function packagesOfLayers(layers: readonly LayerPackages[]): readonly Package[] {
  const { dpkgStatus, osRelease = "" } = highest(layers);
  const goVersions = layers.flatMap(({ goVersion }) => goVersion ?? []).slice(-1);
  return [
    ...(dpkgStatus === undefined ? [] : debianPackages(dpkgStatus, parseOsRelease(osRelease))),
    ...goVersions.map((version) => goStandardLibrary(version, "usr/local/go/VERSION")),
    ...layers.flatMap(({ modules }) => modules.map((module) => goModule(module, "var/cache/go-mod"))),
    ...layers.flatMap(({ installed }) => installed),
  ];
}

function highest(layers: readonly LayerPackages[]): Partial<LayerPackages> {
  return layers.reduce<Partial<LayerPackages>>((below, layer) => ({ ...below, ...layer }), {});
}

async function readLayer(
  { client, repository }: ImageContent,
  { digest, mediaType }: Descriptor,
  file: string,
  folder: string,
): Promise<LayerPackages> {
  try {
    await readBlobFile(client, repository, digest, file);
    const hash = createHash("sha256");
    await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
    const sent = `sha256:${hash.digest("hex")}`;
    if (sent !== digest) {
      throw new KilnError("difference", `${repository} gave ${sent} for the layer ${digest}`, {
        mend: "Run the command again; if it stays so, the registry gives out something else than was pushed.",
      });
    }
    return await readLayerPackages(file, mediaType, folder);
  } finally {
    await rm(file, { force: true });
  }
}

/** What Go says of the programs of a layer. What is no program of Go's, it passes over. */
async function readBinaries({ go }: ImageContent, folder: string, { programs }: LayerPackages) {
  if (Object.keys(programs).length === 0) return [];
  const { stdout } = await run(await go(), ["version", "-m", folder], {
    env: { ...process.env, GOTOOLCHAIN: "local" },
  });
  await rm(folder, { recursive: true, force: true });
  return binaryPackages(stdout, (file) => programs[path.basename(file)] ?? "");
}
