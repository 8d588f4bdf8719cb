import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detectKind, detectModule } from "../../../../execution/module/detect.ts";

/** What a module of these files is; a file without text is one that detection does not read. */
const kindOf = (files: Readonly<Record<string, string>>) =>
  detectKind({ names: new Set(Object.keys(files)), texts: new Map(Object.entries(files)) }, "m");

const NODE = { "package.json": "{}" };
const usage = (message: RegExp): unknown =>
  expect.objectContaining({ kind: "usage", message: expect.stringMatching(message) as string });

describe("detectKind", () => {
  it.each([
    ["runtime: nodejs", NODE, "nodejs"],
    ['runtime: "nodejs"', NODE, "nodejs"],
    ["runtime: 'python'", { "requirements.txt": "pulumi" }, "python"],
    ["runtime:    python   # not nodejs", { "requirements.txt": "pulumi" }, "python"],
    ["runtime:\n    name: python\n    options:\n        virtualenv: venv", { "requirements.txt": "pulumi" }, "python"],
    ["runtime:\n  options:\n    virtualenv: venv\n  name: python", { "requirements.txt": "pulumi" }, "python"],
    ["runtime: {name: go, options: {binary: x}}", { "go.mod": "", "go.sum": "" }, "go"],
    ["description: 'runtime: go'\nruntime: yaml", {}, "yaml"],
    ["# runtime: go\nruntime: yaml", {}, "yaml"],
    ["runtime: dotnet", { "a.csproj": "<TargetFramework>net9.0</TargetFramework>" }, "dotnet"],
    ["runtime: java", { "pom.xml": "<exec.mainClass>a.B</exec.mainClass>" }, "java"],
  ])("reads the project file as YAML: %s", (runtime, files, expected) => {
    for (const projectFile of ["Pulumi.yaml", "Pulumi.yml"]) {
      const kind = kindOf({ [projectFile]: `name: p\n${runtime}\n`, ...files });
      expect(kind).toMatchObject({ tool: "pulumi", runtime: expected, project: "p", projectFile });
    }
  });

  it.each(["main.tf", "main.tofu", "main.tf.json", "x.tofu.json"])("takes %s for OpenTofu", (name) => {
    expect(kindOf({ [name]: "" })).toMatchObject({ tool: "opentofu", lockFile: undefined });
    expect(kindOf({ [name]: "", ".terraform.lock.hcl": "" })).toMatchObject({
      lockFile: ".terraform.lock.hcl",
      notes: [],
    });
  });

  it.each([
    [{}, /is no module.*neither Pulumi\.yaml nor \.tf/],
    [{ "README.md": "", "main.go": "" }, /is no module/],
    [{ "Pulumi.yaml": "name: p\nruntime: yaml", "Pulumi.yml": "" }, /ambiguous: it has Pulumi\.yaml and Pulumi\.yml/],
    [{ "Pulumi.yaml": "name: p\nruntime: yaml", "main.tf": "" }, /ambiguous: it has Pulumi\.yaml and main\.tf/],
    [{ "Pulumi.yaml": "name: p\nruntime: cobol" }, /runtime cobol/],
    [{ "Pulumi.yaml": "name: p" }, /runtime is missing/],
    [{ "Pulumi.yaml": "name: p\nruntime: [nodejs]" }, /runtime is a list/],
    [{ "Pulumi.yaml": "name: p\nruntime: {options: {}}" }, /runtime\.name is missing/],
    [{ "Pulumi.yaml": "runtime: yaml" }, /name is missing/],
    [{ "Pulumi.yaml": "name: p\nruntime: nodejs" }, /without package\.json/],
    [{ "Pulumi.yaml": "name: p\nruntime: python" }, /without requirements\.txt or pyproject\.toml/],
    [{ "Pulumi.yaml": "name: p\nruntime: go" }, /without go\.mod/],
    [{ "Pulumi.yaml": "name: p\nruntime: dotnet" }, /without \.csproj/],
    [{ "Pulumi.yaml": "name: p\nruntime: dotnet", "a.csproj": "", "b.fsproj": "" }, /with a\.csproj and b\.fsproj/],
    [{ "Pulumi.yaml": "name: p\nruntime: dotnet", "a.csproj": "<Project/>" }, /no <TargetFramework>/],
    [{ "Pulumi.yaml": "name: p\nruntime: java" }, /without pom\.xml/],
    [{ "Pulumi.yaml": "name: p\nruntime: java", "pom.xml": "", "build.gradle": "" }, /build\.gradle and pom\.xml/],
    [{ "Pulumi.yaml": "name: p\nruntime: java", "pom.xml": "<project/>" }, /names no main class/],
    [{ "Pulumi.yaml": "name: p\nruntime: java", "pom.xml": "<mainClass>a'; rm -rf /</mainClass>" }, /no main class/],
    [{ "Pulumi.yaml": "a: b: c" }, /is no YAML/],
  ])("refuses %j and says why", (files, message) => {
    expect(() => kindOf(files as unknown as Record<string, string>)).toThrow(usage(message));
  });

  it("says what it found where there is no module", () => {
    const said = (files: Record<string, string>) => {
      try {
        kindOf(files);
      } catch (error) {
        return (error as { mend?: string }).mend;
      }
      return undefined;
    };
    expect(said({ "b.md": "", "a.md": "" })).toMatch(/Found there: a\.md, b\.md\.$/);
    expect(said({})).toMatch(/Found there: no files\.$/);
    expect(said(Object.fromEntries("abcdefghij".split("").map((name) => [name, ""])))).toMatch(/g, h and 2 more\.$/);
  });

  it("does not depend on the order of files", () => {
    const files = {
      "Pulumi.yaml": "name: p\nruntime: nodejs",
      ...NODE,
      "yarn.lock": "",
      ".npmrc": "",
      "z.ts": "",
      a: "",
    };
    const expected = kindOf(files);
    fc.assert(
      fc.property(fc.shuffledSubarray(Object.entries(files), { minLength: 6 }), (entries) => {
        expect(kindOf(Object.fromEntries(entries))).toEqual(expected);
      }),
    );
  });
});

describe("package managers of Node", () => {
  const node = (files: Record<string, string>, options = "{}") =>
    kindOf({ "Pulumi.yaml": `name: p\nruntime: {name: nodejs, options: ${options}}`, ...NODE, ...files });

  it.each([
    ["package-lock.json", "npm"],
    ["npm-shrinkwrap.json", "npm"],
    ["pnpm-lock.yaml", "pnpm"],
    ["yarn.lock", "yarn"],
    ["bun.lock", "bun"],
    ["bun.lockb", "bun"],
  ])("%s is that of %s", (lockFile, packageManager) => {
    expect(node({ [lockFile]: "" })).toMatchObject({ packageManager, lockFile, notes: [] });
  });

  it("takes npm where nothing says otherwise, with a note", () => {
    expect(node({})).toMatchObject({ packageManager: "npm", notes: [expect.stringContaining("no lock file of npm")] });
  });

  it("follows the option of the project, then packageManager, then the lock file", () => {
    const pinned = { "package.json": '{"packageManager":"pnpm@9.1.0+sha512.abc"}', "pnpm-lock.yaml": "" };
    expect(node(pinned)).toMatchObject({ packageManager: "pnpm", managerVersion: "9.1.0" });
    expect(node({ ...pinned, "yarn.lock": "" }, "{packagemanager: yarn}")).toMatchObject({
      packageManager: "yarn",
      managerVersion: undefined,
    });
  });

  it.each([
    [{ "yarn.lock": "", "package-lock.json": "" }, "{}", /ambiguous: there are package-lock\.json and yarn\.lock/],
    [{ "yarn.lock": "" }, "{packagemanager: pnpm}", /pnpm is the package manager, but the lock file is that of yarn/],
    [{}, "{packagemanager: pip}", /none of npm, pnpm, yarn, bun/],
    [{}, "{packagemanager: 3}", /of type number/],
    [{ "package.json": '{"packageManager":"pnpm@latest"}' }, "{}", /packageManager of package\.json is "pnpm@latest"/],
    [{ "package.json": '{"packageManager":"npm@1.0.0; id"}' }, "{}", /packageManager of package\.json/],
    [{ "package.json": "{" }, "{}", /package\.json is no JSON/],
  ])("refuses %j with %s", (files, options, message) => {
    expect(() => node(files as unknown as Record<string, string>, options)).toThrow(usage(message));
  });

  const yarn = (files: Record<string, string>, manifest: object = {}) =>
    node({ "yarn.lock": "", "package.json": JSON.stringify(manifest), ...files });
  const RELEASE = ".yarn/releases/yarn-3.6.1.cjs";

  it.each([
    [{ ".yarnrc.yml": `yarnPath: ${RELEASE}` }, {}, { managerVersion: "3.6.1", release: RELEASE, local: true }],
    [{ ".yarnrc.yml": `yarnPath: "./${RELEASE}"` }, {}, { managerVersion: "3.6.1", release: RELEASE, local: true }],
    [{ ".yarnrc": `yarn-path "${RELEASE}"` }, {}, { managerVersion: "3.6.1", release: RELEASE, local: true }],
    [
      { ".yarnrc.yml": "yarnPath: tools/yarn.cjs" },
      { packageManager: "yarn@4.5.0" },
      { managerVersion: "4.5.0", release: "tools/yarn.cjs", local: true },
    ],
    [
      { ".yarnrc.yml": "plugins: [{ path: .yarn/plugins/x.cjs, spec: x }]" },
      { packageManager: "yarn@4.5.0" },
      { managerVersion: "4.5.0", release: undefined, local: true },
    ],
    [
      { ".yarnrc.yml": "nodeLinker: node-modules" },
      { packageManager: "yarn@4.5.0" },
      { managerVersion: "4.5.0", release: undefined, local: false },
    ],
    [{ ".yarnrc.yml": "# none" }, { packageManager: "yarn@4.5.0" }, { release: undefined, local: false }],
    [{ ".yarnrc": "registry x" }, {}, { managerVersion: undefined, release: undefined, local: false }],
  ])("takes the Yarn that %j and %j name", (files, manifest, expected) => {
    expect(yarn(files as unknown as Record<string, string>, manifest)).toMatchObject(expected);
  });

  it.each([
    [{ ".yarnrc.yml": "nodeLinker: pnp" }, /\.yarnrc\.yml is there, and no version of Yarn/],
    [{ ".yarnrc.yml": "yarnPath: yarn.cjs" }, /yarn\.cjs is named, and no version of Yarn/],
    [{ ".yarnrc.yml": "yarnPath: ../yarn-3.6.1.cjs" }, /yarnPath of \.yarnrc\.yml is .*outside of the module/],
    [{ ".yarnrc.yml": "yarnPath: [a]" }, /yarnPath of \.yarnrc\.yml is \["a"\]/],
    [{ ".yarnrc.yml": "a: b: c" }, /\.yarnrc\.yml is no YAML/],
  ])("refuses the Yarn of %j", (files, message) => {
    expect(() => yarn(files as unknown as Record<string, string>)).toThrow(usage(message));
  });

  it("settings of Yarn are none of other package managers", () => {
    const files = { "package-lock.json": "", ".yarnrc.yml": "yarnPath: [a]" };
    expect(node(files)).toMatchObject({ packageManager: "npm", release: undefined, local: false });
  });

  it("gives an installation the settings of the package manager, dot-files and all", () => {
    const files = { "package-lock.json": "", ".npmrc": "", "bunfig.toml": "", "index.ts": "", ".env": "" };
    expect(node(files)).toMatchObject({ manifests: [".npmrc", "bunfig.toml", "package-lock.json", "package.json"] });
  });

  it.each([
    ['{"dependencies":{"a":"file:../a"}}', true],
    ['{"workspaces":["x"]}', true],
    ['{"scripts":{"postinstall":"node x.js"}}', true],
    ['{"scripts":{"install":"node x.js"}}', true],
    ['{"dependencies":{"a":"1.0.0"}}', false],
  ])("%s needs more than the manifests: %s", (text, local) => {
    expect(node({ "package.json": text })).toMatchObject({ local });
  });

  it.each([
    ['{"main":"bin/index.js","scripts":{"build":"tsc"}}', true],
    ['{"main":"./dist/index.js","scripts":{"build":"tsc"}}', true],
    ['{"main":"bin/index.js"}', false],
    ['{"main":"index.ts","scripts":{"build":"tsc"}}', false],
  ])("%s is built: %s", (text, builds) => {
    expect(node({ "package.json": text })).toMatchObject({ builds });
  });
});

describe("toolchains of Python", () => {
  const python = (files: Record<string, string>, options = "{}") =>
    kindOf({ "Pulumi.yaml": `name: p\nruntime: {name: python, options: ${options}}`, ...files });

  it.each([
    [{ "requirements.txt": "" }, "{}", "pip", "requirements.txt"],
    [{ "pyproject.toml": "" }, "{}", "pip", undefined],
    [{ "pyproject.toml": "", "uv.lock": "" }, "{}", "uv", "uv.lock"],
    [{ "pyproject.toml": "", "poetry.lock": "" }, "{}", "poetry", "poetry.lock"],
    [{ "pyproject.toml": "[tool.poetry]\n" }, "{}", "poetry", undefined],
    [{ "pyproject.toml": "", "uv.lock": "", "requirements.txt": "" }, "{toolchain: pip}", "pip", "requirements.txt"],
  ])("%j with %s is %s", (files, options, packageManager, lockFile) => {
    expect(python(files as unknown as Record<string, string>, options)).toMatchObject({ packageManager, lockFile });
  });

  it("puts the environment where the project wants it, below the module", () => {
    expect(python({ "requirements.txt": "" })).toMatchObject({ virtualenv: ".venv" });
    expect(python({ "requirements.txt": "" }, "{virtualenv: ./env/x}")).toMatchObject({ virtualenv: "env/x" });
    for (const outside of ["../venv", "/venv", "a/../../b", "'a b'", "'$(id)'", ".", "./", ".kiln-module"]) {
      expect(() => python({ "requirements.txt": "" }, `{virtualenv: ${outside}}`)).toThrow(usage(/virtualenv is/));
    }
  });

  it("refuses two lock files that nothing decides between", () => {
    expect(() => python({ "uv.lock": "", "poetry.lock": "" })).toThrow(usage(/uv\.lock and poetry\.lock/));
  });

  it.each([
    ["-r other.txt\n", true],
    ["-e .\n", true],
    ["./local\n", true],
    ["libs/mine\n", true],
    ["mine-1.0-py3-none-any.whl\n", true],
    ["mine[extra] @ file:///app/mine\n", true],
    ["--find-links wheels\nmine==1\n", true],
    ["mine @ git+https://example.com/mine\n", false],
    ["pulumi==3.0.0\nrequests>=2 # -e\n", false],
  ])("requirements %j need more than the manifests: %s", (text, local) => {
    expect(python({ "requirements.txt": text })).toMatchObject({ local });
  });
});

describe("other runtimes", () => {
  it("refuses a .NET program that was compiled elsewhere: nobody could say which providers it needs", () => {
    const runtime = "runtime: {name: dotnet, options: {binary: bin/x.dll}}";
    const files = { "Pulumi.yaml": `name: p\n${runtime}`, "x.csproj": "<TargetFramework>net9.0</TargetFramework>" };
    expect(() => kindOf(files)).toThrow(usage(/runtime\.options\.binary/));
  });

  it.each(["a b", "a/b", "é", "x".repeat(101)])("refuses the project name %s, as Pulumi does", (name) => {
    expect(() => kindOf({ "Pulumi.yaml": `name: ${JSON.stringify(name)}\nruntime: yaml` })).toThrow(usage(/name is/));
  });

  it("builds the package of Go that main names", () => {
    const go = (main: string) => kindOf({ "Pulumi.yaml": `name: p\nruntime: go\n${main}`, "go.mod": "", "go.sum": "" });
    expect(go("")).toMatchObject({ package: ".", notes: [] });
    expect(go("main: ./cmd/x/")).toMatchObject({ package: "./cmd/x" });
    expect(() => go("main: ../x")).toThrow(usage(/outside of the module/));
  });

  it("reads framework and assembly of .NET", () => {
    const text = "<TargetFramework> net9.0 </TargetFramework><AssemblyName>Infra.Main</AssemblyName>";
    const files = { "Pulumi.yaml": "name: p\nruntime: dotnet", "x.csproj": text };
    expect(kindOf(files)).toMatchObject({ version: "9.0", assembly: "Infra.Main", buildFile: "x.csproj" });
    expect(kindOf({ ...files, "x.csproj": text.replace(/<Assembly.*/, "") })).toMatchObject({ assembly: "x" });
  });

  it("tells Maven from Gradle and reads the main class", () => {
    const java = (name: string, text: string) => kindOf({ "Pulumi.yaml": "name: p\nruntime: java", [name]: text });
    expect(java("pom.xml", "<mainClass>a.B</mainClass>")).toMatchObject({ packageManager: "maven", mainClass: "a.B" });
    const gradle = "application {\n  mainClass = 'a.B'\n}";
    expect(java("build.gradle", gradle)).toMatchObject({ packageManager: "gradle", mainClass: "a.B" });
    expect(java("build.gradle.kts", 'mainClass.set("a.B")')).toMatchObject({ mainClass: "a.B" });
  });
});

describe("detectModule", () => {
  it("reads a directory, and does not take a folder of that name for a project file", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "kiln-detect-"));
    try {
      await mkdir(path.join(directory, "Pulumi.yaml"));
      await writeFile(path.join(directory, "main.tf"), "");
      expect(await detectModule(directory)).toMatchObject({ tool: "opentofu" });
      await expect(detectModule(path.join(directory, "none"))).rejects.toMatchObject({ kind: "usage" });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
