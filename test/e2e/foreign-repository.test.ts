import { mkdtemp, readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { CacheManifest } from "../../cache/manifest.ts";
import type { Plan } from "../../cache/plan.ts";
import type { Verification } from "../../cache/verify.ts";
import type { WarmedShard } from "../../cache/warm-plan.ts";
import { kiln } from "../support/checkout.ts";
import { isExtended } from "../support/extended.ts";
import { writeForeignRepository, type ForeignRepository } from "../support/foreign-repository.ts";

const PROGRAMS = 200;
const checkout = inject("checkout");
let root = "";
let repository: ForeignRepository;
const at = (...parts: string[]) => path.join(root, ...parts);

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "kiln-foreign-"));
  repository = await writeForeignRepository(root, PROGRAMS);
});

afterAll(() => rm(root, { recursive: true, force: true }));

const run = (...args: readonly string[]) => kiln(checkout, args, { env: repository.env });
const select = () => ["--source", repository.source, "--modules", repository.pattern];

interface Simulation {
  readonly manifest: CacheManifest;
  readonly shards: readonly WarmedShard[];
  readonly skipped: readonly string[];
  readonly failures: Readonly<Record<string, string>>;
  readonly verification: Verification;
}

describe("a repository that looks nothing like the examples", () => {
  let simulation: Simulation;
  let stderr = "";

  beforeAll(async () => {
    const args = ["--by", "provider", "--store", at("store"), "--out", at("cache"), "--json"];
    const result = await run("cache", "simulate", ...select(), ...args);
    expect(result.code, result.stderr).toBe(1);
    simulation = JSON.parse(result.stdout) as Simulation;
    ({ stderr } = result);
  });

  it("names every planted failure with what is wrong with it, and no other program", () => {
    const { failures } = simulation;
    expect(Object.keys(failures).sort()).toEqual(Object.keys(repository.failing).sort());
    for (const [directory, says] of Object.entries(repository.failing)) expect(failures[directory]).toMatch(says);
    expect(stderr).toContain("teams/newer/go.mod");
  });

  it("verifies all the others without one compile action", () => {
    const { programs, compileActions } = simulation.verification;
    expect(programs.map(({ directory }) => directory).sort()).toEqual(repository.sound);
    expect(programs.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(compileActions).toBe(0);
    expect(repository.sound.length + Object.keys(repository.failing).length).toBe(PROGRAMS);
  });

  it("counts what matches and is no program", () => {
    expect(simulation.skipped).toEqual(repository.skipped);
  });

  it("gives time and size of each shard", () => {
    expect(simulation.shards.map(({ id }) => id)).toEqual(["base", "aws", "azure", "civo", "gcp", "snowflake"]);
    for (const { id, counts, seconds } of simulation.shards) {
      expect(seconds).toBeGreaterThan(0);
      if (id !== "base") expect(counts?.bytes).toBeGreaterThan(1_000_000);
    }
  });

  it("ends well where the failures are known", async () => {
    const known = Object.keys(repository.failing).flatMap((directory) => ["--allow-failed", directory]);
    const args = ["--shards", "3", "--store", at("store"), "--out", at("known"), ...known];
    const result = await run("cache", "simulate", ...select(), "--provider", "azure", "--provider", "civo", ...args);
    expect(result.code, result.stderr).toBe(0);
    expect(result.stdout).toContain("1 programs do not compile, as --allow-failed says");
  });
});

describe("a matrix", () => {
  const shards = ["aws", "azure", "civo", "gcp", "snowflake"];
  let plan: Plan;

  beforeAll(async () => {
    const result = await run(
      "cache",
      "plan",
      ...select(),
      "--by",
      "provider",
      "--store",
      at("store"),
      "--matrix",
      "--out",
      at("plan.json"),
    );
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout)).toEqual({
      include: shards.map((shard) => ({ shard, runs_on: "ubuntu-latest" })),
    });
    plan = JSON.parse(await readFile(at("plan.json"), "utf8")) as Plan;
  });

  it("has every program that loads in exactly one shard, by provider and by number", async () => {
    const args = ["--shards", "40", "--store", at("store"), "--matrix", "--out", at("forty.json")];
    const result = await run("cache", "plan", ...select(), ...args);
    const { include } = JSON.parse(result.stdout) as { include: { shard: string }[] };
    const forty = JSON.parse(await readFile(at("forty.json"), "utf8")) as Plan;
    expect(include).toHaveLength(40);
    for (const { shards: divided, programs, faults } of [plan, forty]) {
      const loaded = programs.map(({ directory }) => directory).filter((directory) => faults[directory] === undefined);
      expect(divided.flatMap((shard) => shard.programs).sort()).toEqual(loaded.sort());
    }
  });

  it("is refused where GitHub would refuse it, and nothing is written", async () => {
    // There are fewer programs than that: a shard holds at least one.
    const result = await run(
      "cache",
      "plan",
      ...select(),
      "--shards",
      "300",
      "--store",
      at("store"),
      "--matrix",
      "--out",
      at("big.json"),
    );
    const { include } = JSON.parse(result.stdout) as { include: unknown[] };
    expect(include.length).toBeLessThanOrEqual(256);
    expect(include.length).toBe(Object.keys(plan.programs).length - Object.keys(plan.faults).length);
  });

  it.runIf(isExtended)("of shards that are warmed one by one on fresh stores verifies together", async () => {
    const two = [...select(), "--provider", "civo", "--provider", "snowflake"];
    const planned = await run(
      "cache",
      "plan",
      ...two,
      "--by",
      "provider",
      "--store",
      at("store"),
      "--out",
      at("two.json"),
    );
    expect(planned.code).toBe(1);
    for (const shard of ["civo", "snowflake"]) {
      const places = ["--shard", shard, "--store", at(`fresh-${shard}`), "--out", at("fresh", shard)];
      const warmed = await run("cache", "warm", "--plan", at("two.json"), "--source", repository.source, ...places);
      expect(warmed.code, warmed.stderr).toBe(0);
    }
    const merged = await run("cache", "merge", "--out", at("merged"), at("fresh/civo"), at("fresh/snowflake"));
    expect(merged.code, merged.stderr).toBe(0);
    const args = ["--cache", at("merged"), "--plan", at("two.json"), "--source", repository.source, "--json"];
    const verification = JSON.parse((await run("cache", "verify", ...args)).stdout) as Verification;
    expect(verification).toMatchObject({ compileActions: 0, passed: true });
    const asked = repository.sound.filter((directory) => /on-(?:civo|snowflake)\//.test(directory));
    expect(verification.programs.map(({ directory }) => directory).sort()).toEqual(asked);
  });
});

describe("the store", () => {
  it("keeps two warmings of one store apart: both end well, with the same cache", async () => {
    const args = (out: string) => [
      "--plan",
      at("plan.json"),
      "--source",
      repository.source,
      "--shard",
      "civo",
      "--store",
      at("store"),
      "--out",
      at(out),
    ];
    const ends = await Promise.all(["left", "right"].map((out) => run("cache", "warm", ...args(out))));
    for (const { code, stderr } of ends) expect(code, stderr).toBe(0);
    const [left, right] = await Promise.all(["left", "right"].map((out) => readFile(at(out, "manifest.json"), "utf8")));
    expect(left).toBe(right);
  });

  it("ships the same from entries of a time that is still to come, as after a clock was set back", async () => {
    const before = await readFile(at("left/manifest.json"), "utf8");
    const ahead = Date.now() / 1000 + 40 * 24 * 3600;
    for (const name of await readdir(at("store/go-build"), { recursive: true })) {
      if (/-[ad]$/.test(name)) await utimes(at("store/go-build", name), ahead, ahead);
    }
    const args = [
      "--plan",
      at("plan.json"),
      "--source",
      repository.source,
      "--shard",
      "civo",
      "--store",
      at("store"),
      "--out",
      at("later"),
    ];
    expect((await run("cache", "warm", ...args)).code).toBe(0);
    expect(await readFile(at("later/manifest.json"), "utf8")).toBe(before);
    expect((await stat(at("later/go-build"))).isDirectory()).toBe(true);
  });
});
