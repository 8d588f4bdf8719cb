import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { compile, programTargets } from "../../../cache/compile.ts";
import { runGo } from "../../../cache/go/command.ts";
import { memoryFor, usableMemory } from "../../../cache/memory.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { CONTRACT, writeText } from "./cache-directory.ts";
import { placeOf } from "./recorded-go.ts";

vi.mock(import("../../../cache/go/command.ts"), async (original) => ({ ...(await original()), runGo: vi.fn() }));
vi.mock(import("../../../cache/memory.ts"), async (original) => ({
  ...(await original()),
  ...{ usableMemory: vi.fn(), compileMemory: vi.fn(() => memoryFor(GIB, 1)) },
}));
vi.mock(import("node:os"), async (original) => ({ ...(await original()), availableParallelism: () => 2 }));

const GIB = 1024 ** 3;

interface Call {
  readonly names: readonly string[];
  readonly procs: string | undefined;
  readonly memory: NodeJS.ProcessEnv | undefined;
}

/** A repository of one program that imports a package of so many bytes, and a Go that notes what it is to compile. */
async function repository(bytes: number) {
  const home = await temporaryDirectory();
  const [goModCache, goBuildCache] = [path.join(home, "go-mod"), path.join(home, "go-build")];
  await writeText(path.join(goModCache, "sdk.io/sdk@v1.0.0/a.go"), "x".repeat(bytes));
  await Promise.all([goBuildCache, path.join(home, "source")].map((folder) => mkdir(folder, { recursive: true })));
  const calls: Call[] = [];
  vi.mocked(runGo).mockImplementation(async (_, args, { environment, onStderrLine }) => {
    const option = (name: string) => args.find((arg) => arg.startsWith(name))?.slice(name.length);
    const Module = { Path: "sdk.io/sdk", Version: "v1.0.0" };
    const Dir = "/var/cache/go-mod/sdk.io/sdk@v1.0.0";
    const entries = [
      { ImportPath: "fmt", Standard: true },
      { ImportPath: "sdk.io/sdk", Dir, Module, Imports: ["fmt"], GoFiles: ["a.go"], Export: "/x" },
      { ImportPath: "m/aws/x", Dir: path.join(home, "source/aws/x"), Imports: ["sdk.io/sdk"], Export: "/y" },
    ];
    const graph = option("-debug-actiongraph=");
    if (graph !== undefined) {
      const action = { Mode: "build", Package: "sdk.io/sdk", Cmd: ["compile"], CmdUser: 2e9, CmdSys: 5e8 };
      await writeText(placeOf(goBuildCache, graph), JSON.stringify([action]));
      onStderrLine?.("sdk.io/sdk");
      calls.push({ names: args.slice(args.indexOf("--") + 1), procs: option("-p="), memory: environment });
    }
    return { code: 0, stdout: entries.map((entry) => `${JSON.stringify(entry, null, 1)}\n`).join(""), stderr: "" };
  });
  const program = { provider: "aws", module: "x", directory: "aws/x", goModule: "." };
  const work = { programs: [program], targets: programTargets([program]), costs: { "sdk.io/sdk": 4 } };
  const mounts = { contract: CONTRACT, goRoot: "/go", goModCache, goBuildCache };
  const notes: string[] = [];
  const updates: (readonly [string, number, number])[] = [];
  const progress = {
    ...silent,
    note: (text: string) => void notes.push(text),
    update: (what: string, done: number, total: number) => void updates.push([what, done, total]),
  };
  const compiled = await compile(mounts, path.join(home, "source"), work, progress);
  return { compiled, calls, notes, updates, left: await readdir(goBuildCache) };
}

describe("compile", () => {
  it("compiles a go.mod's programs as one graph, with what the machine has, and says what each package took", async () => {
    vi.mocked(usableMemory).mockReturnValue(8 * GIB);
    const { compiled, calls, updates, left } = await repository(1000);
    expect(calls).toEqual([
      { names: ["sdk.io/sdk", "./aws/x"], procs: "1", memory: { GOGC: "200", GOMEMLIMIT: "1024MiB" } },
    ]);
    expect(compiled.seconds).toEqual({ "sdk.io/sdk": 2.5 });
    expect(compiled.served).toEqual({ hits: 1, misses: 1 });
    expect(updates).toEqual([["compiling sdk.io/sdk", 4, 4]]);
    expect(left).toEqual([]);
  });

  it("compiles a giant first and alone, with all memory, and says where that is too little", async () => {
    vi.mocked(usableMemory).mockReturnValue(0.5 * GIB);
    const { calls, notes } = await repository(1_000_000);
    expect(calls.map(({ names, procs }) => [names, procs])).toEqual([
      [["fmt"], "1"],
      [["sdk.io/sdk"], "1"],
      [["sdk.io/sdk", "./aws/x"], "1"],
    ]);
    expect(calls[1]?.memory).toEqual({ GOGC: "200", GOMEMLIMIT: "512MiB" });
    expect(notes).toEqual([
      expect.stringMatching(/^sdk\.io\/sdk needs about 0\.6 GB of memory to compile, and this machine has 0\.5 GB/),
    ]);
  });
});
