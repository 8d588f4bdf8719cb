import path from "node:path";
import { WHOLE_PACKAGE, type PackageFiles } from "./build-inputs.ts";
import type { BuildContract } from "../contract.ts";
import { programBuild, type ProgramBuild } from "./differences.ts";
import { digestOf, goFileOf, readInputs, type BuildPackage, type GoSite } from "./listed-build.ts";
import { isFile, readGoModuleOf, readText } from "../source-files.ts";

/**
 * All that decides a build of the program in `directory` as its files are now, of what `go list` says of it. Where Go cannot
 * tell offline, go.mod and the files of the build `before` stand in.
 */
export async function readPresentBuild(
  site: GoSite,
  contract: BuildContract,
  source: string,
  directory: string,
  listed: readonly BuildPackage[],
  before: ProgramBuild | undefined,
): Promise<ProgramBuild> {
  const inputs = await readInputs(site.root, source, listed, [directory]);
  const known = programBuild(inputs, contract, directory);
  const goMod = await readText(path.join(source, await readGoModuleOf(source, directory), "go.mod"));
  const asked = Object.keys(before?.modules ?? {}).flatMap((name) => {
    const version = askedVersion(goMod, name);
    return version === undefined ? [] : [[name, version] as const];
  });
  // Of a version that the cache does not have Go says nothing offline; go.mod does.
  if (known !== undefined && listed.every((entry) => entry.Error === undefined)) return known;
  const modules = { ...Object.fromEntries(asked), ...known?.modules };
  if (known !== undefined) return { ...known, modules };
  const goFiles = await Promise.all(
    Object.keys(before?.goFiles ?? {}).map(
      async (file) => [file, goFileOf(await readText(path.join(source, file)))] as const,
    ),
  );
  const packages = await Promise.all(
    (before?.packages ?? []).map(
      async ([folder, files]) => [folder, await readAgain(path.join(source, folder), files)] as const,
    ),
  );
  return { contract, goFiles: Object.fromEntries(goFiles), modules, packages };
}

/** What a go.mod asks for: the version that it requires of a module, or what it puts in its place. */
export function askedVersion(goMod: string, module: string): string | undefined {
  const name = module.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const text = goMod.replace(/\/\/.*$/gm, "");
  const replaced = new RegExp(
    `^\\s*(?:replace\\s+)?${name}(?:\\s+v\\S+)?\\s+=>\\s+(\\S+)(?:[ \\t]+(v\\S+))?`,
    "m",
  ).exec(text);
  if (replaced) return `=> ${replaced.slice(1).filter(Boolean).join("@")}`;
  return new RegExp(`^\\s*(?:require\\s+)?${name}\\s+(v\\S+)\\s*$`, "m").exec(text)?.[1];
}

/** The same files as they are now, where Go cannot say which it would read. */
async function readAgain(folder: string, files: PackageFiles): Promise<PackageFiles> {
  const now: Record<string, string> = {};
  for (const [name, digest] of Object.entries(files)) {
    if (name === WHOLE_PACKAGE) now[name] = digest;
    else if (await isFile(path.join(folder, name))) now[name] = await digestOf(path.join(folder, name));
  }
  return now;
}
