import { beforeEach, describe, expect, it, vi } from "vitest";
import { silent } from "../../../../progress.ts";
import type { ImageManifest } from "../../../../registry/client.ts";
import { attachPackageList, PACKAGE_LIST, readPackageLists } from "../../../../release/supply/package-list.ts";
import { goModule, type Package } from "../../../../release/supply/package.ts";
import { memory, useMemory } from "../../../support/memory-client.ts";
import { MemoryNotary } from "../../../support/memory-notary.ts";
import { MemoryRegistry } from "../../../support/memory-registry.ts";
import { sealInMemory } from "../../../support/sealed-image.ts";
import { putWarmImage } from "../../../support/warm-image.ts";

vi.mock("../../../../registry/client.ts", async (original) =>
  (await import("../../../support/memory-client.ts")).clientInMemory(original),
);

const REPOSITORY = "localhost:5181/kiln/runner-pulumi-golang";
const TOOL = goModule("github.com/acme/tool@v1.2.3", "usr/local/bin/tool");

let registry: MemoryRegistry;
let image: { readonly repository: string; readonly digest: string };
const readPackages = vi.fn<() => Promise<readonly Package[]>>();

beforeEach(() => {
  registry = new MemoryRegistry();
  useMemory(registry);
  image = { repository: REPOSITORY, digest: putWarmImage(registry, REPOSITORY) };
  readPackages.mockReset().mockResolvedValue([TOOL]);
});

const attach = (version = "0.1.0") =>
  attachPackageList({ client: registry.client, version, readPackages, progress: silent }, image);
const lists = () => readPackageLists(registry.client, image);
const manifestOf = (digest: string) =>
  JSON.parse(registry.repository(REPOSITORY).manifests.get(digest) ?? "") as ImageManifest;

/** Attaches a text as a list of packages, as whoever may push to the repository can. */
function putList(text: string): void {
  const layers = [{ ...registry.putBlob(REPOSITORY, text), mediaType: PACKAGE_LIST }];
  const subject = { mediaType: "m", digest: image.digest, size: 1 };
  const config = registry.putBlob(REPOSITORY, "{}");
  registry.putManifest(REPOSITORY, { schemaVersion: 2, artifactType: PACKAGE_LIST, config, layers, subject });
}

describe("a list of packages", () => {
  it("is SPDX attached to the image by its digest, and read back by it", async () => {
    const digest = await attach();
    expect(manifestOf(digest)).toMatchObject({ artifactType: PACKAGE_LIST, subject: { digest: image.digest } });
    const [list, ...more] = await lists();
    expect(more).toEqual([]);
    expect(list).toMatchObject({ digest, packages: [TOOL], isSealed: false });
    expect(list?.document).toMatchObject({ spdxVersion: "SPDX-2.3", name: `${REPOSITORY}@${image.digest}` });
  });

  it("is made once, and anew by another version of kiln", async () => {
    const first = await attach();
    expect(await attach()).toBe(first);
    expect(readPackages).toHaveBeenCalledOnce();
    const second = await attach("0.2.0");
    expect((await lists()).map(({ digest }) => digest)).toEqual([first, second]);
  });

  it("is not taken for one where it is about another image, or none", async () => {
    const other = { SPDXID: "SPDXRef-Image", versionInfo: `sha256:${"0".repeat(64)}` };
    for (const text of ["no JSON", "{}", JSON.stringify({ packages: [other] })]) putList(text);
    expect(await lists()).toEqual([]);
    // Nor for the one that stands already.
    await attach();
    expect(await lists()).toHaveLength(1);
  });

  it("without a package is not attached", async () => {
    readPackages.mockResolvedValue([]);
    await expect(attach()).rejects.toThrow("has no package that kiln can name");
    expect(await lists()).toEqual([]);
  });

  it("that does not come back is an error", async () => {
    memory.functions = { ...memory.functions, readReferrers: () => Promise.resolve([]) };
    await expect(attach()).rejects.toMatchObject({ kind: "difference" });
  });

  it("of a sealed image is the sealed one", async () => {
    await attach();
    await sealInMemory(registry, new MemoryNotary(), image);
    expect((await lists()).map(({ isSealed }) => isSealed)).toEqual([true, false]);
  });
});
