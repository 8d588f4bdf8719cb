import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Recompilation } from "../../cache/recompile.ts";
import { entryName, readCheckedEntries } from "../../cache/recompile/entries.ts";
import { sampleActions } from "../../cache/recompile/sample.ts";
import { readManifest } from "../../cache/manifest.ts";
import { kiln, PROJECT } from "../support/checkout.ts";

/** Two programs and a library that import nothing: what the runtime is made of, some thirty packages, and themselves. */
const SOURCE: Readonly<Record<string, string>> = {
  "go.mod": "module example.com/tiny\n\ngo 1.26\n",
  "lib/lib.go": 'package lib\n\nfunc Text() string { return "a text that no other package has" }\n',
  "alpha/one/main.go": 'package main\n\nimport "example.com/tiny/lib"\n\nfunc main() { println(lib.Text()) }\n',
  "alpha/two/main.go": 'package main\n\nimport "example.com/tiny/lib"\n\nfunc main() { println("two", lib.Text()) }\n',
};

const here = { directory: PROJECT, env: {}, registry: "" };
let root = "";
const at = (...parts: string[]) => path.join(root, ...parts);
const select = () => ["--source", at("source"), "--modules", "{provider}/{module}"];

async function recompile(cache: string, ...args: readonly string[]) {
  const { code, stdout, stderr } = await kiln(here, [
    ...["cache", "verify", "--cache", cache, ...select(), "--json", "--recompile", ...args],
  ]);
  expect(code, stderr).toBeOneOf([0, 3]);
  return { code, found: JSON.parse(stdout) as Recompilation };
}

/** A copy of the honest cache to forge entries in. */
async function copyOf(name: string): Promise<string> {
  await cp(at("cache"), at(name), { recursive: true });
  return at(name);
}

/** Answers an action with other content, well named: the pair is sound in all that Go looks at. */
async function plant(cache: string, action: string, change: (content: Buffer) => void): Promise<void> {
  const folder = path.join(cache, "go-build");
  const { actions } = await readCheckedEntries(folder);
  const content = await readFile(path.join(folder, entryName(actions.get(action)?.output ?? "", "d")));
  change(content);
  const output = createHash("sha256").update(content).digest("hex");
  await mkdir(path.dirname(path.join(folder, entryName(output, "d"))), { recursive: true });
  await writeFile(path.join(folder, entryName(output, "d")), content);
  const size = String(content.length).padStart(20);
  await writeFile(path.join(folder, entryName(action, "a")), `v1 ${action} ${output} ${size} ${"1".padStart(20)}\n`);
}

/** Behind the build ID and what importers read, in the code itself. */
const flipTail = (content: Buffer) => {
  content.writeUInt8((content.at(-40) ?? 0) ^ 0x55, content.length - 40);
};

/** Gives an archive the content ID of another compilation, and its data another byte. */
const otherContent = (content: Buffer) => {
  const [, id = ""] = /build id "[^/"]+\/([^"]+)"/.exec(content.toString("latin1", 0, 4096)) ?? [];
  const other = Array.from(id).reverse().join("");
  for (let from = content.indexOf(id); from >= 0; from = content.indexOf(id, from + 1))
    content.write(other, from, "latin1");
  flipTail(content);
};

/** The actions of a cache, by kind, in order. */
async function actionsOf(kind: "package" | "program"): Promise<readonly string[]> {
  const { actions } = await readCheckedEntries(at("cache/go-build"));
  return [...actions].flatMap(([action, answer]) => (answer.kind === kind ? [action] : [])).sort();
}

async function libAction(): Promise<string> {
  const { objects } = await readManifest(at("cache"));
  const [entry = ""] = Object.entries(objects).find(([, key]) => key === "./lib") ?? [];
  const { actions } = await readCheckedEntries(at("cache/go-build"));
  return [...actions].find(([, { output }]) => entry === entryName(output, "d"))?.[0] ?? "";
}

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "kiln-recompile-test-"));
  for (const [name, text] of Object.entries(SOURCE)) {
    await mkdir(path.dirname(at("source", name)), { recursive: true });
    await writeFile(at("source", name), text);
  }
  const made = ["--by", "provider", "--store", at("store"), "--out", at("cache")];
  const { code, stderr } = await kiln(here, ["cache", "simulate", ...select(), ...made], {
    env: { KILN_MIN_FREE_GB: "1" },
  });
  expect(code, stderr).toBe(0);
});

afterAll(() => rm(root, { recursive: true, force: true }));

describe("cache verify --recompile", () => {
  it("all: finds every forged pair and every damaged output, and nothing else", async () => {
    const cache = await copyOf("forged");
    const [packages, [program = ""]] = [await actionsOf("package"), await actionsOf("program")];
    const lib = await libAction();
    const planted = [...packages.filter((action) => action !== lib).slice(0, 3), program, lib].sort();
    // What is built on a dependency whose build ID is another has other actions with it, and the true ones without.
    for (const action of planted) await plant(cache, action, action === lib ? otherContent : flipTail);
    const [hurt = ""] = packages.filter((action) => action !== lib && !planted.includes(action));
    const { actions } = await readCheckedEntries(path.join(cache, "go-build"));
    const damaged = entryName(actions.get(hurt)?.output ?? "", "d");
    const content = await readFile(path.join(cache, "go-build", damaged));
    flipTail(content);
    await writeFile(path.join(cache, "go-build", damaged), content);

    const { code, found } = await recompile(cache, "all");
    expect(code).toBe(3);
    expect(found.differing.map(({ action }) => action).sort()).toEqual(planted);
    expect(found.differing.every(({ of }) => of !== undefined)).toBe(true);
    expect(found.differing.find(({ action }) => action === lib)?.of).toBe("./lib");
    expect(found.damaged.map(({ name, of }) => ({ name, known: of !== undefined }))).toEqual([
      { name: damaged, known: true },
    ]);
    expect(found).toMatchObject({ unmade: [], missing: [], failed: [], escapes: 0, recompiled: found.entries });
  });

  it("a percentage: finds the forged entries that the seed draws, and says how likely one escapes", async () => {
    const cache = await copyOf("sampled");
    const lib = await libAction();
    const planted = (await actionsOf("package")).filter((action) => action !== lib).slice(0, 8);
    for (const action of planted) await plant(cache, action, flipTail);
    const all = [...(await actionsOf("package")), ...(await actionsOf("program"))];
    for (const seed of [1, 2]) {
      const drawn = sampleActions(all, 0.3, seed);
      const { code, found } = await recompile(cache, "30", "--seed", String(seed));
      const packages = found.differing.filter(({ kind }) => kind === "package").map(({ action }) => action);
      expect(packages.sort()).toEqual(planted.filter((action) => drawn.has(action)));
      expect(found).toMatchObject({ recompiled: drawn.size, entries: all.length, seed });
      expect(found.escapes).toBeCloseTo(1 - drawn.size / all.length, 10);
      expect(code).toBe(found.passed ? 0 : 3);
    }
  });

  it("passes an honest cache, and leaves it as it is", async () => {
    const before = await readCheckedEntries(at("cache/go-build"));
    const { code, stdout } = await kiln(here, [
      ...["cache", "verify", "--cache", at("cache"), ...select(), "--recompile", "20", "--seed", "7"],
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      / \d+ of \d+ entries recompiled, 0 differ; \d+ outputs compared with their names, 0 damaged/,
    );
    expect(stdout).toMatch(
      /a forged entry escapes with probability 0\.\d+, ten of them with 0\.\d+; --seed 7 repeats it/,
    );
    expect(await readCheckedEntries(at("cache/go-build"))).toEqual(before);
  });

  it("refuses a selection that leaves programs out, and wrong options", async () => {
    const verify = (...args: readonly string[]) => kiln(here, ["cache", "verify", "--cache", at("cache"), ...args]);
    const narrow = ["--source", at("source"), "--modules", "{provider}/{module}one"];
    expect((await verify(...select(), "--recompile", "0")).code).toBe(2);
    expect((await verify(...select(), "--seed", "3")).code).toBe(2);
    expect(await verify(...narrow, "--recompile", "all")).toMatchObject({ code: 2 });
  });
});
