import { WHOLE_PACKAGE, type BuildInputs, type GoFile, type PackageFiles } from "./build-inputs.ts";
import type { CallerSetting } from "./caller-settings.ts";
import { pulumiBuildFlags, type BuildContract } from "../contract.ts";

/** All that decides what one program's build compiles. */
export interface ProgramBuild {
  readonly contract: BuildContract;
  readonly goFiles: Readonly<Record<string, GoFile>>;
  /** By module path. */
  readonly modules: Readonly<Record<string, string>>;
  /** By directory, each package after what it imports. */
  readonly packages: readonly (readonly [directory: string, files: PackageFiles])[];
}

/** An input in which a build differs from the one that was warmed. */
export interface Difference {
  readonly kind: "contract" | "setting" | "go line" | "module" | "file" | "package" | "note";
  /** What differs: a variable, a file and its line, a module's path, a file. */
  readonly input: string;
  readonly warmed?: string;
  readonly present?: string;
  /** What a person reads, and what to do about it. */
  readonly line: string;
}

/** How a difference is told: who builds, what brings settings in, and what warms again. */
export interface Telling {
  /** `this kiln` or `the image`. */
  readonly builder: string;
  readonly settings: readonly CallerSetting[];
  /** `warm again` or `bake again`, and what does as well where the contract differs. */
  readonly again: string;
  readonly instead: string;
}

/** The build of one program among recorded inputs; undefined where it is not among them. */
export function programBuild(
  inputs: BuildInputs,
  contract: BuildContract,
  directory: string,
): ProgramBuild | undefined {
  const program = inputs.programs[directory];
  if (program === undefined) return undefined;
  return {
    contract,
    goFiles: Object.fromEntries(program.goFiles.map((file) => [file, inputs.goFiles[file] ?? {}])),
    modules: program.modules,
    packages: program.packages.map((folder) => [folder, inputs.packages[folder] ?? {}]),
  };
}

/**
 * Every input in which a build differs from the warmed one, in the order of what follows from what: the contract, go.mod
 * lines, module versions, files with the deepest dependency first, then packages that came or went. The first is the one
 * to act on.
 */
export function differences(warmed: ProgramBuild, present: ProgramBuild, telling: Telling): readonly Difference[] {
  return [
    ...contractDifferences(warmed.contract, present.contract, telling),
    ...newAndLostGoFiles(warmed.goFiles, present.goFiles, /(?:^|\/)go\.work$/, telling),
    ...goFileDifferences(warmed.goFiles, present.goFiles, telling),
    ...changedModules(warmed.modules, present, telling),
    ...newAndLostGoFiles(warmed.goFiles, present.goFiles, /(?:^|\/)go\.mod$/, telling),
    ...fileDifferences(warmed, present, telling),
    ...newAndLostModules(warmed.modules, present.modules, telling),
  ];
}

/** Inputs of the contract in the order in which one decides another, by the name that people know. */
function contractInputs(contract: BuildContract): readonly (readonly [name: string, value: string])[] {
  const { GOFLAGS = "", ...environment } = contract.environment;
  return [
    ["Go version", contract.goVersion],
    ["GOOS", contract.goos],
    ["GOARCH", contract.goarch],
    ...Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1)),
    ["build flags", contract.flags.join(" ")],
    ["GOFLAGS", GOFLAGS],
    ["GOROOT", contract.paths.goRoot],
    ["GOMODCACHE", contract.paths.goModCache],
    ["GOCACHE", contract.paths.goBuildCache],
  ];
}

/** Where two contracts differ, a variable that is not set counting as empty. */
export function contractDifferences(
  left: BuildContract,
  right: BuildContract,
  { builder, settings, again, instead }: Telling,
): readonly Difference[] {
  const [a, b] = [new Map(contractInputs(left)), new Map(contractInputs(right))];
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((input): readonly Difference[] => {
    const [warmed, present] = [a.get(input) ?? "", b.get(input) ?? ""];
    if (warmed === present) return [];
    const setting = settings.find(({ name }) => name === input);
    if (setting !== undefined) {
      const line = `${input}=${setting.value} is set in ${setting.where}, and the cache was warmed ${withValue(warmed)}: ${setting.unset}`;
      return [{ kind: "setting", input, warmed, present, line }];
    }
    const passes = input === "build flags" ? [pulumiWith(left), pulumiWith(right)] : ["", ""];
    const line = `${input}: warmed ${withValue(warmed)}${passes[0] ?? ""}, ${builder} builds ${withValue(present)}${passes[1] ?? ""}: ${again}, or ${instead}`;
    return [{ kind: "contract", input, warmed, present, line }];
  });
}

function withValue(value: string): string {
  return value === "" ? "without it" : `with ${value.includes(" ") ? `"${value}"` : value}`;
}

/** The minor versions of the Pulumi CLI that pass these flags, as ` (Pulumi 3.233 to 3.245)`; empty where none does. */
export function pulumiWith({ flags }: Pick<BuildContract, "flags">): string {
  const known = Array.from({ length: LAST_MINOR + 1 }, (_, minor) => pulumiBuildFlags(`3.${minor}.0`).join(" "));
  const [first, last] = [known.indexOf(flags.join(" ")), known.lastIndexOf(flags.join(" "))];
  if (first === -1) return "";
  if (first === last) return ` (Pulumi 3.${first})`;
  const from =
    first === 0 ? `up to 3.${last}` : last === LAST_MINOR ? `3.${first} and later` : `3.${first} to 3.${last}`;
  return ` (Pulumi ${from})`;
}

/** Beyond every Pulumi version whose flags kiln knows of. */
const LAST_MINOR = 999;

/** A go.work that came or went decides versions; a go.mod may be there because of a module that was replaced. */
function newAndLostGoFiles(
  warmed: ProgramBuild["goFiles"],
  present: ProgramBuild["goFiles"],
  kind: RegExp,
  { again }: Telling,
): readonly Difference[] {
  const [before, now] = [warmed, present].map((files) => Object.keys(files).filter((file) => kind.test(file)));
  const added = now?.filter((file) => warmed[file] === undefined) ?? [];
  const lost = before?.filter((file) => present[file] === undefined) ?? [];
  return [
    ...added.map((input): Difference => {
      return {
        kind: "go line",
        input,
        line: `${input} governs the build and did not at warming: remove it, or ${again}`,
      };
    }),
    ...lost.map((input): Difference => {
      const line = `${input} governed the build at warming and does not any more: put it back, or ${again}`;
      return { kind: "go line", input, line };
    }),
  ];
}

function goFileDifferences(
  warmed: ProgramBuild["goFiles"],
  present: ProgramBuild["goFiles"],
  { again }: Telling,
): readonly Difference[] {
  return Object.entries(present).flatMap(([file, right]): readonly Difference[] => {
    const left = warmed[file];
    if (left === undefined) return [];
    return (["go", "godebug"] as const).flatMap((name): readonly Difference[] => {
      const [old, now] = [lineOf(left, name), lineOf(right, name)];
      if (old === now) return [];
      const said = old === "" ? "had none" : `said "${name} ${old}"`;
      const line = `${file} ${says(name, now)}, and was warmed when it ${said}: ${again}, or put it back`;
      return [{ kind: "go line", input: `${file}: ${name}`, warmed: old, present: now, line }];
    });
  });
}

function lineOf(file: GoFile, name: "go" | "godebug"): string {
  return name === "go" ? (file.go ?? "") : (file.godebug ?? []).join(" ");
}

function says(name: string, value: string): string {
  return value === "" ? `has no ${name} line` : `says "${name} ${value}"`;
}

function changedModules(
  warmed: ProgramBuild["modules"],
  { modules, goFiles }: ProgramBuild,
  { again }: Telling,
): readonly Difference[] {
  const file = Object.keys(goFiles).find((name) => name.endsWith("go.mod")) ?? "go.mod";
  return Object.entries(warmed).flatMap(([name, version]): readonly Difference[] => {
    const present = modules[name];
    if (present === undefined || present === version) return [];
    const asks = present.startsWith("=>") ? `puts ${present.slice(3)} in its place` : `asks for ${present}`;
    const line = `${name} ${version} was warmed, ${file} ${asks}: ${again}, or go back to ${version}`;
    return [{ kind: "module", input: name, warmed: version, present, line }];
  });
}

function newAndLostModules(
  warmed: ProgramBuild["modules"],
  present: ProgramBuild["modules"],
  { again }: Telling,
): readonly Difference[] {
  const added = Object.entries(present).filter(([name]) => warmed[name] === undefined);
  const lost = Object.entries(warmed).filter(([name]) => present[name] === undefined);
  return [
    ...added.map(([input, version]): Difference => {
      const line = `${input} ${version} is compiled now and was not at warming: ${again}`;
      return { kind: "module", input, present: version, line };
    }),
    ...lost.map(([input, version]): Difference => {
      const line = `${input} ${version} was warmed and is not compiled any more`;
      return { kind: "note", input, warmed: version, line };
    }),
  ];
}

function fileDifferences(warmed: ProgramBuild, present: ProgramBuild, { again }: Telling): readonly Difference[] {
  const [left, right] = [new Map(warmed.packages), new Map(present.packages)];
  const inBoth = present.packages.flatMap(([folder, files]) => {
    const old = left.get(folder);
    return old === undefined ? [] : changedFiles(folder, old, files, again);
  });
  const added = present.packages.filter(([folder]) => !left.has(folder));
  const lost = warmed.packages.filter(([folder]) => !right.has(folder));
  return [
    ...inBoth,
    ...added.map(([input]): Difference => {
      return { kind: "package", input, line: `${input} is compiled now and was not at warming: ${again}` };
    }),
    ...lost.map(([input]): Difference => {
      return { kind: "note", input, line: `${input} was warmed and is not compiled any more` };
    }),
  ];
}

function changedFiles(folder: string, old: PackageFiles, now: PackageFiles, again: string): readonly Difference[] {
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort();
  return names
    .filter((name) => old[name] !== now[name])
    .map((name): Difference => {
      const [warmed, present] = [old[name], now[name]];
      const input = folder === "." ? name : name === WHOLE_PACKAGE ? folder : `${folder}/${name}`;
      const what = warmed === undefined ? "was added" : present === undefined ? "is not compiled any more" : "changed";
      return {
        ...{ kind: "file", input },
        ...(warmed === undefined ? {} : { warmed }),
        ...(present === undefined ? {} : { present }),
        line: `${input} ${what}${present === undefined ? ", and was at warming" : " since warming"}: ${again}`,
      };
    });
}
