import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { mergeCaches } from "../../../cache/merge.ts";
import { bakeReport } from "../../../cli/cache/bake.ts";
import { readCommands } from "../../../cli/commands.ts";
import { main } from "../../../cli/main.ts";
import { KilnError, type ErrorKind } from "../../../errors.ts";
import { interruption } from "../../../toolchain/process.ts";
import { writeCache, writeText } from "../cache/cache-directory.ts";

const COMMANDS = await readCommands();

vi.mock(import("../../../cache/merge.ts"), { spy: true });

let home: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-cli-"));
  // The signals that a run of `main` waits for are its process's; here they would pile up.
  vi.spyOn(process, "once").mockReturnThis();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(home, { recursive: true });
});

async function kiln(...argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  try {
    const code = await main(argv);
    return { code, ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe("help", () => {
  it("of kiln lists every command with its summary", async () => {
    for (const flag of ["--help", "-h"]) {
      const { code, stdout, stderr } = await kiln(flag);
      expect([code, stderr]).toEqual([0, ""]);
      for (const { name, summary } of COMMANDS) {
        expect(stdout.split("\n").map((line) => line.trim().split(/ {2,}/))).toContainEqual([name, summary]);
      }
    }
  });

  it("of a group lists its commands alone", async () => {
    const { code, stdout } = await kiln("cache", "--help");
    expect(code).toBe(0);
    expect(stdout).toContain("cache plan");
    expect(stdout).not.toContain("doctor");
  });

  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    "of %s names each option once",
    async (_, command) => {
      const { code, stdout, stderr } = await kiln(...command.name.split(" "), "--help");
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout.startsWith(`Usage: npx kiln ${command.name}`)).toBe(true);
      expect(stdout).toContain(command.summary);
      expect(stdout).toMatch(/Exit codes: 0 done.*130 interrupted/s);
      const lines = stdout.split("\n");
      for (const name of [...Object.keys(command.options), "json", "quiet", "debug", "help"]) {
        const flag = command.options[name]?.type === "string" ? `  --${name} VALUE ` : `  --${name} `;
        const described = lines.filter((line) => line.startsWith(flag) && line.slice(flag.length).trim() !== "");
        expect(described, `--${name}`).toHaveLength(1);
      }
      expect(Object.keys(command.help).sort()).toEqual(Object.keys(command.options).sort());
    },
  );

  it.each<[string, readonly string[]]>([
    ["up", ["stack"]],
    ["preview", ["stack"]],
    ["refresh", ["stack"]],
    ["destroy", ["stack"]],
    ["cache modules", ["source", "modules", "provider"]],
    ["cache plan", ["source", "modules", "shards", "by", "timings", "out", "matrix", "lanes", "allow-failed"]],
    ["cache warm", ["plan", "source", "shard", "store", "out"]],
    ["cache merge", ["out"]],
    ["cache verify", ["plan", "source", "cache", "image"]],
    ["cache layers", ["cache", "plan", "out", "push"]],
    ["cache compose", ["base", "layers", "to"]],
    ["cache bake", ["stack", "source", "modules", "to", "allow-failed"]],
    ["cache simulate", ["source", "modules", "shards", "by", "out"]],
  ])("of %s has the options that people rely on: %j", (name, options) => {
    const command = COMMANDS.find((each) => each.name === name);
    expect(Object.keys(command?.help ?? {})).toEqual(expect.arrayContaining([...options]));
  });
});

describe("wrong usage", () => {
  it("without a command shows them all on standard error", async () => {
    const { code, stdout, stderr } = await kiln();
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: npx kiln COMMAND");
  });

  it.each([
    [["bake"], 'there is no command "bake"'],
    [["cache"], 'there is no command "cache"'],
    [["cache", "bakery"], 'there is no command "cache bakery"'],
    [["upp", "--json"], 'there is no command "upp"'],
    [["nonsense", "--help"], 'there is no command "nonsense"'],
    [["cache", "merge"], "--out is missing"],
    [["cache", "merge", "--out", ""], "--out is missing"],
    [["cache", "modules", "--modules", "x/y"], 'the module pattern "x/y" must name {provider} once'],
    [["cache", "modules", "extra"], '"extra" is one argument too many'],
    [["cache", "modules", "--nonsense"], "--nonsense"],
    [["cache", "modules", "--modules"], "--modules"],
    [["cache", "plan", "--out", "a", "--lanes", "baker:2"], "--lanes says nothing without --matrix"],
    [["cache", "plan", "--out", "a", "--matrix", "--lanes", "baker"], "--lanes baker does not name lanes"],
    [
      ["cache", "plan", "--out", "a", "--matrix", "--lanes", "a:2", "--runs-on", "b"],
      "give either --runs-on or --lanes",
    ],
    [["cache", "verify", "--modules", "{provider}/{module}"], "give either --cache or --image"],
    [["cache", "verify", "--cache", "a", "--image", "b"], "give either --cache or --image"],
    [["cache", "layers", "--cache", "a"], "give either --out or --push"],
    [["cache", "compose", "--base", "a", "--to", "localhost:1/b"], "--layers is missing"],
    [["cache", "compose", "--base", "a", "--to", "A B"], '"A B" is not an image reference'],
    [["cache", "bake", "--modules", "x"], "--source is missing"],
    [["up", "local"], '"local" is one argument too many'],
    [["down", "now"], '"now" is one argument too many'],
    [["env", "x"], '"x" is one argument too many'],
    [["doctor", "x"], '"x" is one argument too many'],
  ])("%j says %j, on standard error, and exits with 2", async (argv, said) => {
    const { code, stdout, stderr } = await kiln(...argv);
    expect(stderr).toContain(`kiln: `);
    expect(stderr).toContain(said);
    expect([code, stdout]).toEqual([2, ""]);
  });
});

describe("a command that runs", () => {
  const modules = () => ["cache", "modules", "--source", home, "--modules", "{provider}/{module}"];

  beforeEach(async () => {
    await writeText(path.join(home, "go.mod"), "module example.com/x\n");
    await writeText(path.join(home, "aws/vpc/main.go"), "package main\n");
    await writeText(path.join(home, "aws/lib/lib.go"), "package lib\n");
  });

  it("prints lines for people", async () => {
    const { code, stdout } = await kiln(...modules());
    expect(code).toBe(0);
    expect(stdout).toBe("aws  vpc  aws/vpc\n1 programs, 1 matching directories hold no Go main package\n");
  });

  it.each([["--json"], ["--json", "--quiet"]])(
    "prints one JSON document and nothing else with %s",
    async (...flags) => {
      const { code, stdout } = await kiln(...modules(), ...flags);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual({
        programs: [{ provider: "aws", module: "vpc", directory: "aws/vpc", goModule: "." }],
        skipped: ["aws/lib"],
      });
    },
  );

  it("takes common options before its name", async () => {
    expect((await kiln("--quiet", ...modules())).code).toBe(0);
  });

  it("passes arguments after its name on", async () => {
    await writeCache(path.join(home, "one"), { aws: { packages: ["a"], modules: [] } });
    await writeCache(path.join(home, "two"), { gcp: { packages: ["b"], modules: [] } });
    const [one, two, out] = ["one", "two", "out"].map((name) => path.join(home, name));
    const { code, stdout } = await kiln("cache", "merge", "--out", out ?? "", one ?? "", two ?? "");
    expect([code, stdout.split(":")[0]]).toEqual([0, "2 programs warm"]);
    expect(await readFile(path.join(home, "out/manifest.json"), "utf8")).toContain("m/gcp/x");
  });
});

describe("a command that fails", () => {
  const failing = (error: unknown, ...flags: readonly string[]) => {
    vi.mocked(mergeCaches).mockRejectedValueOnce(error);
    return kiln("cache", "merge", "--out", home, "a", ...flags);
  };

  it.each<[ErrorKind, number]>([
    ["failed", 1],
    ["usage", 2],
    ["difference", 3],
    ["unreachable", 4],
  ])("exits, where the error is of kind %s, with %i", async (kind, code) => {
    expect(await failing(new KilnError(kind, "it broke", { mend: "Mend it." }))).toEqual({
      ...{ code, stdout: "" },
      stderr: "kiln: it broke\n      Mend it.\n",
    });
  });

  it("obeys nothing that a message quotes, on a terminal or in the log of a workflow", async () => {
    const quoting = new KilnError("unreachable", "npm: \u001b[2J\n::add-mask::a", { mend: "Look.\n##[add-mask]b" });
    const { stderr } = await failing(quoting, "--debug");
    const said = "npm: \u241b[2J\n\u2237add-mask::a\n";
    expect(stderr.startsWith(`kiln: ${said}      Look.\n\uff03#[add-mask]b\nKilnError: ${said}`)).toBe(true);
  });

  it("exits with 130 when it was interrupted", async () => {
    const { code, stderr } = await failing(new KilnError("interrupted", "interrupted"));
    expect([code, stderr]).toEqual([130, expect.stringContaining("kiln: interrupted") as string]);
    expect(interruption.signal.aborted).toBe(false);
  });

  it("shows a stack trace only with --debug, and says that a fault is kiln's own", async () => {
    const plain = await failing(new TypeError("x is undefined"));
    expect(plain).toEqual({
      ...{ code: 1, stdout: "" },
      stderr: "kiln: x is undefined\n      This is a fault in kiln; --debug shows where.\n",
    });
    const debugged = await failing(new TypeError("x is undefined"), "--debug");
    expect(debugged.code).toBe(1);
    expect(debugged.stderr).toMatch(/^kiln: x is undefined\nTypeError: x is undefined\n +at /);
    expect((await failing("only text")).stderr).toContain("kiln: only text\n");
  });
});

describe("bakeReport", () => {
  const baked = { warmImage: "r@sha256:1", layers: [{ name: "common", digest: "d", size: 1_500_000 }], seconds: {} };

  it("says that there was nothing to bake", () => {
    expect(bakeReport({ ...baked, reused: true })).toMatch(/r@sha256:1\n +of the same inputs: nothing to bake$/);
  });

  it("gives phases, layers, programs and the digest", () => {
    const report = bakeReport({
      ...{ ...baked, reused: false, seconds: { plan: 70.2 } },
      layers: [...baked.layers, { name: "aws", digest: "d", size: 10, contentBytes: 2_000 }],
      verification: {
        programs: [{ directory: "m/aws/vpc", compiled: [], firstSeconds: 2.51, secondSeconds: 0.5 }],
        ...{ compileActions: 0, passed: true },
      },
    });
    expect(report).toMatch(/^plan +1m 10s$/m);
    expect(report).toMatch(/^common +1\.5 MB +unchanged$/m);
    expect(report).toMatch(/^aws +10 B +holds 2\.0 kB$/m);
    expect(report).toMatch(/^m\/aws\/vpc +2\.5 s +0\.5 s +no compile action$/m);
    expect(report.split("\n").at(-1)).toBe("warm image  r@sha256:1");
  });
});
