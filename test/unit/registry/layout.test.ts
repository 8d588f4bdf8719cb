import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { OCI, type Descriptor, type ImageConfig, type ImageManifest } from "../../../registry/client.ts";
import { writeLayout } from "../../../registry/layout.ts";

let home: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-layout-"));
  return () => rm(home, { recursive: true });
});

const at = (...parts: readonly string[]) => path.join(home, ...parts);

async function layer(name: string) {
  const [file, bytes] = [at(name), `layer of ${name}`];
  await writeFile(file, bytes);
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { name, file, digest, size: bytes.length, diffId: `sha256:${"d".repeat(64)}` };
}

/** A blob of the layout, checked against the descriptor that names it. */
async function blob({ digest, size }: Descriptor): Promise<string> {
  const bytes = await readFile(at("out/blobs", digest.replace(":", "/")));
  expect(`sha256:${createHash("sha256").update(bytes).digest("hex")}`).toBe(digest);
  expect(bytes.length).toBe(size);
  return bytes.toString();
}

describe("writeLayout", () => {
  it("writes a layout whose digests and sizes all hold, an image a layer", async () => {
    const layers = [await layer("common"), await layer("aws")];
    await writeLayout(at("out"), layers, "arm64");
    expect(JSON.parse(await readFile(at("out/oci-layout"), "utf8"))).toEqual({ imageLayoutVersion: "1.0.0" });
    const index = JSON.parse(await readFile(at("out/index.json"), "utf8")) as { manifests: Descriptor[] };
    expect(index.manifests.map(({ annotations }) => annotations)).toEqual(
      ["common", "aws"].map((name) => ({ "org.opencontainers.image.ref.name": name })),
    );
    const known = new Set<string>();
    for (const [position, descriptor] of index.manifests.entries()) {
      expect(descriptor.mediaType).toBe(OCI.manifest);
      const manifest = JSON.parse(await blob(descriptor)) as ImageManifest;
      const config = JSON.parse(await blob(manifest.config)) as ImageConfig;
      expect(config).toMatchObject({ architecture: "arm64", os: "linux" });
      expect(config.rootfs.diff_ids).toEqual([layers[position]?.diffId]);
      expect(manifest.layers).toHaveLength(1);
      for (const each of manifest.layers) expect(await blob(each)).toBe(`layer of ${layers[position]?.name ?? ""}`);
      for (const { digest } of [descriptor, manifest.config, ...manifest.layers]) known.add(digest.slice(7));
    }
    expect((await readdir(at("out/blobs/sha256"))).sort()).toEqual([...known].sort());
  });

  it("takes the place of an older layout, also after an interrupted run", async () => {
    await writeLayout(at("out"), [await layer("old")], "amd64");
    await mkdir(at("out.partial/rest"), { recursive: true });
    await writeLayout(at("out"), [await layer("new")], "amd64");
    expect(await readFile(at("out/index.json"), "utf8")).not.toContain("old");
    expect((await readdir(home)).sort()).toEqual(["new", "old", "out"]);
  });

  it("leaves the older layout, and nothing of the new one, where it fails", async () => {
    await writeLayout(at("out"), [await layer("old")], "amd64");
    const gone = { ...(await layer("gone")), file: at("nowhere") };
    await expect(writeLayout(at("out"), [await layer("new"), gone], "amd64")).rejects.toThrow("ENOENT");
    expect(await readFile(at("out/index.json"), "utf8")).toContain("old");
    expect((await readdir(home)).sort()).toEqual(["gone", "new", "old", "out"]);
  });

  it("refuses to remove a directory that is no layout", async () => {
    await mkdir(at("out"));
    await writeFile(at("out/notes.txt"), "mine");
    await expect(writeLayout(at("out"), [await layer("new")], "amd64")).rejects.toMatchObject({
      kind: "usage",
      message: `${at("out")} is neither empty nor an OCI layout; kiln will not replace it`,
    });
    expect(await readFile(at("out/notes.txt"), "utf8")).toBe("mine");
  });
});
