import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { partition } from "../../../cache/layers.ts";
import { layerTag, pushLayers } from "../../../cache/push-layers.ts";
import { silent } from "../../../progress.ts";
import { isTag } from "../../../registry/image-reference.ts";
import { writeCache } from "./cache-directory.ts";

const REPOSITORY = "localhost:5180/kiln/layers";
const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`;

let home: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-push-layers-"));
  return () => rm(home, { recursive: true });
});

/** A regctl that knows one image of one layer, under the tags that begin with `known`, and notes what is put. */
async function regctl(known: string): Promise<{ readonly regctl: string }> {
  const file = path.join(home, "regctl");
  const manifest = { schemaVersion: 2, config: {}, layers: [{ digest: digestOf("1"), size: 7 }] };
  await writeFile(
    file,
    `#!${process.execPath}
const { appendFileSync, readFileSync } = require("node:fs");
const [kind, verb, ...rest] = process.argv.slice(2);
const named = rest.some((word) => word.startsWith(${JSON.stringify(`${REPOSITORY}:${known}`)}));
if (verb === "put") readFileSync(0);
if (kind === "manifest" && verb === "put") appendFileSync(${JSON.stringify(path.join(home, "put"))}, rest.find((word) => word.includes("/kiln/")) + "\\n");
if (verb === "head" && !named) { console.error("not found"); process.exit(1); }
if (kind === "manifest" && verb === "get") console.log(${JSON.stringify(JSON.stringify(manifest))});
else console.log({ head: ${JSON.stringify(digestOf("a"))}, put: ${JSON.stringify(digestOf("b"))} }[verb] ?? "");
`,
  );
  await chmod(file, 0o755);
  return { regctl: file };
}

async function push(known: string, providers: readonly string[], anew?: boolean) {
  const cache = path.join(home, "cache");
  const reads = Object.fromEntries(providers.map((name) => [name, { packages: [name], modules: [] }]));
  const manifest = await writeCache(cache, reads);
  const scratch = path.join(home, "scratch");
  const client = await regctl(known);
  const options = { client, repository: REPOSITORY, cache, manifest, scratch, progress: silent };
  return (await pushLayers({ ...options, ...(anew === undefined ? {} : { anew }) })).layers;
}

describe("pushLayers", () => {
  it("pushes what the repository lacks, takes the rest as it is there, and leaves no archive", async () => {
    const [aws, gcp] = await push("layer-aws-", ["aws", "gcp"]);
    expect(aws).toEqual({ name: "aws", image: digestOf("a"), digest: digestOf("1"), size: 7 });
    expect(gcp).toMatchObject({ name: "gcp", image: digestOf("b") });
    expect(gcp?.contentBytes).toBeGreaterThan(0);
    expect((await readFile(path.join(home, "put"), "utf8")).trim().split("\n")).toEqual([
      expect.stringContaining(`${REPOSITORY}:layer-gcp-`),
    ]);
    expect(await readdir(path.join(home, "scratch"))).toEqual([]);
  });

  it("takes nothing that is there where all is to be written anew", async () => {
    for (const layer of await push("layer-", ["aws", "gcp"], true)) {
      expect(layer).toMatchObject({ image: digestOf("b") });
      expect(layer.digest).not.toBe(digestOf("1"));
    }
  });
});

describe("a push that fails", () => {
  it("ends the others, and leaves no archive", async () => {
    const cache = path.join(home, "cache");
    const of = (name: string) => ({ packages: [name], modules: [] });
    const manifest = await writeCache(cache, { aws: of("aws"), azure: of("azure"), gcp: of("gcp") });
    const file = path.join(home, "regctl");
    const refuse = `echo "$1 $2" >>${home}/asked; cat >/dev/null`;
    const notFound = 'echo "not found" >&2; exit 1';
    await writeFile(
      file,
      `#!/bin/sh\ncase "$1 $2" in *head) ${notFound} ;; *) ${refuse}; echo full >&2; exit 1 ;; esac\n`,
    );
    await chmod(file, 0o755);
    const scratch = path.join(home, "scratch");
    const options = { repository: REPOSITORY, cache, manifest, scratch, progress: silent };
    await expect(pushLayers({ ...options, client: { regctl: file } })).rejects.toThrow("full");
    expect(await readdir(scratch)).toEqual([]);
    const asked = (await readFile(path.join(home, "asked"), "utf8")).split("\n");
    expect(asked.filter((line) => line === "blob put")).toHaveLength(1);
  });
});

describe("layerTag", () => {
  it.each(["aws", "a+b", "Azure AD", "ünïcode", "_", "x".repeat(200)])("is a tag for provider %j", async (name) => {
    const cache = path.join(home, "cache");
    const manifest = await writeCache(cache, { [name]: { packages: ["p"], modules: [] } });
    const tags = await Promise.all(partition(manifest).map((layer) => layerTag(cache, layer)));
    expect(tags.map(isTag)).toEqual([true]);
  });
});
