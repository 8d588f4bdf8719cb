import path from "node:path";
import { rm } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runGo, type GoMounts, type MountedRunOptions } from "../../../../cache/go/command.ts";
import { fetchPackages } from "../../../../cache/go/fetch.ts";
import { KilnError } from "../../../../errors.ts";
import { silent } from "../../../../progress.ts";
import { interruption, type RunResult } from "../../../../toolchain/process.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { CONTRACT, writeText } from "../cache-directory.ts";

vi.mock(import("../../../../cache/go/command.ts"), async (original) => ({ ...(await original()), runGo: vi.fn() }));
const LIB = "example.com/lib@v1.0.0";
const REFUSED = `${LIB}: reading https://proxy/example.com/lib/@v/v1.0.0.zip: 403 Forbidden`;
/** A package as `go list -json` prints it. */
const listed = (entry: object) => JSON.stringify(entry, null, "\t");
const fails = listed({ ImportPath: "example.com/lib", Error: { Err: REFUSED } });
const works = listed({ ImportPath: "example.com/lib", Name: "lib" });
const printing = (stdout: string, more: Partial<RunResult> = {}): RunResult => ({
  ...{ code: 0, stdout: `${stdout}\n`, stderr: "" },
  ...more,
});

let mounts: GoMounts;
let archive: string;

beforeEach(async () => {
  const home = await temporaryDirectory();
  mounts = { contract: CONTRACT, goRoot: `${home}/go`, goModCache: `${home}/mod`, goBuildCache: `${home}/build` };
  archive = `${home}/mod/cache/download/example.com/lib/@v/v1.0.0.zip`;
});

afterEach(() => {
  vi.mocked(runGo).mockReset();
});

const fetch = (more: Partial<Parameters<typeof fetchPackages>[2]> = {}) =>
  fetchPackages(mounts, ["./app"], { cwd: "/", progress: silent, allowFailure: true, retryMs: [1, 1], ...more });

/** A Go that announces a download and works at it until it is broken off, as `run` reports that. */
const announcing =
  (during: (options: MountedRunOptions) => Promise<unknown>) =>
  async (_: GoMounts, __: readonly string[], options: MountedRunOptions): Promise<RunResult> => {
    options.onStderrLine?.("go: downloading example.com/lib v1.0.0");
    const aborted = new Promise((_resolve, reject) => {
      options.signal?.addEventListener("abort", () => {
        reject(new KilnError("interrupted", "interrupted"));
      });
    });
    await Promise.race([during(options), aborted]);
    return printing(works);
  };
const forEver = () => new Promise(() => undefined);
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("fetchPackages", () => {
  it("asks once where all can be had, for packages and not for options", async () => {
    vi.mocked(runGo).mockResolvedValue(printing(works));
    expect(await fetch()).toMatchObject({ code: 0, unreached: [], packages: [{ Name: "lib" }] });
    expect(runGo).toHaveBeenCalledTimes(1);
    expect(vi.mocked(runGo).mock.calls[0]?.[1].slice(-2)).toEqual(["--", "./app"]);
  });

  it("tries again, says so, and is content once it works", async () => {
    const note = vi.fn();
    vi.mocked(runGo).mockResolvedValueOnce(printing(fails)).mockResolvedValue(printing(works));
    expect(await fetch({ progress: { ...silent, note } })).toMatchObject({ code: 0, unreached: [] });
    expect(runGo).toHaveBeenCalledTimes(2);
    expect(note.mock.calls).toEqual([[expect.stringMatching(/^example\.com\/lib@v1\.0\.0: .*403.*; trying again$/)]]);
  });

  it("after the last attempt names module and version, and gives all else that was listed", async () => {
    vi.mocked(runGo).mockResolvedValue(printing(`${works}\n${fails}`));
    const { code, packages, unreached } = await fetch();
    expect(runGo).toHaveBeenCalledTimes(3);
    expect(code).toBe(0);
    expect(packages).toHaveLength(2);
    expect(unreached).toEqual([{ module: LIB, reason: expect.stringContaining("403") as string }]);
  });

  it("tries again where the listing failed as a whole", async () => {
    vi.mocked(runGo).mockResolvedValue(printing("", { code: 1, stderr: `go: ${REFUSED}\n` }));
    expect((await fetch()).unreached.map(({ module }) => module)).toEqual([LIB]);
    expect(runGo).toHaveBeenCalledTimes(3);
  });

  it.each([
    ["a package that does not compile", printing(listed({ ImportPath: "x", Error: { Err: "undefined: y" } }))],
    ["a go.mod that cannot be read", printing("", { code: 1, stderr: "go: errors parsing go.mod:\n" })],
    ["a checksum that differs", printing("", { code: 1, stderr: `verifying ${LIB}: checksum mismatch\n` })],
  ])("does not try again for %s", async (_, result) => {
    vi.mocked(runGo).mockResolvedValue(result);
    expect((await fetch()).unreached).toEqual([]);
    expect(runGo).toHaveBeenCalledTimes(1);
  });

  it("tells how many downloads were begun, and passes every line on", async () => {
    const [update, onStderrLine] = [vi.fn(), vi.fn()];
    vi.mocked(runGo).mockImplementation((_, __, options) => {
      for (const line of ["go: downloading a.io/b v1.0.0", "a.io/b", "go: downloading a.io/c v2.0.0"])
        options.onStderrLine?.(line);
      return Promise.resolve(printing(works));
    });
    await fetch({ progress: { ...silent, update }, onStderrLine });
    expect(update.mock.calls).toEqual([
      ["fetching a.io/b", 1, 0],
      ["fetching a.io/c", 2, 0],
    ]);
    expect(onStderrLine).toHaveBeenCalledTimes(3);
  });
});

describe("a download that stands still", () => {
  it("breaks off a request that nobody answers, of which Go announces no download", async () => {
    const asking = announcing(async ({ onStderrLine }) => {
      onStderrLine?.("# get https://proxy/example.com/!lib/@v/v1.0.0.info");
      onStderrLine?.("# get https://proxy/example.com/!lib/@v/v1.0.0.info: 200 OK (0.002s)");
      onStderrLine?.("# get https://proxy/example.com/!lib/@v/v1.0.0.mod");
      await forEver();
    });
    vi.mocked(runGo).mockImplementation(asking);
    const { code, unreached } = await fetch({ stallMs: 60, retryMs: [] });
    expect(code).toBe(1);
    expect(unreached).toEqual([{ module: "example.com/Lib@v1.0.0", reason: "nothing came for 0.06 s" }]);
  });

  it("is broken off, tried again, and named in the end", async () => {
    await writeText(`${archive}123.tmp`, "half");
    vi.mocked(runGo).mockImplementation(announcing(forEver));
    const { code, packages, unreached } = await fetch({ stallMs: 60, retryMs: [1] });
    expect(runGo).toHaveBeenCalledTimes(2);
    expect({ code, packages, unreached }).toEqual({
      ...{ code: 1, packages: [] },
      unreached: [{ module: LIB, reason: "nothing came for 0.06 s" }],
    });
  });

  it("is left alone while it grows", async () => {
    vi.mocked(runGo).mockImplementation(
      announcing(async () => {
        for (let size = 1; size < 60; size += 1) {
          await writeText(`${archive}123.tmp`, "x".repeat(size));
          await wait(20);
        }
      }),
    );
    expect(await fetch({ stallMs: 400, retryMs: [] })).toMatchObject({ code: 0, unreached: [] });
  });

  it("is left alone while Git fetches the repository behind it", async () => {
    await writeText(`${archive}123.tmp`, "");
    vi.mocked(runGo).mockImplementation(
      announcing(async () => {
        for (let size = 1; size < 60; size += 1) {
          await writeText(path.join(mounts.goModCache, "cache/vcs/3ca1/objects/pack/tmp_pack_x"), "x".repeat(size));
          await wait(20);
        }
      }),
    );
    expect(await fetch({ stallMs: 400, retryMs: [] })).toMatchObject({ code: 0, unreached: [] });
  });

  it.each<[string, () => Promise<unknown>]>([
    ["ended", () => writeText(`${archive}hash`, "h1:x")],
    ["was refused, whose archive Go removes", () => rm(`${archive}123.tmp`)],
  ])("is not one that %s, however long the compiler takes after it", async (_, ends) => {
    await writeText(`${archive}123.tmp`, "half");
    vi.mocked(runGo).mockImplementation(
      announcing(async () => {
        await ends();
        await wait(300);
      }),
    );
    expect(await fetch({ stallMs: 60, retryMs: [] })).toMatchObject({ code: 0, unreached: [] });
  });
});

describe("an interruption", () => {
  /** Interrupts in a moment: the signal itself is the process's, and could not be taken back. */
  beforeEach(() => {
    const controller = new AbortController();
    Object.defineProperty(interruption, "signal", { configurable: true, value: controller.signal });
    setTimeout(() => {
      controller.abort();
    }, 20);
  });

  afterEach(() => {
    Reflect.deleteProperty(interruption, "signal");
  });

  it("ends the wait between attempts, and is not swallowed", async () => {
    vi.mocked(runGo).mockResolvedValue(printing(fails));
    await expect(fetch({ retryMs: [60_000] })).rejects.toMatchObject({ kind: "interrupted" });
    expect(runGo).toHaveBeenCalledTimes(1);
  });

  it("of a download is no stall: it is passed on", async () => {
    await writeText(`${archive}123.tmp`, "half");
    vi.mocked(runGo).mockImplementation(announcing(forEver));
    await expect(fetch()).rejects.toMatchObject({ kind: "interrupted" });
    expect(runGo).toHaveBeenCalledTimes(1);
  });
});

it("throws any other fault of Go's at once", async () => {
  vi.mocked(runGo).mockRejectedValue(new KilnError("unreachable", "cannot run unshare"));
  await expect(fetch()).rejects.toThrow("cannot run unshare");
  expect(runGo).toHaveBeenCalledTimes(1);
});
