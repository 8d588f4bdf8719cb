import { access } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { readGraph, type Graph } from "../../../cache/graph.ts";
import { withStore } from "../../../cache/local-store.ts";
import { makePlan, planFault, requireNoFailures, unexpectedFailures } from "../../../cache/planning.ts";
import { noteTimings } from "../../../cache/timings.ts";
import { KilnError } from "../../../errors.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { CONTRACT, writeText } from "./cache-directory.ts";

vi.mock(import("../../../cache/graph.ts"), async (original) => ({ ...(await original()), readGraph: vi.fn() }));
vi.mock(import("../../../cache/local-store.ts"), { spy: true });

const FAILURES = { "m/aws/vpc": "undefined: x", "m/gcp/gke": "syntax error" };

describe("unexpectedFailures", () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ["without a glob", [], ["m/aws/vpc", "m/gcp/gke"]],
    ["with the name of one", ["m/aws/vpc"], ["m/gcp/gke"]],
    ["with a glob", ["m/aws/*"], ["m/gcp/gke"]],
    ["with a glob for all", ["m/**"], []],
    ["with one each", ["m/aws/*", "**/gke"], []],
    ["with a part of a name", ["m/aws"], ["m/aws/vpc", "m/gcp/gke"]],
  ])("%s", (_, globs, directories) => {
    expect(unexpectedFailures(FAILURES, globs).map(([directory]) => directory)).toEqual(directories);
  });
});

describe("requireNoFailures", () => {
  it("accepts none, and those that were allowed for", () => {
    expect(() => {
      requireNoFailures({}, []);
      requireNoFailures(FAILURES, ["**"]);
    }).not.toThrow();
  });

  it.each([
    [["m/gcp/*"], "1 program does not compile:\n  m/aws/vpc: undefined: x"],
    [[], "2 programs do not compile:\n  m/aws/vpc: undefined: x\n  m/gcp/gke: syntax error"],
  ])("names each program with its error, allowed: %j", (allowed, message) => {
    let thrown: unknown;
    try {
      requireNoFailures(FAILURES, allowed);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(KilnError);
    expect(thrown).toMatchObject({
      kind: "failed",
      message,
      mend: expect.stringContaining("--allow-failed") as string,
    });
  });
});

describe("makePlan", () => {
  const graph: Graph = {
    packages: new Map([["./aws/vpc", { importPath: "x", standard: false, main: true, imports: [], sourceBytes: 0 }]]),
    roots: new Map([["aws/vpc", "./aws/vpc"]]),
    faults: new Map([["gcp/gke", "broken"]]),
    skipped: ["aws/tool"],
    required: new Map([[".", ["example.com/spare@v1.0.0"]]]),
  };

  async function planned() {
    const home = await temporaryDirectory();
    const [source, store] = [path.join(home, "source"), path.join(home, "store")];
    await writeText(path.join(source, "go.mod"), "module example.com/x\n");
    for (const name of ["aws/vpc", "aws/tool", "gcp/gke"]) {
      await writeText(path.join(source, name, "main.go"), "package main\n");
    }
    await writeText(path.join(source, "aws/lib/lib.go"), "package lib\n");
    const options = { pattern: "{provider}/{module}", division: { by: "provider" }, contract: CONTRACT } as const;
    return { store, plan: makePlan({ ...options, source, store, goRoot: "/go", progress: silent }) };
  }

  it("refuses a source below a workspace that governs it, and takes one that holds its workspace", async () => {
    const { plan, store } = await planned();
    await plan.catch(() => undefined);
    const home = path.dirname(store);
    await writeText(path.join(home, "go.work"), "go 1.26\n");
    const source = path.join(home, "source");
    const options = { pattern: "{provider}/{module}", division: { by: "provider" }, contract: CONTRACT } as const;
    const again = () => makePlan({ ...options, source, store, goRoot: "/go", progress: silent });
    await expect(again()).rejects.toMatchObject({
      kind: "usage",
      message: `${path.join(home, "go.work")} governs go.mod and lies above the source`,
    });
    await writeText(path.join(source, "go.work"), "go 1.26\n\nuse .\n");
    vi.mocked(readGraph).mockResolvedValueOnce(graph);
    expect((await again()).programs).toHaveLength(2);
  });

  it("divides by what the store noted, or by what it is told", async () => {
    vi.mocked(readGraph).mockResolvedValue(graph);
    const { plan, store } = await planned();
    expect((await plan).predicted?.measured).toBe(0);
    await noteTimings(store, { seconds: { x: 30 } });
    const source = path.join(path.dirname(store), "source");
    const options = { pattern: "{provider}/{module}", division: { by: "provider" }, contract: CONTRACT } as const;
    const again = (more: object = {}) =>
      makePlan({ ...options, source, store, goRoot: "/go", progress: silent, ...more });
    const noted = await again();
    expect(noted.shards.map(({ cost }) => cost)).toEqual([30]);
    expect(noted.predicted?.measured).toBe(1);
    const told = await again({ timings: { seconds: { x: 70 } }, cores: 5, memory: 1e9, delivery: "both" });
    expect(told.shards.map(({ cost }) => cost)).toEqual([70]);
    expect(told).toMatchObject({ delivery: "both", predicted: { cores: 5, memory: { bytes: 1e9, packages: {} } } });
    expect(planFault(told)).toBeUndefined();
    expect(planFault({ ...told, delivery: "none" as "both" })).toBe('its delivery is "none"');
    vi.mocked(readGraph).mockReset();
  });

  it("has programs, those that do not load, those that are none, and what each go.mod needs", async () => {
    vi.mocked(readGraph).mockResolvedValueOnce(graph);
    const plan = await (await planned()).plan;
    expect(plan.programs.map(({ directory }) => directory)).toEqual(["aws/vpc", "gcp/gke"]);
    expect(plan.skipped).toEqual(["aws/lib", "aws/tool"]);
    expect(plan.faults).toEqual({ "gcp/gke": "broken" });
    expect(plan.goModules).toEqual({
      ".": { required: ["example.com/spare@v1.0.0"], spare: ["example.com/spare@v1.0.0"] },
    });
    expect(plan.shards.map(({ id, programs }) => [id, programs])).toEqual([["aws", ["aws/vpc"]]]);
    expect(planFault(JSON.parse(JSON.stringify(plan)) as typeof plan)).toBeUndefined();
  });

  it("fetches nothing into a store on a network file system", async () => {
    vi.mocked(readGraph).mockClear();
    vi.mocked(withStore).mockRejectedValueOnce(new KilnError("usage", "on a network file system"));
    const { plan, store } = await planned();
    await expect(plan).rejects.toThrow("on a network file system");
    expect(readGraph).not.toHaveBeenCalled();
    await expect(access(store)).rejects.toThrow("ENOENT");
  });
});
