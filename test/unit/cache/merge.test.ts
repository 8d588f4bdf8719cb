import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { writeShards } from "../../../bench/synthetic/shards.ts";
import { mergeCaches } from "../../../cache/merge.ts";
import { withFixedTime } from "../../../cache/store.ts";
import { actionEntry, CONTRACT, entriesOf, writeCache, writeText, type Reads } from "./cache-directory.ts";

describe("mergeCaches", () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), "kiln-merge-"));
    return () => rm(home, { recursive: true });
  });

  const at = (...parts: readonly string[]) => path.join(home, ...parts);
  const AWS: Reads = {
    aws: { packages: ["fmt", "aws"], modules: ["example.com/sdk@v1.0.0", "example.com/aws@v1.0.0"] },
  };
  const GCP: Reads = {
    gcp: { packages: ["fmt", "gcp"], modules: ["example.com/sdk@v1.0.0", "example.com/gcp@v1.0.0"] },
  };

  it("holds all of both by links, and counts it", async () => {
    await writeCache(at("aws"), AWS, { goModMetadata: ["example.com/only-mod@v0.1.0"] });
    await writeCache(at("gcp"), GCP);
    const manifest = await mergeCaches(at("out"), [at("aws"), at("gcp")]);

    const files = await filesOf("out");
    expect(files).toEqual([...new Set([...(await filesOf("aws")), ...(await filesOf("gcp"))])].sort());
    const { output } = entriesOf("gcp");
    expect((await stat(at("out/go-build", output))).ino).toBe((await stat(at("gcp/go-build", output))).ino);
    expect(manifest.modules).toEqual(["m/aws/x", "m/gcp/x"]);
    expect(manifest.counts).toMatchObject({ goBuildEntries: 6, goModules: 3 });
    expect(manifest.counts.bytes).toBeGreaterThan(0);
    expect(JSON.parse(await readFile(at("out/manifest.json"), "utf8"))).toEqual(manifest);
    expect((await readdir(home)).sort()).toEqual(["aws", "gcp", "out"]);
  });

  it("takes the base shard's cache in", async () => {
    await writeCache(at("base"), { base: { packages: ["fmt", "shared"], modules: [] } }, { modules: [] });
    await writeCache(at("aws"), AWS);
    const manifest = await mergeCaches(at("out"), [at("base"), at("aws")]);
    expect(manifest.modules).toEqual(["m/aws/x"]);
    expect(Object.keys(manifest.closures)).toEqual(["aws", "base"]);
    expect(await filesOf("out")).toContain(`go-build/${entriesOf("shared").output}`);
  });

  it("is the same in any order, and again over itself", async () => {
    await writeCache(at("aws"), AWS);
    await writeCache(at("gcp"), GCP);
    await mergeCaches(at("one"), [at("aws"), at("gcp")]);
    await mergeCaches(at("other"), [at("gcp"), at("aws")]);
    await mergeCaches(at("again"), [at("one"), at("aws"), at("other")]);
    const one = await contentsOf("one");
    expect(await contentsOf("other")).toEqual(one);
    expect(await contentsOf("again")).toEqual(one);
  });

  it("replaces one of the caches that it merges", async () => {
    await writeCache(at("aws"), AWS);
    await writeCache(at("gcp"), GCP);
    await mergeCaches(at("aws"), [at("aws"), at("gcp")]);
    expect(await filesOf("aws")).toContain(`go-build/${entriesOf("gcp").output}`);
    expect(await filesOf("aws")).toContain(`go-build/${entriesOf("aws").output}`);
  });

  it.each([
    ["of another size", (text: string) => `${text}!`],
    ["of the same size", (text: string) => text.replace(/.$/s, "!")],
  ])("refuses one name for two contents %s, naming both caches, and leaves nothing", async (_, damage) => {
    await writeCache(at("aws"), AWS);
    await writeCache(at("gcp"), GCP);
    const file = `go-build/${entriesOf("fmt").output}`;
    await writeFile(at("gcp", file), damage(await readFile(at("gcp", file), "utf8")));
    await expect(mergeCaches(at("out"), [at("aws"), at("gcp")])).rejects.toMatchObject({
      kind: "failed",
      message: `${file} differs between ${at("aws")} and ${at("gcp")}`,
    });
    expect((await readdir(home)).sort()).toEqual(["aws", "gcp"]);
  });

  it("sees a difference beyond the first megabyte", async () => {
    for (const directory of ["aws", "gcp"]) {
      await writeCache(at(directory), { [directory]: { packages: [], modules: [] } });
      const big = Buffer.alloc(3 << 20);
      if (directory === "gcp") big[(2 << 20) + 1] = 1;
      await writeCache(at(directory), { [directory]: { packages: ["big"], modules: [] } });
      await writeFile(at(directory, "go-build", entriesOf("big").output), big);
    }
    await expect(mergeCaches(at("out"), [at("aws"), at("gcp")])).rejects.toThrow("differs between");
  });

  it("writes action entries anew with the fixed time, and never links them", async () => {
    await writeCache(at("aws"), AWS);
    await writeCache(at("gcp"), GCP);
    const { action } = entriesOf("fmt");
    await writeFile(at("aws/go-build", action), actionEntry("fmt", 1));
    await writeFile(at("gcp/go-build", action), actionEntry("fmt", 2));
    await mergeCaches(at("out"), [at("aws"), at("gcp")]);
    expect(await readFile(at("out/go-build", action), "utf8")).toBe(withFixedTime(actionEntry("fmt", 3)));
    expect((await stat(at("out/go-build", action))).nlink).toBe(1);
  });

  it("refuses one action with two outputs", async () => {
    await writeCache(at("aws"), AWS);
    await writeCache(at("gcp"), GCP);
    const { action } = entriesOf("fmt");
    await writeFile(at("gcp/go-build", action), actionEntry("fmt", 1, "another archive"));
    await expect(mergeCaches(at("out"), [at("aws"), at("gcp")])).rejects.toThrow(`go-build/${action} differs between`);
  });

  it("refuses a name that is a file here and a folder there", async () => {
    await writeCache(at("aws"), AWS);
    await writeCache(at("gcp"), GCP);
    await writeText(at("aws/go-mod/x"), "a file");
    await mkdir(at("gcp/go-mod/x"));
    await expect(mergeCaches(at("out"), [at("aws"), at("gcp")])).rejects.toThrow("go-mod/x differs between");
  });

  it("passes links over, and takes binaries in", async () => {
    await writeCache(at("aws"), AWS);
    await writeText(at("secret"), "of this machine");
    await symlink(at("secret"), at("aws/go-mod/link"));
    await symlink(home, at("aws/go-mod/folder"));
    await writeText(at("aws/binaries/aws"), "program");
    await mergeCaches(at("out"), [at("aws")]);
    expect((await filesOf("out")).filter((name) => /link|folder|binaries/.test(name))).toEqual(["binaries/aws"]);
  });

  it("merges 8,000 entries of four machines within seconds", async () => {
    const shards = await writeShards(home, CONTRACT, { entries: 8_000, shards: 4, copies: 3 });
    const start = performance.now();
    const manifest = await mergeCaches(at("out"), shards);
    expect((performance.now() - start) / 1000).toBeLessThan(20);
    const names = (await filesOf("out")).filter((name) => name.startsWith("go-build/"));
    expect(names).toHaveLength(manifest.counts.goBuildEntries);
    expect(manifest.counts.goBuildEntries).toBeGreaterThan(3_000);
  }, 60_000);

  it("refuses what is no cache", async () => {
    await writeCache(at("aws"), AWS);
    await expect(mergeCaches(at("out"), [at("aws"), at("none")])).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(`${at("none")}/manifest.json is not a cache directory`) as string,
    });
    expect(await readdir(home)).toEqual(["aws"]);
  });

  async function filesOf(folder: string): Promise<readonly string[]> {
    const entries = await readdir(at(folder), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(at(folder), path.join(entry.parentPath, entry.name)))
      .sort();
  }

  async function contentsOf(folder: string): Promise<Readonly<Record<string, string>>> {
    const contents: Record<string, string> = {};
    for (const file of await filesOf(folder)) contents[file] = await readFile(at(folder, file), "utf8");
    return contents;
  }
});
