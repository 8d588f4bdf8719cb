import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { tarOf } from "../../execution/tar-file.ts";
import { silent } from "../../progress.ts";
import { OCI, pushBlob, pushDocument, pushManifest, type RegistryClient } from "../../registry/client.ts";
import { runnerRelease } from "../../release/runner-image.ts";
import { publishRunner } from "../../release/runner-publish.ts";
import { parseRunnerTag } from "../../release/runner-tag.ts";
import { readImagePackages } from "../../release/supply/image-packages.ts";
import { places } from "../../toolchain/places.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { PROJECT } from "../support/checkout.ts";
import { RegistryProcess } from "../support/registry-process.ts";

const DPKG = "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.11-1\n\n";
const CONTENT = JSON.stringify({ pulumi: "3.253.0", programs: { node: "24.21.0" } });
const LABELS = {
  "org.opencontainers.image.version": "3.253.0",
  "dev.kiln.language.name": "javascript",
  "dev.kiln.language.variant": "slim",
};

let registry: RegistryProcess;
let mirror: RegistryProcess;
let root: string;
let client: RegistryClient;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "kiln-runner-packages-"));
  registry = await RegistryProcess.start(path.join(root, "registry"));
  mirror = await RegistryProcess.start(path.join(root, "mirror"));
  client = { regctl: (await resolveTool("regctl", { places: places(), progress: silent })).path };
});

afterAll(async () => {
  await registry.stop();
  await mirror.stop();
  await rm(root, { recursive: true, force: true });
});

const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Pushes a small runner for one architecture. */
async function pushRunner(repository: string, architecture: string) {
  const file = (name: string, text: string) => ({ name, content: Buffer.from(text), mode: 0o644, uid: 0, gid: 0 });
  const tar = await tarOf([
    file("etc/os-release", 'ID=debian\nVERSION_ID="12"\n'),
    file("usr/local/lib/node_modules/npm/package.json", '{"name":"npm","version":"11.21.2"}'),
    file("usr/local/share/kiln/language-runner.json", CONTENT),
    file("var/lib/dpkg/status", DPKG.replace("amd64", architecture)),
  ]);
  const layer = gzipSync(tar);
  await writeFile(path.join(root, "layer"), layer);
  await pushBlob(client, repository, path.join(root, "layer"), digestOf(layer));
  const rootfs = { type: "layers", diff_ids: [digestOf(tar)] };
  const config = JSON.stringify({ architecture, os: "linux", rootfs, config: { Labels: LABELS } });
  const digest = await pushManifest(
    client,
    { repository },
    {
      schemaVersion: 2,
      mediaType: OCI.manifest,
      config: await pushDocument(client, repository, OCI.config, config),
      layers: [{ mediaType: OCI.layer, digest: digestOf(layer), size: layer.length }],
    },
  );
  return { repository, digest };
}

it("a published runner has a list of packages by each platform's digest, in its registry and in the mirror", async () => {
  const registries = {
    production: [registry.address, mirror.address].map((host) => `${host}/kiln`),
    preproduction: [],
  };
  const chosen = { registries, languages: ["javascript"], variants: ["slim"] } as const;
  const release = runnerRelease(parseRunnerTag("v3.253.0"), chosen);
  const [target] = release.targets;
  if (target === undefined) throw new Error("no target");
  const [repository, mirrored] = target.repositories;
  const images = [await pushRunner(repository, "amd64"), await pushRunner(repository, "arm64")];
  const go = () => Promise.reject(new Error("there is no program of Go's in it"));
  const { digest, packageLists } = await publishRunner({
    baseDigest: undefined,
    ...{ client, release, target, images, allowOlder: false, now: new Date(), version: "0.1.0", progress: silent },
    readPackages: (from, image) =>
      readImagePackages({ client, repository: from, image, go, work: path.join(root, "work"), progress: silent }),
  });
  expect(Object.keys(packageLists).sort()).toEqual(images.map((one) => one.digest).sort());

  const command = ["release", "sbom", "--json", "--image", `${String(mirrored)}@${digest}`];
  const { stdout } = await run(process.execPath, [path.join(PROJECT, "cli/kiln.mjs"), ...command]);
  const { images: listed } = JSON.parse(stdout) as {
    readonly images: readonly {
      readonly list: string;
      readonly document: { readonly packages: readonly { readonly externalRefs?: readonly object[] }[] };
    }[];
  };
  expect(listed.map(({ list }) => list)).toEqual(images.map((one) => packageLists[one.digest]));
  const [amd64] = listed;
  expect(amd64?.document.packages.flatMap(({ externalRefs = [] }) => externalRefs)).toMatchObject(
    [
      ...["deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12", "generic/node@24.21.0"],
      ...["golang/github.com/pulumi/pulumi/pkg/v3@v3.253.0", "npm/npm@11.21.2"],
    ].map((purl) => ({ referenceLocator: `pkg:${purl}` })),
  );
});
