import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import {
  CRD_KINDS,
  crdFile,
  OFFICIAL_CRDS,
  type CrdPins,
  type CrdPlural,
} from "../../../../runners/controller/crd-pins.ts";
import { readCrds, type CrdSource } from "../../../../runners/controller/crds.ts";
import { Downloader } from "../../../../toolchain/download.ts";
import { goldenFile } from "../../../support/golden.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const PLURALS = Object.keys(CRD_KINDS) as CrdPlural[];
const GOLDEN = goldenFile("crds");

/** A CRD with everything that is looked at. */
function crd(plural: CrdPlural) {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.actions.github.com` },
    spec: {
      group: "actions.github.com",
      scope: "Namespaced",
      names: { plural, kind: CRD_KINDS[plural] },
      versions: [{ name: "v1alpha1", served: true, storage: true }],
    },
  };
}

const TEXTS = Object.fromEntries(PLURALS.map((plural) => [crdFile(plural), stringify(crd(plural))]));

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server = undefined;
});

/** A server of the four files, what it was asked for, and the source that pins it. */
async function served(texts: Readonly<Record<string, string>> = TEXTS) {
  const asked: string[] = [];
  server = createServer((request, response) => {
    const file = path.basename(request.url ?? "");
    asked.push(file);
    const text = texts[file];
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const { port } = listening.address() as AddressInfo;
  const checksums = Object.entries(TEXTS).map(([file, text]) => [
    file,
    createHash("sha256").update(text).digest("hex"),
  ]);
  const sha256 = Object.fromEntries(checksums) as CrdPins["sha256"];
  const source: CrdSource = { kind: "url", url: `http://127.0.0.1:${port}/crds`, sha256 };
  return { asked, source };
}

async function folderOf(texts: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryDirectory();
  for (const [file, text] of Object.entries(texts)) await writeFile(path.join(folder, file), text);
  return folder;
}

async function cacheOf(): Promise<{ readonly cache: string }> {
  return { cache: await temporaryDirectory() };
}

describe("downloaded CRDs", () => {
  it("are read once, and kept under their checksum", async () => {
    const { asked, source } = await served();
    const places = await cacheOf();
    const names = (await readCrds(source, { places })).map(({ metadata }) => metadata.name);
    expect(names).toEqual(PLURALS.map((plural) => `${plural}.actions.github.com`));
    server?.close();
    expect((await readCrds(source, { places })).map(({ metadata }) => metadata.name)).toEqual(names);
    expect(asked.sort()).toEqual(Object.keys(TEXTS).sort());
  });

  it("are downloaded again where what was kept is damaged", async () => {
    const { asked, source } = await served();
    const places = await cacheOf();
    await readCrds(source, { places });
    const folder = path.join(places.cache, "crds");
    const [kept = ""] = await readdir(folder);
    await writeFile(path.join(folder, kept), "half a fi");
    await readCrds(source, { places });
    expect(asked).toHaveLength(5);
  });

  it("are refused, and not kept, with another checksum than pinned", async () => {
    const { source } = await served({ ...TEXTS, [crdFile("ephemeralrunners")]: "another file" });
    const places = await cacheOf();
    await expect(readCrds(source, { places })).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/ephemeralrunners\.yaml: the checksum is \w{64}, pinned is \w{64}/) as string,
    });
    await expect.poll(() => readdir(path.join(places.cache, "crds"))).toHaveLength(3);
  });

  it("name the way out where they cannot be had", async () => {
    const { source } = await served({});
    await expect(readCrds(source, { places: await cacheOf() })).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringMatching(/cannot be had: http:.*answered 404/) as string,
      mend: expect.stringContaining("kiln:controller.crds: <path>") as string,
    });
  });

  it("are those of the release's tag unless another source is named", async () => {
    const asked: string[] = [];
    class Silent extends Downloader {
      override download(url: string) {
        asked.push(url);
        return Promise.resolve({ reason: "nobody answers" });
      }
    }
    const reading = readCrds({ kind: "official" }, { places: await cacheOf(), downloader: new Silent() });
    await expect(reading).rejects.toMatchObject({ kind: "unreachable" });
    for (const url of asked) {
      expect(url).toMatch(
        /^https:\/\/raw\.githubusercontent\.com\/actions\/actions-runner-controller\/gha-runner-scale-set-0\.14\.2\/charts\//,
      );
    }
  });
});

describe("CRDs of a folder", () => {
  it("are read without a checksum: they are the user's own", async () => {
    const crds = await readCrds({ kind: "path", path: await folderOf(TEXTS) });
    expect(crds.map(({ spec }) => spec.names.kind)).toEqual(Object.values(CRD_KINDS));
  });

  it("have to be all there", async () => {
    const folder = await folderOf({});
    await expect(readCrds({ kind: "path", path: folder })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(`kiln:controller.crds is ${JSON.stringify(folder)}, but`) as string,
    });
  });

  it.each([
    ["another group", { spec: { ...crd("ephemeralrunners").spec, group: "actions.summerwind.dev" } }, "spec.group"],
    ["another kind of object", { kind: "ConfigMap" }, "kind"],
    ["the CRD of another kind", crd("ephemeralrunnersets"), "metadata.name"],
    ["a cluster-wide kind", { spec: { ...crd("ephemeralrunners").spec, scope: "Cluster" } }, "spec.scope"],
    ["no version", { spec: { ...crd("ephemeralrunners").spec, versions: [] } }, "spec.versions"],
    [
      "a version that is not stored",
      { spec: { ...crd("ephemeralrunners").spec, versions: [{ name: "v1alpha1", served: true, storage: false }] } },
      "storage",
    ],
    ["no spec", { spec: null }, "spec.group"],
  ])("are refused with %s", async (_, change, key) => {
    const text = stringify({ ...crd("ephemeralrunners"), ...change });
    const folder = await folderOf({ ...TEXTS, [crdFile("ephemeralrunners")]: text });
    await expect(readCrds({ kind: "path", path: folder })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(`is no CRD of actions-runner-controller: `) as string,
    });
    await expect(readCrds({ kind: "path", path: folder })).rejects.toThrow(key);
  });

  it.each(["", "just text", "{", "- a\n- b"])("are refused where a file is %j", async (text) => {
    const folder = await folderOf({ ...TEXTS, [crdFile("ephemeralrunners")]: text });
    await expect(readCrds({ kind: "path", path: folder })).rejects.toMatchObject({ kind: "usage" });
  });
});

describe.skipIf(GOLDEN === undefined)("the release's own CRDs", () => {
  it("are read from a folder", async () => {
    const crds = await readCrds({ kind: "path", path: GOLDEN ?? "" });
    expect(crds.map(({ spec }) => spec.names.kind)).toEqual(Object.values(CRD_KINDS));
  });

  it("have the checksums that are pinned", async () => {
    const places = await cacheOf();
    const folder = path.join(places.cache, "crds");
    await mkdir(folder, { recursive: true });
    for (const [file, sha256] of Object.entries(OFFICIAL_CRDS.sha256)) {
      await copyFile(path.join(GOLDEN ?? "", file), path.join(folder, `${sha256}.yaml`));
    }
    const offline = new Downloader({ connectMs: 1, stallMs: 1, bytes: 1 });
    expect(await readCrds({ kind: "official" }, { places, downloader: offline })).toHaveLength(4);
  });
});
