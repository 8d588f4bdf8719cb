import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  copyBlob,
  OCI,
  pushBlob,
  pushDocument,
  pushManifest,
  readDigest,
  readImageConfig,
  readImageManifest,
  type ImageManifest,
  type RegistryClient,
} from "../../../registry/client.ts";
import { composeInRegistry } from "../../../registry/compose.ts";
import { pushLayer } from "../../../registry/push-layer.ts";

const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`;

interface Answer {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly code?: number;
}

interface Call {
  readonly argv: readonly string[];
  readonly input: string;
}

let home: string;
let client: RegistryClient;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-regctl-"));
  client = { regctl: path.join(home, "regctl") };
  return () => rm(home, { recursive: true });
});

/** A regctl that notes each call, and gives the answer of the first entry whose words all stand in its arguments. */
async function regctl(table: readonly (readonly [string, Answer])[]): Promise<void> {
  const script = `#!${process.execPath}
const { appendFileSync, readFileSync } = require("node:fs");
const argv = process.argv.slice(2);
const input = argv.includes("put") ? readFileSync(0, "utf8") : "";
appendFileSync(${JSON.stringify(path.join(home, "calls"))}, JSON.stringify({ argv, input }) + "\\n");
const table = ${JSON.stringify(table)};
const [, answer] = table.find(([words]) => words.split(" ").every((word) => argv.includes(word))) ?? [];
if (!answer) { console.error("no answer to " + argv.join(" ")); process.exit(99); }
process.stdout.write(answer.stdout ?? "");
process.stderr.write(answer.stderr ?? "");
process.exitCode = answer.code ?? 0;
`;
  await writeFile(client.regctl, script);
  await chmod(client.regctl, 0o755);
}

async function calls(): Promise<readonly Call[]> {
  const text = await readFile(path.join(home, "calls"), "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Call);
}

const LOCAL = "localhost:5180/kiln/warm";
const REMOTE = "ghcr.io/acme/infra/warm";
const TLS_OFF = ["--host", "reg=localhost:5180,tls=disabled"];

describe("readDigest", () => {
  it("asks for a tag, without TLS on loopback alone", async () => {
    await regctl([["manifest head", { stdout: `${digestOf("a")}\n` }]]);
    expect(await readDigest(client, { repository: LOCAL, tag: "t" })).toBe(digestOf("a"));
    expect(await readDigest(client, { repository: REMOTE, tag: "t" })).toBe(digestOf("a"));
    expect((await calls()).map(({ argv }) => argv)).toEqual([
      ["manifest", "head", `${LOCAL}:t`, ...TLS_OFF],
      ["manifest", "head", `${REMOTE}:t`],
    ]);
  });

  it.each([
    "time=now level=error msg=failed\nfailed to get manifest x: request failed: not found [http 404]",
    "manifest unknown",
    "name unknown: repository name not known to registry",
  ])("is undefined where the registry has none: %j", async (stderr) => {
    await regctl([["manifest head", { stderr, code: 1 }]]);
    expect(await readDigest(client, { repository: LOCAL, tag: "t" })).toBeUndefined();
  });

  it.each([
    'exec: "docker-credential-ecr-login": executable file not found in $PATH\nunauthorized [http 401]',
    "credentials not found in native keychain\nunauthorized [http 401]",
  ])("does not take a login that is missing for a missing image: %j", async (stderr) => {
    await regctl([["manifest head", { stderr, code: 1 }]]);
    await expect(readDigest(client, { repository: REMOTE, tag: "t" })).rejects.toMatchObject({
      message: expect.stringContaining("refuses access") as string,
    });
  });

  it("does not read a status out of a digest", async () => {
    const digest = `sha256:${"40440140".repeat(8)}`;
    const refused = `failed to get ${LOCAL}@${digest}: dial tcp 127.0.0.1:5180: connect: connection refused`;
    await regctl([["manifest head", { stderr: refused, code: 1 }]]);
    await expect(readDigest(client, { repository: LOCAL, digest })).rejects.toMatchObject({
      message: expect.stringContaining("the registry localhost:5180 does not answer") as string,
    });
  });
});

describe("what regctl fails with", () => {
  const read = (repository: string) => readImageManifest(client, { repository, tag: "t" });

  it.each([
    "failed to get manifest: request failed: unauthorized [http 401]: authentication required",
    "request failed: forbidden [http 403]",
    "denied: permission_denied: write_package",
  ])("is an access that a login mends: %j", async (stderr) => {
    await regctl([["manifest get", { stderr: `first\n${stderr}\n`, code: 1 }]]);
    await expect(read(REMOTE)).rejects.toMatchObject({
      kind: "unreachable",
      message: `the registry ghcr.io refuses access to ${REMOTE}: ${stderr}`,
      mend: expect.stringContaining("`docker login ghcr.io`") as string,
    });
  });

  it.each([
    "dial tcp 127.0.0.1:5180: connect: connection refused",
    "dial tcp: lookup ghcr.io: no such host",
    "Get https://x: net/http: TLS handshake timeout",
    "unexpected EOF",
    "read: connection reset by peer",
  ])("is a registry that does not answer: %j", async (stderr) => {
    await regctl([["manifest get", { stderr, code: 1 }]]);
    const error = { kind: "unreachable", message: `the registry ghcr.io does not answer: ${stderr}` };
    await expect(read(REMOTE)).rejects.toMatchObject({ ...error, mend: expect.stringContaining("network") as string });
    await expect(read(LOCAL)).rejects.toMatchObject({ mend: "Start it with `npm run up`." });
  });

  it("is a failure that says what failed, else; a missing image is one where it must be there", async () => {
    await regctl([["manifest get", { stderr: "invalid media type", code: 1 }]]);
    const message = `regctl manifest get ${LOCAL} failed: invalid media type`;
    await expect(read(LOCAL)).rejects.toMatchObject({ kind: "failed", message });
    await regctl([["manifest get", { stderr: "request failed: not found [http 404]", code: 1 }]]);
    await expect(read(LOCAL)).rejects.toMatchObject({ kind: "failed" });
  });

  it("is unreachable where there is no regctl", async () => {
    await expect(
      readDigest({ regctl: path.join(home, "none") }, { repository: LOCAL, tag: "t" }),
    ).rejects.toMatchObject({
      kind: "unreachable",
    });
  });
});

const manifest: ImageManifest = {
  ...{ schemaVersion: 2, mediaType: OCI.manifest },
  config: { mediaType: OCI.config, digest: digestOf("c"), size: 2 },
  layers: [{ mediaType: OCI.layer, digest: digestOf("1"), size: 10 }],
};
const config = {
  ...{ architecture: "amd64", os: "linux" },
  rootfs: { type: "layers", diff_ids: [digestOf("d")] },
};

describe("reading images", () => {
  it("gives the manifest for a platform, and its config", async () => {
    await regctl([
      ["manifest get", { stdout: JSON.stringify(manifest) }],
      ["blob get", { stdout: JSON.stringify(config) }],
    ]);
    const found = await readImageManifest(client, { repository: LOCAL, digest: digestOf("a") }, "linux/arm64");
    expect(found).toEqual(manifest);
    expect(await readImageConfig(client, LOCAL, found)).toEqual(config);
    expect((await calls()).map(({ argv }) => argv)).toEqual([
      [
        ...["manifest", "get", "--format", "raw-body", "--platform", "linux/arm64"],
        ...[`${LOCAL}@${digestOf("a")}`, ...TLS_OFF],
      ],
      ["blob", "get", LOCAL, digestOf("c"), ...TLS_OFF],
    ]);
  });

  it("refuses an index where one image is meant", async () => {
    await regctl([["manifest get", { stdout: '{"schemaVersion":2,"manifests":[]}' }]]);
    await expect(readImageManifest(client, { repository: LOCAL, tag: "t" })).rejects.toMatchObject({
      kind: "usage",
      message: `${LOCAL}:t is not an image for one platform`,
    });
  });
});

describe("pushing", () => {
  it("uploads a blob under its digest unless the repository has it", async () => {
    const file = path.join(home, "layer");
    await writeFile(file, "bytes of a layer");
    await regctl([
      ["blob head", { stderr: "not found", code: 1 }],
      ["blob put", { stdout: digestOf("1") }],
    ]);
    await pushBlob(client, LOCAL, file, digestOf("1"));
    expect(await calls()).toEqual([
      { argv: ["blob", "head", LOCAL, digestOf("1"), ...TLS_OFF], input: "" },
      { argv: ["blob", "put", "--digest", digestOf("1"), LOCAL, ...TLS_OFF], input: "bytes of a layer" },
    ]);
    await regctl([["blob head", {}]]);
    await pushBlob(client, LOCAL, file, digestOf("1"));
    expect(await calls()).toHaveLength(3);
  });

  it("describes a document by its bytes, not its letters", async () => {
    await regctl([["blob put", { stdout: `${digestOf("2")}\n` }]]);
    const pushed = await pushDocument(client, LOCAL, "text/x", "Größe");
    expect(pushed).toEqual({ mediaType: "text/x", digest: digestOf("2"), size: 7 });
    expect((await calls())[0]?.input).toBe("Größe");
  });

  it("puts a manifest under a tag, or by its digest where there is none", async () => {
    await regctl([["manifest put", { stdout: `${digestOf("3")}\n` }]]);
    expect(await pushManifest(client, { repository: LOCAL, tag: "t" }, manifest)).toBe(digestOf("3"));
    await pushManifest(client, { repository: LOCAL }, manifest);
    const [tagged, byDigest] = await calls();
    expect(JSON.parse(tagged?.input ?? "")).toEqual(manifest);
    expect(tagged?.argv).toContain(`${LOCAL}:t`);
    expect(tagged?.argv).not.toContain("--by-digest");
    expect(byDigest?.argv).toContain(LOCAL);
    expect(byDigest?.argv).toContain("--by-digest");
  });

  it("copies no blob within a repository, and switches TLS off for each loopback side", async () => {
    await regctl([["blob copy", {}]]);
    await copyBlob(client, LOCAL, LOCAL, digestOf("1"));
    expect(await calls()).toEqual([]);
    await copyBlob(client, LOCAL, REMOTE, digestOf("1"));
    await copyBlob(client, "127.0.0.1:5000/a", LOCAL, digestOf("1"));
    expect((await calls()).map(({ argv }) => argv)).toEqual([
      ["blob", "copy", LOCAL, REMOTE, digestOf("1"), ...TLS_OFF],
      [
        ...["blob", "copy", "127.0.0.1:5000/a", LOCAL, digestOf("1")],
        ...[...TLS_OFF, "--host", "reg=127.0.0.1:5000,tls=disabled"],
      ],
    ]);
  });

  it("makes a layer an image of one layer under its tag", async () => {
    const file = path.join(home, "layer");
    await writeFile(file, "bytes");
    await regctl([
      ["blob head", { stderr: "not found", code: 1 }],
      ["blob put", { stdout: digestOf("2") }],
      ["manifest put", { stdout: digestOf("3") }],
    ]);
    const layer = { file, digest: digestOf("1"), size: 5, diffId: digestOf("d") };
    const place = { repository: LOCAL, tag: "layer-aws", architecture: "arm64", createdBy: "kiln" };
    expect(await pushLayer(client, layer, place)).toBe(digestOf("3"));
    const documents = (await calls()).filter(({ argv }) => argv.includes("put")).slice(1);
    expect(documents.map(({ input }) => JSON.parse(input) as unknown)).toEqual([
      {
        ...{ architecture: "arm64", os: "linux", config: {} },
        rootfs: { type: "layers", diff_ids: [digestOf("d")] },
        history: [{ created_by: "kiln" }],
      },
      {
        ...{ schemaVersion: 2, mediaType: OCI.manifest },
        config: { mediaType: OCI.config, digest: digestOf("2"), size: documents[0]?.input.length },
        layers: [{ mediaType: OCI.layer, digest: digestOf("1"), size: 5 }],
      },
    ]);
  });
});

describe("composeInRegistry", () => {
  it("moves no layer that the target has, mounts the others, and pushes a config and a manifest", async () => {
    const other = "localhost:5180/library/debian";
    const baseManifest = { ...manifest, layers: [{ ...manifest.layers[0], digest: digestOf("b") }] };
    await regctl([
      [`manifest get ${other}:12`, { stdout: JSON.stringify(baseManifest) }],
      ["manifest get", { stdout: JSON.stringify(manifest) }],
      ["blob get", { stdout: JSON.stringify(config) }],
      ["blob copy", {}],
      ["blob put", { stdout: digestOf("e") }],
      ["manifest put", { stdout: digestOf("f") }],
    ]);
    const digest = await composeInRegistry(client, {
      base: { repository: other, tag: "12" },
      layers: [{ repository: LOCAL, digest: digestOf("a") }],
      to: { repository: LOCAL },
      platform: "linux/amd64",
      settings: { labels: { a: "b" } },
    });
    expect(digest).toBe(digestOf("f"));
    const made = await calls();
    const copied = made.filter(({ argv }) => argv.includes("copy")).map(({ argv }) => argv.slice(2, 5));
    expect(copied).toEqual([[other, LOCAL, digestOf("b")]]);
    const put = JSON.parse(made.at(-1)?.input ?? "") as ImageManifest;
    expect(put.layers.map((layer) => layer.digest)).toEqual([digestOf("b"), digestOf("1")]);
  });
});
