import { readFile } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { parseBases } from "../../../../execution/module/bases.ts";
import { detectKind } from "../../../../execution/module/detect.ts";
import { moduleDockerfile } from "../../../../execution/module/dockerfile.ts";
import type { ModuleKind } from "../../../../execution/module/kind.ts";
import { parseDockerfile } from "../../../../execution/module/lint.ts";

const PROJECT = path.join(import.meta.dirname, "../../../..");
const bases = parseBases(await readFile(path.join(PROJECT, "images/iac-module/bases.json"), "utf8"));

const kindOf = (files: Readonly<Record<string, string>>) =>
  detectKind({ names: new Set(Object.keys(files)), texts: new Map(Object.entries(files)) }, "m");
const dockerfileOf = (files: Readonly<Record<string, string>>) => moduleDockerfile(kindOf(files), bases);
const project = (runtime: object, more: object = {}) => JSON.stringify({ name: "p", runtime, ...more });

const FRAMEWORK = "<TargetFramework>net9.0</TargetFramework>";
const python = (manager: string, virtualenv: string) => ({
  "Pulumi.yaml": project({ name: "python", options: { toolchain: manager, virtualenv } }),
  "pyproject.toml": "",
});

/** Every place of a module's own files whose text comes into its Dockerfile, with what would be right there. */
const PLACES: readonly (readonly [string, string, (name: string) => Readonly<Record<string, string>>])[] = [
  ["name of the project", "p", (name) => ({ "Pulumi.yaml": JSON.stringify({ name, runtime: "yaml" }) })],
  ["main of Go", "cmd", (main) => ({ "Pulumi.yaml": project({ name: "go" }, { main }), "go.mod": "", "go.sum": "" })],
  ...["pip", "uv", "poetry"].map(
    (manager) => [`virtualenv of ${manager}`, "env", (name: string) => python(manager, name)] as const,
  ),
  [
    "version of packageManager",
    "4.5.6",
    (version) => ({
      "Pulumi.yaml": project({ name: "nodejs" }),
      "package.json": JSON.stringify({ packageManager: `pnpm@${version}` }),
    }),
  ],
  [
    "yarnPath",
    ".yarn/releases/yarn-4.5.6.cjs",
    (yarnPath) => ({
      "Pulumi.yaml": project({ name: "nodejs", options: { packagemanager: "yarn" } }),
      "package.json": JSON.stringify({ packageManager: "yarn@4.5.6", main: "bin/x.js", scripts: { build: "tsc" } }),
      ".yarnrc.yml": JSON.stringify({ yarnPath }),
    }),
  ],
  [
    "yarn-path",
    ".yarn/releases/yarn-1.22.19.cjs",
    (yarnPath) => ({
      "Pulumi.yaml": project({ name: "nodejs", options: { packagemanager: "yarn" } }),
      "package.json": JSON.stringify({ packageManager: "yarn@1.22.19" }),
      ".yarnrc": `yarn-path "${yarnPath}"\n`,
    }),
  ],
  [
    "file of the .NET project",
    "Infra",
    (name) => ({ "Pulumi.yaml": project({ name: "dotnet" }), [`${name}.csproj`]: FRAMEWORK }),
  ],
  [
    "main class of Maven",
    "a.B",
    (name) => ({ "Pulumi.yaml": project({ name: "java" }), "pom.xml": `<exec.mainClass>${name}</exec.mainClass>` }),
  ],
  [
    "main class of Gradle",
    "a.B",
    (name) => ({ "Pulumi.yaml": project({ name: "java" }), "build.gradle": `application { mainClass = "${name}" }` }),
  ],
];

/** What shells, Dockerfiles and programs give a meaning to, alone and in the midst of a name. */
const SIGNS = [
  ...Array.from(" \t\n\r;&|<>()$`\"'\\#~*?[]{}!^%:,="),
  ...["$(id)", "`id`", "${PATH}", "\nRUN id", "\\\nRUN id", "' ; id ; '", '" ; id ; "', "; id #", "é", "\0"],
];
const hostile = fc.tuple(fc.stringMatching(/^[a-z]{0,3}$/), fc.constantFrom(...SIGNS), fc.stringMatching(/^[a-z]{3}$/));
const OUTSIDE = ["../x", "a/../../x", "/etc/x", "..", "-x", "--output=x", ".kiln-module", ".kiln-module/x"];

/** The Dockerfile, or undefined where the module is refused as its writer's mistake. */
function made(files: Readonly<Record<string, string>>): string | undefined {
  try {
    return dockerfileOf(files);
  } catch (error) {
    if (error instanceof KilnError && error.kind === "usage") return undefined;
    throw error;
  }
}

describe.each(PLACES)("%s", (_, right, filesOf) => {
  const steps = parseDockerfile(dockerfileOf(filesOf(right))).map(({ name }) => name);

  it("takes what is right", () => {
    expect(made(filesOf(right))).toBeDefined();
  });

  it("takes nothing apart: what is hostile is refused, or is not in the Dockerfile", () => {
    fc.assert(
      fc.property(hostile, (parts) => {
        const name = parts.join("");
        // A class of Java may have a $ in its name: in quotes, which a shell leaves as it is.
        const text = made(filesOf(name))?.replaceAll(`'${name.replaceAll("'", "")}'`, "");
        if (text === undefined) return;
        expect(parseDockerfile(text).map((step) => step.name)).toEqual(steps);
        // Neither as it is nor in the quotes of a list or an assignment.
        expect(text).not.toContain(name);
        expect(text).not.toContain(JSON.stringify(name).slice(1, -1));
      }),
      { numRuns: 300 },
    );
  });
});

it.each(PLACES.filter(([what]) => /main of Go|virtualenv|arn-?[pP]ath/.test(what)))(
  "%s stays below the module, and is no option",
  (_, __, filesOf) => {
    for (const name of OUTSIDE) expect(made(filesOf(name)), name).toBeUndefined();
  },
);

it.each(["-x", "My Infra", "x;id;"])("a .NET project file called %s.csproj is refused by its own name", (name) => {
  const files = { "Pulumi.yaml": project({ name: "dotnet" }) };
  const text = `${FRAMEWORK}<AssemblyName>Fine</AssemblyName>`;
  expect(made({ ...files, "fine.csproj": text })).toContain("dotnet restore fine.csproj");
  expect(() => kindOf({ ...files, [`${name}.csproj`]: text })).toThrow(/the project file's name is/);
});

it.each(["My Infra", "$(MSBuildProjectName)", "../x"])(
  "an assembly called %s is refused, not taken for another",
  (name) => {
    const text = `${FRAMEWORK}<AssemblyName>${name}</AssemblyName>`;
    expect(() => kindOf({ "Pulumi.yaml": project({ name: "dotnet" }), "x.csproj": text })).toThrow(/<AssemblyName>/);
  },
);

it("a kind that no detection made is held to the same", () => {
  const shared = { tool: "pulumi", project: "p", projectFile: "Pulumi.yaml", notes: [] } as const;
  const nodejs = { runtime: "nodejs", packageManager: "yarn", manifests: [], local: true, builds: false } as const;
  const bad = "x; id";
  const kinds: readonly ModuleKind[] = [
    { ...shared, runtime: "go", package: bad },
    { ...shared, runtime: "go", package: ".", projectFile: bad },
    { ...shared, runtime: "dotnet", buildFile: bad, version: "9.0", assembly: "x" },
    { ...shared, runtime: "java", packageManager: "maven", buildFile: "pom.xml", mainClass: bad },
    { ...shared, runtime: "python", packageManager: "pip", manifests: [], local: true, virtualenv: bad },
    { ...shared, ...nodejs, managerVersion: bad },
    { ...shared, ...nodejs, release: bad },
  ];
  for (const kind of kinds) {
    expect(() => moduleDockerfile(kind, bases), JSON.stringify(kind)).toThrow(
      expect.objectContaining({ kind: "usage", message: expect.stringContaining(JSON.stringify(bad)) as string }),
    );
  }
});

it("a project's name in a label is text: no variable is put into it, not even PATH", () => {
  const kind: ModuleKind = {
    ...{ tool: "pulumi", runtime: "yaml", projectFile: "Pulumi.yaml", notes: [] },
    project: 'a${PATH}\n"b',
  };
  expect(moduleDockerfile(kind, bases)).toContain('dev.kiln.module.project="a\\${PATH}\\n\\"b"');
});
