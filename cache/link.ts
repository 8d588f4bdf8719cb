import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { actionText, readBuildId } from "./build-id.ts";
import { concurrently } from "./concurrently.ts";
import { firstCompilerError, requireMachineHeld } from "./failed-programs.ts";
import { runGo, type GoMounts } from "./go/command.ts";
import { withoutUserInfo } from "./go/fault.ts";
import { listPackages } from "./go/list.ts";
import { memoryFor, usableMemory } from "./memory.ts";
import type { BuiltProgram } from "./manifest.ts";
import type { Program } from "./programs.ts";
import { actionName, entryNames, outputName, parseRecordLog, type RecordLog } from "./record-log.ts";
import type { Scratch, ScratchFile } from "./scratch.ts";

/** A program that was built as Pulumi builds it. */
export interface LinkedProgram {
  /** Names below go-build/ of what that build read, the finished program's own two included. */
  readonly entries: readonly string[];
  /** Bytes of outputs by their names. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly program: BuiltProgram;
  /** Wall time, where it was linked and not found. */
  readonly seconds?: number;
}

/** Programs by directory, and the linker's first error of those that do not link. */
export interface Links {
  readonly linked: ReadonlyMap<string, LinkedProgram>;
  readonly failed: ReadonlyMap<string, string>;
}

export interface LinkOptions {
  readonly mounts: GoMounts;
  readonly programs: readonly Program[];
  /** The source's directory as builds are to see it: a copy at a path that no image has. */
  readonly source: string;
  /** The gocache program of this machine. */
  readonly gocache: string;
  readonly scratch: Scratch;
  readonly progress: Progress;
}

/** What a linker of a large program takes. */
const LINK_BYTES = 2 * 1024 ** 3;

/**
 * Builds programs as Pulumi does, to fresh paths, several at once, while `gocache record` notes what each build reads; puts
 * finished programs into the build cache under their link actions, so that no build links them again. Those that do not
 * link are named with the linker's first error.
 */
export async function linkPrograms(options: LinkOptions): Promise<Links> {
  const { programs, progress } = options;
  const linked = new Map<string, LinkedProgram>();
  const failed = new Map<string, string>();
  const bytes = usableMemory();
  const width = Math.max(1, Math.min(availableParallelism(), Math.floor(bytes / LINK_BYTES)));
  const { environment } = memoryFor(bytes, width);
  let done = 0;
  await concurrently(
    programs,
    async (program) => {
      const result = await linkProgram(options, environment, program);
      if (typeof result === "string") failed.set(program.directory, result);
      else linked.set(program.directory, result);
      done += 1;
      progress.update(`linked ${program.directory}`, done, programs.length);
    },
    width,
  );
  return { linked, failed };
}

async function linkProgram(
  { mounts, source, gocache, scratch }: LinkOptions,
  environment: NodeJS.ProcessEnv,
  { directory }: Program,
): Promise<LinkedProgram | string> {
  const [out, log] = [scratch.file("program"), scratch.file("log")];
  const start = performance.now();
  const { code, stderr } = await runGo(mounts, ["build", ...mounts.contract.flags, "-o", out.inside, "."], {
    cwd: path.join(source, directory),
    environment: { ...environment, GOCACHEPROG: recorder(gocache, log) },
    allowFailure: true,
  });
  const seconds = (performance.now() - start) / 1000;
  const recorded = await readRecordLog(log, stderr);
  if (code !== 0) {
    const reason = withoutUserInfo(firstCompilerError(stderr));
    requireMachineHeld(reason, path.dirname(mounts.goBuildCache));
    return reason;
  }
  const [prefix = ""] = ((await readBuildId(out.outside)) ?? "").split("/");
  const known = [...recorded.entries].find(([action]) => actionText(action) === prefix);
  const sizes = new Map([...recorded.entries.values()].map(({ output, size }) => [outputName(output), size]));
  const names = entryNames(recorded);
  if (known !== undefined) {
    await rm(out.outside);
    const [action, { output, size }] = known;
    const program = { action: actionName(action), output: outputName(output), bytes: size };
    return { entries: names, sizes, program };
  }
  const action = [...recorded.missed].find((missed) => actionText(missed) === prefix);
  if (action === undefined) throw unknownLink(directory, prefix);
  const program = await putProgram(mounts.goBuildCache, action, out.outside);
  sizes.set(program.output, program.bytes);
  return { entries: [...names, program.action, program.output], sizes, program, seconds };
}

/**
 * What compiling packages reads, of which no program is built: those that a shard of packages ships. Go leaves out what the
 * go.mod in `directory` does not know.
 */
export async function recordPackages(
  { mounts, source, gocache, scratch }: Pick<LinkOptions, "mounts" | "source" | "gocache" | "scratch">,
  directory: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const log = scratch.file("log");
  const compile = { procs: availableParallelism(), actionGraph: scratch.file("actions.json").inside };
  const cwd = path.join(source, directory);
  const { stderr } = await listPackages(mounts, names, {
    cwd,
    compile,
    environment: { GOCACHEPROG: recorder(gocache, log) },
  });
  return entryNames(await readRecordLog(log, stderr));
}

/** GOCACHEPROG is split at spaces, with quotes as a shell has them (cmd/internal/quoted). */
function recorder(gocache: string, log: ScratchFile): string {
  const quoted = [gocache, log.inside].map((text) => (/[\s'"]/.test(text) ? `"${text}"` : text));
  return `${quoted[0] ?? ""} record --log ${quoted[1] ?? ""}`;
}

/** Reads what a Go command was recorded to read. Throws where there is no log: then it did not come to its build cache. */
async function readRecordLog(log: ScratchFile, stderr: string): Promise<RecordLog> {
  const text = await readFile(log.outside, "utf8").catch(() => undefined);
  if (text !== undefined) return parseRecordLog(text);
  throw new KilnError("failed", `gocache did not record what Go read:\n${stderr.trim()}`, {
    mend: "It needs a tool cache (KILN_CACHE_DIR) from which programs can be started.",
  });
}

function unknownLink(directory: string, buildId: string): KilnError {
  const said =
    buildId === "" ? "has no build ID" : `has the build ID ${buildId}…, which is of no action that Go looked for`;
  return new KilnError("failed", `the finished program of ${directory} ${said}, so no build would find it again`, {
    mend: "Build with the Go and the flags of the contract: an -ldflags with -buildid takes the ID away.",
  });
}

/**
 * Moves a finished program into a build cache as the output of its link action. Go itself caches only what `go run` and
 * `go tool` link, but looks for every link action there (useCache in cmd/go/internal/work/buildid.go).
 */
async function putProgram(goBuildCache: string, action: string, file: string): Promise<BuiltProgram> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  const output = hash.digest("hex");
  const program = { action: actionName(action), output: outputName(output), bytes: (await stat(file)).size };
  const target = path.join(goBuildCache, program.output);
  await mkdir(path.dirname(target), { recursive: true });
  await mkdir(path.join(goBuildCache, path.dirname(program.action)), { recursive: true });
  // Where `go run` linked the same program, it stands there as a folder.
  if ((await stat(target).catch(() => undefined))?.isDirectory() === true) await rm(target, { recursive: true });
  await rename(file, target);
  const time = `${BigInt(Date.now()) * 1_000_000n}`.padStart(20);
  const entry = `v1 ${action} ${output} ${String(program.bytes).padStart(20)} ${time}\n`;
  await writeFile(`${file}.entry`, entry);
  await rename(`${file}.entry`, path.join(goBuildCache, program.action));
  return program;
}
