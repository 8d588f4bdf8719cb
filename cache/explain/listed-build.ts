import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { realpath } from "node:fs/promises";
import path from "node:path";
import type { RunResult } from "../../toolchain/process.ts";
import {
  sorted,
  uniteInputs,
  WHOLE_PACKAGE,
  type BuildInputs,
  type GoFile,
  type PackageFiles,
  type ProgramInputs,
} from "./build-inputs.ts";
import { runGo, type GoMounts, type MountedRunOptions } from "../go/command.ts";
import { goDirectives } from "../go/directives.ts";
import {
  goModuleOf,
  importsOf,
  parseJsonStream,
  SOURCE_FIELDS,
  sourceFilesOf,
  type ListedPackage,
} from "../go/list.ts";
import { closureOf } from "../graph.ts";
import type { Program } from "../programs.ts";
import { goWorkOf, readText } from "../source-files.ts";

/** Where Go runs: on caches mounted here, or inside an image. */
export interface GoSite {
  /** The real path at which Go sees the source. */
  readonly root: string;
  /** Runs `go` in a directory of the source, and gives its exit code whatever it is. */
  go(args: readonly string[], directory: string): Promise<RunResult>;
}

/** Go on mounted caches, over the source itself. */
export async function mountedGo(
  mounts: GoMounts,
  source: string,
  options: Pick<MountedRunOptions, "offline" | "discardWrites"> = {},
): Promise<GoSite> {
  return {
    root: await realpath(source),
    go: (args, directory) => runGo(mounts, args, { ...options, cwd: path.join(source, directory), allowFailure: true }),
  };
}

/** What `go list` says of a package that is to be built. */
export interface BuildPackage extends ListedPackage {
  /** Whether a build would compile it, and why, where that was asked for. */
  readonly Stale?: boolean;
  readonly StaleReason?: string;
}

const FIELDS = ["ImportPath", "Name", "Dir", "Standard", "Module", "Imports", "ImportMap", "Error", ...SOURCE_FIELDS];

/**
 * Lists what builds of these packages are made of, faulty packages included. With `stale` Go works out every action ID and
 * looks it up, without compiling: exact for what misses first, and an upper bound for what follows from that.
 */
export async function listBuild(
  site: GoSite,
  flags: readonly string[],
  directory: string,
  names: readonly string[],
  stale = false,
): Promise<{ readonly packages: readonly BuildPackage[]; readonly fault?: string }> {
  const fields = [...FIELDS, ...(stale ? ["Stale", "StaleReason"] : [])].join(",");
  const { code, stdout, stderr } = await site.go(
    ["list", "-e", "-deps", ...flags, `-json=${fields}`, ...names],
    directory,
  );
  if (code !== 0) return { packages: [], fault: stderr.trim() };
  return { packages: parseJsonStream<BuildPackage>(stdout) };
}

/**
 * What sound programs are built from, by provider, out of listings by the directory of each go.mod: what a cache directory
 * keeps for `kiln cache explain`.
 */
export async function readInputsByProvider(
  root: string,
  source: string,
  listings: ReadonlyMap<string, readonly BuildPackage[]>,
  programs: readonly Program[],
): Promise<Readonly<Record<string, BuildInputs>>> {
  const found: Record<string, BuildInputs> = {};
  for (const [goModule, members] of Map.groupBy(programs, (program) => program.goModule)) {
    for (const [provider, own] of Map.groupBy(members, (program) => program.provider)) {
      const directories = own.map((program) => program.directory);
      const inputs = await readInputs(root, source, listings.get(goModule) ?? [], directories);
      found[provider] = uniteInputs(found[provider] === undefined ? [inputs] : [found[provider], inputs]);
    }
  }
  return sorted(found);
}

/** What the programs of these directories are built from, of a list that holds them with all that they import. */
export async function readInputs(
  root: string,
  source: string,
  listed: readonly BuildPackage[],
  directories: readonly string[],
): Promise<BuildInputs> {
  const graph = new Map(listed.map((entry) => [entry.ImportPath, { imports: importsOf(entry) }]));
  const byDirectory = new Map(listed.map((entry) => [entry.Dir, entry.ImportPath]));
  const place = (file: string) => path.relative(root, file) || ".";
  const programs: Record<string, ProgramInputs> = {};
  const [goFiles, packages]: [Record<string, GoFile>, Record<string, PackageFiles>] = [{}, {}];
  for (const directory of directories) {
    const main = byDirectory.get(path.join(root, directory));
    if (main === undefined) continue;
    const closure = closureOf(graph, [main]);
    const members = listed.filter((entry) => closure.has(entry.ImportPath) && entry.Standard !== true);
    const own = members.filter((entry) => isOwn(entry));
    for (const entry of own) {
      const folder = place(entry.Dir ?? root);
      packages[folder] ??= await readFiles(path.join(source, folder), entry);
    }
    const goMods = own.flatMap(({ Module: module }) => (module?.Replace ?? module)?.GoMod ?? []).map(place);
    const goWorks = await Promise.all(goMods.map((file) => goWorkOf(source, path.posix.dirname(file))));
    const governing = [...new Set([...goMods, ...goWorks.filter((file) => file !== undefined)])].sort();
    for (const file of governing) goFiles[file] ??= goFileOf(await readText(path.join(source, file)));
    programs[directory] = {
      goFiles: governing,
      packages: own.map((entry) => place(entry.Dir ?? root)),
      modules: modulesOf(members),
    };
  }
  return uniteInputs([{ programs, goFiles, packages }]);
}

/** Reads what of a go.mod or go.work enters compile actions. */
export function goFileOf(text: string): GoFile {
  const blocks = [...text.replace(/\/\/.*$/gm, "").matchAll(/^godebug[ \t]+(?:\(([^)]*)\)|(\S+))/gm)];
  const godebug = blocks.flatMap(([, block, single]) =>
    (block ?? single ?? "").split(/\s+/).filter((word) => word !== ""),
  );
  const { go } = goDirectives(text);
  const language = go === undefined ? undefined : (/^\d+\.\d+/.exec(go)?.[0] ?? go);
  return {
    ...(language === undefined ? {} : { go: language }),
    ...(godebug.length === 0 ? {} : { godebug: godebug.sort() }),
  };
}

/** One of the repository's own packages, or one that it carries in a vendor directory. */
function isOwn(entry: BuildPackage): boolean {
  return entry.Dir !== undefined && goModuleOf(entry) === undefined;
}

async function readFiles(folder: string, entry: BuildPackage): Promise<PackageFiles> {
  const files: Record<string, string> = {};
  for (const name of sourceFilesOf(entry)) files[name] = await digestOf(path.join(folder, name));
  if (entry.Module?.Version === undefined || entry.Module.Replace !== undefined) return files;
  return { [WHOLE_PACKAGE]: createHash("sha256").update(JSON.stringify(files)).digest("hex") };
}

/** SHA-256 of a file's content, in hexadecimal digits. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function modulesOf(entries: readonly BuildPackage[]): Readonly<Record<string, string>> {
  const modules: Record<string, string> = {};
  for (const { Module: module } of entries) {
    if (module === undefined) continue;
    const { Path: name, Version: version, Replace: replace } = module;
    if (replace !== undefined) modules[name] = `=> ${[replace.Path, replace.Version].filter(Boolean).join("@")}`;
    else if (version !== undefined) modules[name] = version;
  }
  return sorted(modules);
}
