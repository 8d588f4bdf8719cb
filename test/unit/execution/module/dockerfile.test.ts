import { readFile } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { baseReference, parseBases, type ModuleBases } from "../../../../execution/module/bases.ts";
import { detectModule } from "../../../../execution/module/detect.ts";
import {
  injectedDockerfile,
  moduleDockerfile,
  projectEdits,
  stageImages,
} from "../../../../execution/module/dockerfile.ts";
import {
  NODE_MANAGERS,
  PYTHON_MANAGERS,
  type GoModule,
  type JavaModule,
  type ModuleKind,
  type NodejsModule,
  type PythonModule,
} from "../../../../execution/module/kind.ts";
import { lintDockerfile, parseDockerfile } from "../../../../execution/module/lint.ts";

const PROJECT = path.join(import.meta.dirname, "../../../..");
const own = parseBases(await readFile(path.join(PROJECT, "images/iac-module/bases.json"), "utf8"));
/** The pins as they are once every digest has been looked up. */
const bases: ModuleBases = {
  ...own,
  images: Object.fromEntries(
    Object.entries(own.images).map(([name, pin]) => [name, { ...pin, digest: `sha256:${"a".repeat(64)}` }]),
  ),
};

const pulumi = { tool: "pulumi", project: "p", projectFile: "Pulumi.yaml", notes: [] } as const;
const nodejs: NodejsModule = {
  ...pulumi,
  ...{ runtime: "nodejs", packageManager: "npm", lockFile: "package-lock.json", local: false, builds: false },
  manifests: [".npmrc", "package-lock.json", "package.json"],
};
const python: PythonModule = {
  ...pulumi,
  ...{ runtime: "python", packageManager: "pip", lockFile: "requirements.txt", local: false },
  ...{ manifests: ["requirements.txt"], virtualenv: ".venv" },
};
const go: GoModule = { ...pulumi, runtime: "go", package: "./cmd" };
const java: JavaModule = {
  ...pulumi,
  runtime: "java",
  packageManager: "maven",
  buildFile: "pom.xml",
  mainClass: "a.B",
};
const KINDS: readonly ModuleKind[] = [
  ...NODE_MANAGERS.flatMap((packageManager) => [
    { ...nodejs, packageManager },
    { ...nodejs, packageManager, lockFile: undefined, local: true, builds: true },
    { ...nodejs, packageManager, managerVersion: "4.5.6" },
  ]),
  ...PYTHON_MANAGERS.flatMap((packageManager) => [
    { ...python, packageManager },
    { ...python, packageManager, lockFile: undefined, local: true },
  ]),
  go,
  { ...pulumi, runtime: "dotnet", buildFile: "x.csproj", version: "9.0", assembly: "x" },
  java,
  { ...java, packageManager: "gradle", buildFile: "build.gradle" },
  { ...pulumi, runtime: "yaml" },
  { tool: "opentofu", runtime: "hcl", notes: [] },
];

const text = (kind: ModuleKind) => moduleDockerfile(kind, bases);
const anyKind = fc.constantFrom(...KINDS);

describe("every generated Dockerfile", () => {
  it.each(KINDS.map((kind) => [JSON.stringify(kind), kind] as const))("has no finding: %s", (_, kind) => {
    expect(lintDockerfile(text(kind))).toEqual([]);
  });

  it("runs the entrypoint, and nothing else, as a user that is not root", () => {
    for (const kind of KINDS) {
      const last = parseDockerfile(text(kind)).slice(-3);
      expect(last.map(({ name, text: rest }) => `${name} ${rest}`)).toEqual([
        "WORKDIR /app",
        "USER 65532:65532",
        'ENTRYPOINT ["/usr/local/bin/kiln-entrypoint"]',
      ]);
    }
  });

  it("copies the entrypoint in, from its own image, which has no default that could be another", () => {
    for (const kind of KINDS) {
      expect(text(kind)).toContain(
        "COPY --from=entrypoint /usr/local/bin/kiln-entrypoint /usr/local/bin/kiln-entrypoint\n",
      );
      expect(text(kind)).toMatch(/^ARG TOOLS_IMAGE\nARG ENTRYPOINT_IMAGE$/m);
    }
  });

  it("takes no secret as an argument: logins are mounted while a step runs", () => {
    for (const kind of KINDS) {
      const named = parseDockerfile(text(kind)).filter(({ name }) => name === "ARG");
      expect(named.map((one) => one.text.split("=")[0])).toEqual([
        ...["BASE_IMAGE", "BUILD_IMAGE", "CERTIFICATES_IMAGE", "TOOLS_IMAGE", "ENTRYPOINT_IMAGE"],
      ]);
      expect(text(kind)).toContain("--mount=type=secret,id=ca");
    }
  });

  it("says in labels what is in it, and fetches nothing while a module runs", () => {
    for (const kind of KINDS) {
      expect(text(kind)).toContain(`dev.kiln.module.tool="${kind.tool}"`);
      expect(text(kind)).toContain(`dev.kiln.module.runtime="${kind.runtime}"`);
      if (kind.tool === "pulumi") expect(text(kind)).toContain('PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION="true"');
      else expect(text(kind)).toContain('TF_CLI_CONFIG_FILE="/opt/kiln/tofu/tofu.rc"');
    }
  });

  it("is the same for the same module, whatever the order of its fields, and another for another", () => {
    fc.assert(
      fc.property(anyKind, fc.infiniteStream(fc.nat()), (kind, order) => {
        const shuffled = Object.entries(kind)
          .map((entry) => [order.next().value as number, entry] as const)
          .sort(([a], [b]) => a - b);
        expect(text(Object.fromEntries(shuffled.map(([, entry]) => entry)) as unknown as ModuleKind)).toBe(text(kind));
      }),
    );
    expect(new Set(KINDS.map(text)).size).toBe(KINDS.length);
  });

  it("needs nothing that the frontend of Docker 20.10 lacks", () => {
    for (const kind of KINDS)
      expect(text(kind)).not.toMatch(/^#\s*syntax|--link|<<-?["']?\w|--parents|--exclude|ADD /m);
  });
});

describe("dependencies", () => {
  it.each([
    ["npm", "package-lock.json", "npm ci --no-audit --no-fund"],
    ["pnpm", "pnpm-lock.yaml", "pnpm install --frozen-lockfile"],
    ["yarn", "yarn.lock", "yarn install --frozen-lockfile"],
    ["bun", "bun.lock", "bun install --frozen-lockfile"],
  ] as const)("%s installs what its lock file says, those for development too", (packageManager, lockFile, command) => {
    const made = text({ ...nodejs, packageManager, lockFile });
    expect(made).toContain(command);
    expect(made).not.toMatch(/--production|--omit/);
  });

  it.each([
    ["pnpm", undefined, `npm install --global --no-audit --no-fund pnpm@${own.programs.pnpm ?? ""}`],
    ["pnpm", "9.1.0", "pnpm@9.1.0"],
    ["yarn", "4.5.0", "@yarnpkg/cli-dist@4.5.0"],
    ["npm", "10.0.0", "npm@10.0.0"],
  ] as const)("%s %s is installed in an exact version", (packageManager, managerVersion, expected) => {
    const made = text({ ...nodejs, packageManager, managerVersion });
    expect(made).toContain(expected);
    if (managerVersion === "4.5.0") expect(made).toContain("YARN_NODE_LINKER=node-modules yarn install --immutable");
  });

  it.each([
    [{ managerVersion: "3.6.1" }, "YARN_NODE_LINKER=node-modules node .yarn/releases/x.cjs install --immutable"],
    [{ managerVersion: "1.22.19" }, "node .yarn/releases/x.cjs install --frozen-lockfile"],
  ])("starts the Yarn that a module brings along, and fetches none: %j", (version, command) => {
    const release = ".yarn/releases/x.cjs";
    const kind = { ...nodejs, packageManager: "yarn", lockFile: "yarn.lock", builds: true } as const;
    const made = text({ ...kind, ...version, release, local: true });
    expect(made).toContain(`    ${command}\n`);
    expect(made).toContain(`    node ${release} run build\n`);
    expect(made).not.toContain("npm install --global");
    expect(made.indexOf("COPY . .")).toBeLessThan(made.indexOf(command));
  });

  it("installs before the sources come, so that a change of those keeps the layer; after them where they are needed", () => {
    const order = (kind: ModuleKind) => [text(kind).indexOf("npm ci"), text(kind).indexOf("COPY . .")] as const;
    const [install, sources] = order(nodejs);
    expect(install).toBeLessThan(sources);
    expect(text(nodejs)).toContain('COPY [".npmrc", "package-lock.json", "package.json", "./"]');
    const [late, early] = order({ ...nodejs, local: true });
    expect(early).toBeLessThan(late);
  });

  it("builds a program that a script makes", () => {
    expect(text({ ...nodejs, packageManager: "pnpm", builds: true })).toContain("    pnpm run build\n");
  });

  it.each([
    ["pip", "/app/.venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt"],
    ["uv", "uv sync --no-dev --no-install-project --frozen"],
    ["poetry", "poetry install --only main --no-root --no-cache"],
  ] as const)("%s fills the environment of the module", (packageManager, command) => {
    const made = text({ ...python, packageManager });
    expect(made).toContain(command);
    expect(made).toContain('PATH="/app/.venv/bin:${PATH}"');
  });

  it("honours the lock files of .NET", () => {
    const dotnet = { ...pulumi, runtime: "dotnet", buildFile: "x.csproj", version: "8.0", assembly: "x" } as const;
    expect(text({ ...dotnet, lockFile: "packages.lock.json" })).toContain("dotnet restore x.csproj --locked-mode");
    expect(text(dotnet)).not.toContain("--locked-mode");
    expect(stageImages(dotnet, bases)).toMatchObject({ base: baseReference(bases, "dotnet-8.0") });
    expect(() => text({ ...dotnet, version: "5.0" })).toThrow(/no image for dotnet-5\.0/);
  });

  it("builds Go as Pulumi does, so that warm caches serve, and runs what was built", () => {
    expect(text(go)).toContain(
      "go build -buildvcs=false -trimpath '-ldflags=-w -s' -o /opt/kiln/bin/kiln-module ./cmd",
    );
    expect(projectEdits(go)).toEqual({ set: { binary: "kiln-module" }, unset: ["buildTarget"] });
    expect(text(go)).toContain("mv .kiln-module/Pulumi.yaml Pulumi.yaml");
  });

  it("runs what was built of .NET and Java too, so that neither is compiled in a run", () => {
    const dotnet = {
      ...pulumi,
      runtime: "dotnet",
      buildFile: "x.csproj",
      version: "8.0",
      assembly: "its.own",
    } as const;
    expect(projectEdits(dotnet)).toMatchObject({ set: { binary: "/opt/kiln/program/its.own.dll" } });
    expect(text(dotnet)).toContain("--output /opt/kiln/program");
    for (const packageManager of ["maven", "gradle"] as const) {
      const kind = { ...java, packageManager };
      expect(projectEdits(kind)).toEqual({
        set: { binary: "/opt/kiln/program/kiln-module.jar" },
        unset: ["use-executor"],
      });
      expect(text(kind)).toContain("cd /opt/kiln/program");
      expect(text(kind)).toContain("--file kiln-module.jar --main-class 'a.B'");
      expect(text(kind)).toContain("LC_ALL=C sort -o /tmp/jars /tmp/jars");
    }
  });

  it("fetches the plugins and providers of every module", () => {
    for (const kind of KINDS) {
      if (kind.tool === "pulumi") expect(text(kind)).toContain("pulumi plugin install --non-interactive");
      else expect(text(kind)).toContain("tofu init -backend=false -input=false -no-color");
    }
  });

  it.each([
    ["python", python, true],
    ["java", java, true],
    ["go", go, false],
  ] as const)(
    "the project file of %s that an image has is in its place when plugins are fetched: %s",
    (_, kind, early) => {
      const made = text(kind);
      const [moved, fetched] = [made.indexOf("mv .kiln-module/Pulumi.yaml"), made.indexOf("pulumi plugin install")];
      expect(moved).toBeGreaterThan(0);
      expect(moved < fetched).toBe(early);
    },
  );

  it("Poetry is on PATH where it is used", () => {
    const made = text({ ...python, packageManager: "poetry" });
    expect(made).toMatch(/export [^\n]* PATH=\/app\/\.venv\/bin:\/opt\/manager\/bin:\$PATH/);
  });

  it("leaves project files alone that need no other options", () => {
    for (const kind of KINDS) {
      const isEdited = projectEdits(kind) !== undefined;
      expect(text(kind).includes("mv .kiln-module/"), JSON.stringify(kind)).toBe(isEdited);
    }
  });
});

describe("the pins of this checkout", () => {
  it("serve every example; what is not pinned by digest is the only finding", async () => {
    const examples = ["nodejs", "python", "go", "yaml", "dotnet", "java"].map((runtime) => `pulumi-${runtime}`);
    for (const example of [...examples, "opentofu"]) {
      const kind = await detectModule(path.join(PROJECT, "examples/iac", example));
      const isLoose = Object.values(stageImages(kind, own)).some((image) => !image.includes("@"));
      const codes = new Set(lintDockerfile(moduleDockerfile(kind, own)).map(({ code }) => code));
      expect([...codes], example).toEqual(isLoose ? ["KM001"] : []);
      expect(`pulumi-${kind.runtime}`.replace("pulumi-hcl", "opentofu")).toBe(example);
    }
  });
});

describe("injectedDockerfile", () => {
  it("puts the entrypoint on top and leaves the user as it is", () => {
    const names = parseDockerfile(injectedDockerfile()).map(({ name }) => name);
    expect(names).toEqual(["ARG", "ARG", "FROM", "FROM", "COPY", "ENTRYPOINT", "CMD"]);
  });
});
