import { createHash } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CONTRACT_LABEL } from "../../../cache/contract.ts";
import { withStore } from "../../../cache/local-store.ts";
import { restoreStore } from "../../../cache/registry-store.ts";
import { silent } from "../../../progress.ts";
import { OCI, type ImageManifest } from "../../../registry/client.ts";
import { actionEntry, CONTRACT, entriesOf, sha256, writeText } from "./cache-directory.ts";

/** A registry of one image. */
const registry = vi.hoisted(
  (): { manifest: object | undefined; config: object | undefined; readonly blobs: Map<string, Buffer> } => ({
    manifest: undefined,
    config: undefined,
    blobs: new Map(),
  }),
);

vi.mock("../../../registry/client.ts", async (original) => ({
  ...(await original<typeof import("../../../registry/client.ts")>()),
  readDigest: () => Promise.resolve(registry.manifest === undefined ? undefined : "sha256:image"),
  readImageManifest: () => Promise.resolve(registry.manifest),
  readImageConfig: () => Promise.resolve(registry.config),
  readBlobFile: (_client: unknown, _repository: string, digest: string, file: string) =>
    writeFile(file, registry.blobs.get(digest) ?? ""),
}));

let store = "";
beforeEach(async () => {
  store = await mkdtemp(path.join(tmpdir(), "kiln-registry-store-"));
});
afterEach(async () => {
  registry.manifest = undefined;
  registry.blobs.clear();
  await rm(store, { recursive: true, force: true });
});

async function publish(
  layers: Readonly<Record<string, Readonly<Record<string, string>>>>,
  contract: unknown = CONTRACT,
): Promise<void> {
  const descriptors: ImageManifest["layers"][number][] = [];
  for (const files of Object.values(layers)) {
    const archive = pack();
    for (const [name, text] of Object.entries(files)) archive.entry({ name }, text);
    archive.finalize();
    const blob = gzipSync(await buffer(archive));
    const digest = `sha256:${createHash("sha256").update(blob).digest("hex")}`;
    registry.blobs.set(digest, blob);
    descriptors.push({ mediaType: OCI.layer, digest, size: blob.length });
  }
  registry.manifest = { schemaVersion: 2, config: { digest: "c" }, layers: descriptors };
  registry.config = {
    config: { Labels: contract === undefined ? {} : { [CONTRACT_LABEL]: JSON.stringify(contract) } },
    history: Object.keys(layers).map((name) => ({
      created_by: name === "base" ? "COPY base" : `kiln cache layers: ${name}`,
    })),
  };
}

const notes: string[] = [];
const restore = (options: { readonly gocache?: string; readonly partialModules?: boolean } = {}) =>
  restoreStore({
    client: { regctl: "none" },
    image: { repository: "registry.example/warm", tag: "latest" },
    store,
    contract: CONTRACT,
    gocache: () =>
      options.gocache === undefined ? Promise.reject(new Error("no pack here")) : Promise.resolve(options.gocache),
    partialModules: options.partialModules ?? false,
    progress: { ...silent, note: (text) => notes.push(text) },
  });

const entry = (name: string, content = `archive of ${name}`) => {
  const { action, output } = entriesOf(name, content);
  return {
    [`var/cache/go-build/${action}`]: actionEntry(name, 4_102_444_800_000_000_000n, content),
    [`var/cache/go-build/${output}`]: content,
  };
};
const LOOSE = {
  base: { "usr/local/go/VERSION": "go" },
  common: {
    ...entry("fmt"),
    "var/cache/go-mod/example.com/a@v1.0.0/a.go": "package a",
    "var/cache/go-mod/cache/download/example.com/a/@v/v1.0.0.mod": "module a",
  },
  aws: entry("ec2"),
};
const inStore = (...parts: string[]) => path.join(store, ...parts);

describe("restoreStore", () => {
  it("fills an empty store from loose layers, and leaves nothing else there", async () => {
    await publish(LOOSE);
    expect(await restore()).toMatchObject({ entries: 2, modules: 1 });
    const { action, output } = entriesOf("ec2");
    expect(await readFile(inStore("go-build", action), "utf8")).toContain(sha256("archive of ec2"));
    expect(await readFile(inStore("go-build", output), "utf8")).toBe("archive of ec2");
    expect(await readFile(inStore("go-mod/example.com/a@v1.0.0/a.go"), "utf8")).toBe("package a");
    expect(await readFile(inStore("go-mod/cache/download/example.com/a/@v/v1.0.0.mod"), "utf8")).toBe("module a");
    expect((await readdir(store)).filter((name) => name !== "lock").sort()).toEqual(["go-build", "go-mod"]);
    // As young as what Go makes itself, so that it is trimmed once nobody uses it.
    expect((await stat(inStore("go-build", output))).mtimeMs).toBeLessThan(Date.now() + 60_000);
  });

  it("leaves what an older store has, and removes what a killed run left", async () => {
    await publish(LOOSE);
    const { action } = entriesOf("fmt");
    await writeText(inStore("go-build", action), "of the store");
    await writeText(inStore("go-mod/example.com/a@v1.0.0/whole.go"), "package a");
    await writeText(inStore("go-mod/cache/kiln-restore-killed/go-build/x"), "");
    expect(await restore()).toMatchObject({ entries: 1, modules: 0 });
    expect(await readFile(inStore("go-build", action), "utf8")).toBe("of the store");
    expect(await readdir(inStore("go-mod/example.com/a@v1.0.0"))).toEqual(["whole.go"]);
    expect(await readdir(inStore("go-mod/cache"))).not.toContain("kiln-restore-killed");
  });

  it("unpacks packs, and takes their modules, which have no tests, only where that is asked for, and for this run", async () => {
    const { action, output } = entriesOf("s3");
    const gocache = inStore("gocache");
    const script = `#!/bin/sh
if [ "$1" = show ]; then echo '{"modules":[{"name":"example.com/Spare@v1.0.0","indexed":false},{"name":"example.com/a@v1.0.0","indexed":true}]}'; exit; fi
mkdir -p "$3/${action.slice(0, 2)}" "$3/${output.slice(0, 2)}" "$5/example.com/!spare@v1.0.0" "$5/example.com/a@v1.0.0"
printf '%s' '${actionEntry("s3", 1n).trimEnd()}' > "$3/${action}"; echo >> "$3/${action}"
printf '%s' 'archive of s3' > "$3/${output}"
echo 'package spare' > "$5/example.com/!spare@v1.0.0/s.go"
echo 'package b' > "$5/example.com/a@v1.0.0/b.go"`;
    await writeFile(gocache, script);
    await chmod(gocache, 0o755);
    const layers = {
      aws: {
        "usr/local/lib/kiln/packs/aws.pack": "packed",
        "var/cache/go-mod/example.com/a@v1.0.0/a.go": "package a",
        "var/cache/go-mod/cache/download/example.com/!spare/@v/v1.0.0.ziphash": "h1:x",
      },
    };
    await publish(layers);
    expect(await restore({ gocache })).toMatchObject({ entries: 1, modules: 0 });
    await expect(stat(inStore("go-mod/example.com"))).rejects.toThrow(/ENOENT/);
    expect(await restore({ gocache, partialModules: true })).toMatchObject({ entries: 0, modules: 1 });
    expect(await readFile(inStore("go-build", output), "utf8")).toBe("archive of s3");
    expect(await readdir(inStore("go-mod/example.com"))).toEqual(["a@v1.0.0"]);
    expect((await readdir(inStore("go-mod/example.com/a@v1.0.0"))).sort()).toEqual(["a.go", "b.go"]);
    expect(await readdir(inStore("go-mod/cache/download/example.com/!spare/@v"))).toEqual(["v1.0.0.ziphash"]);
    await writeText(inStore("go-mod/example.com/whole@v1.0.0/w.go"), "package w");
    await withStore(store, silent, () => Promise.resolve());
    expect(await readdir(inStore("go-mod/example.com"))).toEqual(["a@v1.0.0", "whole@v1.0.0"]);
    const noted = await readFile(inStore("go-mod/cache/kiln-partial-modules.json"), "utf8");
    await writeFile(
      inStore("go-mod/cache/kiln-partial-modules.json"),
      noted.replace(/"run": "[^"]+"/, '"run": "another"'),
    );
    await withStore(store, silent, () => Promise.resolve());
    expect(await readdir(inStore("go-mod/example.com"))).toEqual(["whole@v1.0.0"]);
    expect(await readdir(inStore("go-mod/cache"))).toEqual(["download"]);
  });

  it("takes no empty module folders of an image of binaries for modules", async () => {
    await publish({ aws: { "var/cache/go-mod/example.com/a@v1.0.0/go.mod": "module a" } });
    expect(await restore()).toMatchObject({ entries: 0, modules: 0 });
    await expect(stat(inStore("go-mod/example.com"))).rejects.toThrow(/ENOENT/);
  });

  it("starts cold, with a note, where the tag does not exist yet or is of another contract", async () => {
    expect(await restore()).toBeUndefined();
    expect(notes.at(-1)).toBe("registry.example/warm:latest does not exist yet: this bake starts cold");
    await publish(LOOSE, { ...CONTRACT, goVersion: "go1.26.7" });
    expect(await restore()).toBeUndefined();
    expect(notes.at(-1)).toContain('warmed differently, this bake starts cold: Go version: "go1.26.7", "go1.26.8"');
  });

  it("refuses what is no warm image, a forged output, and a layer of another digest", async () => {
    await publish(LOOSE, undefined);
    registry.config = { config: {}, history: [] };
    await expect(restore()).rejects.toThrow(/is no warm image/);
    await publish({ base: LOOSE.base });
    await expect(restore()).rejects.toThrow(/has no cache layer of kiln's/);
    await publish({ aws: { ...entry("ec2"), [`var/cache/go-build/${entriesOf("ec2").output}`]: "archive of ecX" } });
    await expect(restore()).rejects.toThrow(/its content has the hash/);
    await publish(LOOSE);
    for (const digest of registry.blobs.keys()) registry.blobs.set(digest, Buffer.from("another"));
    await expect(restore()).rejects.toThrow(/the image's manifest says/);
    expect((await readdir(inStore("go-mod/cache"))).filter((name) => name.startsWith("kiln-"))).toEqual([]);
  });
});
