import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Plan } from "../../../cache/plan.ts";
import { readShardImages, readTakenShard, shardTags } from "../../../cache/shard-image.ts";
import { isTag } from "../../../registry/image-reference.ts";
import { registryTag } from "../../../release/registry-tag.ts";
import { CONTRACT, writeText } from "./cache-directory.ts";

const REPOSITORY = "localhost:5180/kiln/warm";
const PACKER = "p".repeat(64);

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-shard-image-"));
  await writeText(path.join(home, "go.mod"), "module example.com/repository\n");
  await writeText(path.join(home, "aws/x/main.go"), "package main\n");
  return () => rm(home, { recursive: true });
});

const shard = (id: string, programs: readonly string[], packages: readonly string[]) => ({
  ...{ id, programs, cost: 1 },
  packages: Object.fromEntries(packages.map((name, index) => [name, index])),
});
const plan = (...shards: readonly ReturnType<typeof shard>[]): Plan => ({
  ...{ version: 1, contract: CONTRACT, pattern: "{provider}/{module}", skipped: [], goModules: {}, faults: {} },
  programs: [{ provider: "aws", module: "x", directory: "aws/x", goModule: "." }],
  ...{ allowFailed: [], shards },
});
const BASE = shard("base", [], ["fmt", "net"]);
const FIRST = shard("shard-1", ["aws/x"], ["aws"]);

describe("shardTags", () => {
  it("names every shard by a tag of its own", async () => {
    const tags = await shardTags(plan(BASE, FIRST), home, PACKER);
    expect([...tags.keys()]).toEqual(["base", "shard-1"]);
    expect([...tags.values()].every(isTag)).toBe(true);
    expect(new Set(tags.values()).size).toBe(2);
  });

  it("tells shards apart whose names are one as far as a tag can say it", async () => {
    const long = "a".repeat(90);
    const ids = ["aws/x", "aws-x", "AWS x", `${long}1`, `${long}2`];
    const tags = await shardTags(plan(...ids.map((id) => shard(id, [], []))), home, PACKER);
    expect([tags.size, new Set(tags.values()).size]).toEqual([ids.length, ids.length]);
    expect([...tags.values()].every((tag) => isTag(tag) && registryTag(tag).kind === "build")).toBe(true);
  });

  it("changes with the program that packs", async () => {
    const before = await shardTags(plan(BASE, FIRST), home, PACKER);
    const after = await shardTags(plan(BASE, FIRST), home, "q".repeat(64));
    for (const id of before.keys()) expect(after.get(id)).not.toBe(before.get(id));
  });

  it("is the same wherever the costs were measured", async () => {
    const cheap = { ...FIRST, cost: 99, packages: { aws: 77 } };
    expect(await shardTags(plan(BASE, cheap), home, PACKER)).toEqual(await shardTags(plan(BASE, FIRST), home, PACKER));
  });

  it.each<[string, () => Plan | Promise<Plan>]>([
    ["the division", () => plan(shard("base", [], ["fmt"]), FIRST)],
    ["what a shard compiles", () => plan(BASE, shard("shard-1", [], ["aws"]))],
    [
      "a source file",
      async () => {
        await writeText(path.join(home, "aws/x/main.go"), "package main // edited\n");
        return plan(BASE, FIRST);
      },
    ],
  ])("changes with %s", async (_, changed) => {
    const before = await shardTags(plan(BASE, FIRST), home, PACKER);
    const after = await shardTags(await changed(), home, PACKER);
    for (const id of before.keys()) expect(after.get(id)).not.toBe(before.get(id));
  });
});

describe("readShardImages", () => {
  /** A regctl that knows images under tags that have `known` in them. */
  async function registry(known: string) {
    const regctl = path.join(home, "regctl");
    const script = `#!/bin/sh\ncase "$*" in *${known}*) echo sha256:${"a".repeat(64)} ;; *) echo "not found" >&2; exit 1 ;; esac\n`;
    await writeFile(regctl, script);
    await chmod(regctl, 0o755);
    return { regctl };
  }

  it("gives the images of all shards, or says which one is missing", async () => {
    const tags = new Map([
      ["shard-1", "shard-one"],
      ["base", "shard-base"],
    ]);
    await expect(readShardImages(await registry("shard-base"), REPOSITORY, tags)).rejects.toThrow("shard shard-1");
    await expect(readShardImages(await registry("shard-one"), REPOSITORY, tags)).rejects.toThrow("shard base");
    expect(await readShardImages(await registry("shard-"), REPOSITORY, tags)).toHaveLength(2);
  });

  it("gives those alone that may be taken, each asked for by its tag", async () => {
    const tags = new Map(["shard-1", "base", "shard-2"].map((id) => [id, `shard-${id}-0`]));
    const asked: string[] = [];
    const takes = (_: unknown, tag: string) => Promise.resolve(asked.push(tag) > 0 && tag !== "shard-shard-1-0");
    const client = await registry("shard-");
    expect(await readShardImages(client, REPOSITORY, tags, { takes })).toHaveLength(2);
    expect(asked).toEqual(["shard-base-0", "shard-shard-1-0", "shard-shard-2-0"]);
    const image = { repository: REPOSITORY, digest: `sha256:${"a".repeat(64)}` };
    expect(await readTakenShard(client, REPOSITORY, "shard-shard-1-0")).toEqual(image);
    expect(await readTakenShard(client, REPOSITORY, "shard-shard-1-0", { takes })).toBeUndefined();
    expect(await readTakenShard(client, REPOSITORY, "shard-shard-2-0", { takes })).toEqual(image);
    expect(await readTakenShard(client, REPOSITORY, "none", { takes })).toBeUndefined();
  });

  it("names the shard that is missing, and how to push it", async () => {
    const tags = await shardTags(plan(BASE, FIRST), home, PACKER);
    await expect(readShardImages(await registry("shard-base"), REPOSITORY, tags)).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringContaining("shard shard-1 of this plan is not in the registry") as string,
      mend: expect.stringContaining("npx kiln cache shard --shard shard-1") as string,
    });
  });
});
