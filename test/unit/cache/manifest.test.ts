import { lstat, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { readJson, readManifest, writeJson } from "../../../cache/manifest.ts";
import { writeCache } from "./cache-directory.ts";

let home: string;
let file: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-manifest-"));
  file = path.join(home, "plan.json");
  return () => rm(home, { recursive: true });
});

const sound = () => undefined;

describe("readJson", () => {
  it("reads what writeJson wrote, which leaves nothing else", async () => {
    const document = { version: 1, a: ["ü", null] };
    const nested = path.join(home, "x/y/plan.json");
    await writeJson(nested, document);
    expect(await readJson(nested, "a plan", "kiln", sound)).toEqual(document);
    expect(await readdir(path.dirname(nested))).toEqual(["plan.json"]);
    expect((await readFile(nested, "utf8")).endsWith("\n")).toBe(true);
  });

  it.each([
    ["half of one", '{"version": 1,'],
    ["nothing", ""],
    ["no object", "null"],
    ["text", '"version 1"'],
    ["a list", "[1]"],
  ])("refuses %s, naming the file and what makes one", async (_, text) => {
    await writeFile(file, text);
    await expect(readJson(file, "a plan", "Make one with `npx kiln cache plan`.", sound)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(file) as string,
      mend: "Make one with `npx kiln cache plan`.",
    });
  });

  it.each([
    ['{"version": 2}', "version 2; this kiln reads version 1"],
    ["{}", "version undefined"],
  ])("refuses another version: %s", async (text, said) => {
    await writeFile(file, text);
    await expect(readJson(file, "a plan", "kiln", sound)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(said) as string,
    });
  });

  it("reads another version where that is asked for, and no other one then", async () => {
    await writeFile(file, '{"version": 2}');
    expect(await readJson(file, "a plan", "kiln", sound, 2)).toEqual({ version: 2 });
    await writeFile(file, '{"version": 1}');
    await expect(readJson(file, "a plan", "kiln", sound, 2)).rejects.toThrow("version 1; this kiln reads version 2");
  });

  it("refuses a file that is not there", async () => {
    await expect(readJson(file, "a plan", "kiln", sound)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/plan\.json is not a plan: ENOENT/) as string,
    });
  });
});

describe("readManifest", () => {
  it("says what makes a cache directory where there is none", async () => {
    await expect(readManifest(home)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(`${home}/manifest.json is not a cache directory`) as string,
      mend: "Make one with `npx kiln cache warm`.",
    });
  });

  it("refuses inputs that would lead a layer's file out of its folder", async () => {
    const manifest = await writeCache(home, { aws: { packages: [], modules: [] } });
    const inputs = { programs: {}, goFiles: {}, packages: {} };
    await writeJson(path.join(home, "manifest.json"), { ...manifest, inputs: { aws: inputs } });
    expect((await readManifest(home)).inputs).toEqual({ aws: inputs });
    await writeJson(path.join(home, "manifest.json"), { ...manifest, inputs: { "../aws": inputs } });
    await expect(readManifest(home)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining('"../aws" cannot be a provider\'s name') as string,
    });
  });
});

describe("writeJson", () => {
  it("replaces a file, and nothing that is none", async () => {
    await writeJson(path.join(home, "plan.json"), { a: 1 });
    await writeJson(path.join(home, "plan.json"), { a: 2 });
    expect(JSON.parse(await readFile(path.join(home, "plan.json"), "utf8"))).toEqual({ a: 2 });
    await symlink("/dev/null", path.join(home, "link"));
    for (const other of [path.join(home, "link"), home, "/dev/null"]) {
      await expect(writeJson(other, {})).rejects.toMatchObject({ kind: "usage", mend: "Choose another --out." });
    }
    expect((await lstat("/dev/null")).isCharacterDevice()).toBe(true);
  });
});
