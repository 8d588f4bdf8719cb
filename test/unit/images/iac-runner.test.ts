import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { GOCACHE_PATH } from "../../../cache/base.ts";
import { buildContract, IMAGE_PATHS } from "../../../cache/contract.ts";
import { GO_SECONDS } from "../../../cache/dated-go-root.ts";
import { PACKS_PATH } from "../../../cache/packed-layer.ts";
import { PACKED_LABELS } from "../../../cache/served-packs.ts";
import { PLUGIN_PATH } from "../../../cache/plugins/plugin.ts";
import { readPrograms } from "../../../cache/programs.ts";
import { pins, toolVersions } from "../../../toolchain/pins.ts";
import { parseDockerIgnore } from "../../../toolchain/plugins/docker-provider/docker-ignore.ts";
import { run } from "../../../toolchain/process.ts";

const FOLDER = path.join(import.meta.dirname, "../../../images/iac-runner");
const dockerfile = await readFile(path.join(FOLDER, "Dockerfile"), "utf8");
const merged = await readFile(path.join(FOLDER, "Dockerfile.merged"), "utf8");

const argument = (name: string) => new RegExp(`^ARG ${name}="?(.*?)"?$`, "m").exec(dockerfile)?.[1];

describe("images/iac-runner/Dockerfile", () => {
  it("sees no login that lies in its context", async () => {
    const ignored = parseDockerIgnore(await readFile(path.join(FOLDER, "Dockerfile.dockerignore"), "utf8"));
    for (const file of [".netrc", "programs/.npmrc", ".git-credentials"])
      expect(ignored.ignores(file), file).toBe(true);
    expect(ignored.ignores("programs/main.go")).toBe(false);
  });

  it.each(["go", "pulumi", "opentofu"] as const)("downloads the pinned %s, by its pinned checksum", (tool) => {
    const name = tool.toUpperCase();
    expect(argument(`${name}_VERSION`)).toBe(toolVersions[tool]);
    expect(argument(`${name}_SHA256`)).toBe(pins[tool].downloads["linux-amd64"]?.sha256);
  });

  it.each([
    ["amd64", 0, ""],
    ["", 1, "build with BuildKit"],
    ["arm64", 1, "TOOLS_IMAGE"],
  ])("downloads for %j as BuildKit says, and refuses what its checksums are not of", async (arch, code, said) => {
    expect(dockerfile).toMatch(/^ARG TARGETARCH$/m);
    const stage = dockerfile.replaceAll("\\\n", "");
    const [check = ""] = /case "\$TARGETARCH" in .*?esac;/.exec(stage) ?? [];
    const result = await run("sh", ["-euc", check], { env: { ...process.env, TARGETARCH: arch }, allowFailure: true });
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(said);
    const addresses = [...stage.matchAll(/fetch \S+ "(\S+)"/g)].map(([, url = ""]) =>
      url.replace(/\$\{(\w+)_VERSION\}/g, (_, name: string) => argument(`${name}_VERSION`) ?? ""),
    );
    const pinned = (["go", "pulumi", "opentofu"] as const).map((tool) => pins[tool].downloads["linux-amd64"]?.url);
    expect(addresses).toEqual(pinned);
  });

  it("dates Go's files as warming does, whose indexes of packages are found by those dates", () => {
    const date = /find \/tools\/usr\/local\/go -type f -exec touch -d (\S+) /.exec(dockerfile)?.[1] ?? "";
    expect(Date.parse(date) / 1000).toBe(GO_SECONDS);
  });

  it("warms a standalone image with the flags of its Pulumi", () => {
    const flags = buildContract(toolVersions, "amd64").flags.map((flag) => (flag.includes(" ") ? `'${flag}'` : flag));
    expect(argument("GO_BUILD_FLAGS")).toBe(flags.join(" "));
  });

  it("has the caches and Go where they are warmed for", () => {
    expect(dockerfile).toContain(`GOMODCACHE=${IMAGE_PATHS.goModCache}`);
    expect(dockerfile).toContain(`GOCACHE=${IMAGE_PATHS.goBuildCache}`);
    expect(dockerfile).toContain(`${IMAGE_PATHS.goRoot}/go.env`);
  });

  it("has a home for any uid's Pulumi, with the plugins where layers and volumes put them", () => {
    expect(dockerfile).toMatch(/^ +PULUMI_HOME=\/home\/runner\/\.pulumi \\$/m);
    expect(dockerfile).toContain(`ln -s ${PLUGIN_PATH} /home/runner/.pulumi/plugins`);
    expect(dockerfile).toMatch(new RegExp(`chmod 1777 .*${PLUGIN_PATH} /home/runner/\\.pulumi `));
    expect(dockerfile).not.toMatch(/^VOLUME/m);
  });

  it("lets the engine get a plugin when a program uses it, and not before", () => {
    expect(dockerfile).toMatch(/^ +PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL=true \\$/m);
  });

  it("serves packs by the program that kiln puts there, named where a lost environment keeps it", () => {
    const stage = dockerfile.slice(
      dockerfile.indexOf("FROM base AS packed-base"),
      dockerfile.indexOf("FROM base AS standalone"),
    );
    expect(stage).toContain(`COPY --from=gocache ${GOCACHE_PATH} ${GOCACHE_PATH}\n`);
    expect(stage).toContain(`echo GOCACHEPROG=${GOCACHE_PATH} >> ${IMAGE_PATHS.goRoot}/go.env`);
    expect(stage).toContain(`mkdir ${PACKS_PATH};`);
    for (const [name, value] of Object.entries(PACKED_LABELS)) expect(stage).toContain(`LABEL ${name}=${value}\n`);
    expect(stage).toMatch(/^USER 1001:1001$/m);
  });

  it("builds that program as kiln does, where nobody hands it over", () => {
    expect(argument("GOCACHE_IMAGE")).toBe("build-gocache");
    const stage = dockerfile.slice(dockerfile.indexOf(" AS build-gocache"), dockerfile.indexOf(" AS gocache"));
    expect(stage).toContain("COPY images/programs /programs");
    expect(stage).toContain("CGO_ENABLED=0");
    expect(stage).toContain(`-o ${GOCACHE_PATH} ./gocache`);
  });

  it("needs no frontend from a registry", () => {
    expect(dockerfile + merged).not.toMatch(/^# *syntax=/m);
  });
});

/** What the standalone stage selects of `source`: its own commands, up to where they need the image's paths. */
async function standalonePrograms(source: string, pattern: string, scratch: string): Promise<readonly string[]> {
  const stage = dockerfile.slice(dockerfile.indexOf(" AS standalone")).replaceAll("\\\n", "");
  const start = stage.indexOf("mkdir /tmp/warm;");
  const script = stage
    .slice(start, stage.indexOf("[ -s /tmp/warm/programs ]"))
    .replaceAll("/tmp/warm", scratch)
    .replace("cd /source", `cd '${source}'`);
  await run("sh", ["-euc", script], { env: { ...process.env, MODULES: pattern } });
  return (await readFile(path.join(scratch, "programs"), "utf8")).split("\n").filter((line) => line !== "");
}

// The stage runs in a Debian image: GNU's find and sed.
describe.runIf(process.platform === "linux")("the programs of a standalone image", () => {
  const main = "package main\n\nfunc main() {}\n";
  const files: Readonly<Record<string, string>> = {
    "go.mod": "module example.com/m\n",
    "apis/aws/s3/main.go": `// Package main makes a bucket.\n/* A\nbucket. */\n${main}`,
    "apis/aws/a blank/main.go": main,
    "apis/aws/library/a.go": "/*\npackage main\n*/\npackage library\n",
    "apis/aws/generator/gen.go": `//go:build ignore\n\n${main}`,
    "apis/aws/tests/a_test.go": main,
    "apis/aws/hidden/_a.go": main,
    "apis/aws/named/a.go": "package mainly\n",
    "apis/v1/x+y/gcp/sql/iac/main.go": main,
    "apis/v1/node_modules/gcp/sql/iac/main.go": main,
    "apis/.old/gcp/sql/iac/main.go": main,
    "gcp/sql/main.go": main,
  };

  it.each([
    "apis/{provider}/{module}",
    "./apis/**/{provider}/{module}/iac/",
    "**/{provider}/{module}",
    "apis/**/x+y/{provider}/{module}/**",
    "apis/{provider}/*s*{module}",
    "{provider}/{module}",
    "a*/*/{module}-{provider}/**",
  ])("are those that kiln finds by %s", async (pattern) => {
    const home = await mkdtemp(path.join(tmpdir(), "kiln-standalone-"));
    try {
      const source = path.join(home, "source");
      for (const [name, text] of Object.entries(files)) {
        await mkdir(path.dirname(path.join(source, name)), { recursive: true });
        await writeFile(path.join(source, name), text);
      }
      const kiln = await readPrograms(source, pattern).then(
        ({ programs }) => programs.map(({ directory }) => directory),
        () => [],
      );
      expect(await standalonePrograms(source, pattern, path.join(home, "scratch"))).toEqual(kiln);
    } finally {
      await rm(home, { recursive: true });
    }
  });
});

describe("images/iac-runner/Dockerfile.merged", () => {
  it("adds no layer: FROM, ARG and LABEL only", () => {
    const instructions = merged
      .replaceAll("\\\n", " ")
      .split("\n")
      .filter((line) => line.trim() !== "" && !line.startsWith("#"))
      .map((line) => line.split(" ", 1)[0]);
    expect(instructions).toEqual(["ARG", "FROM", "ARG", "LABEL"]);
  });
});
