import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { buildContract } from "../../cache/contract.ts";
import { silent } from "../../progress.ts";
import { releaseOfLabels } from "../../runners/upkeep/freshness.ts";
import { pins, toolVersions } from "../../toolchain/pins.ts";
import { places } from "../../toolchain/places.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { FIXTURE, FIXTURE_PATTERN, PROJECT } from "../support/checkout.ts";
import { isExtended } from "../support/extended.ts";
import { engineOf, type TestEngine } from "../support/engine.ts";
import { jitConfigOf, standInRunner, writeRunnerTools } from "../support/stand-in-runner.ts";

const checkout = inject("checkout");
const VERSION = "2.337.0";
const RELEASED = new Date().toISOString().slice(0, 10);
const [RELEASE, TOOLS, IMAGE] = ["kiln-e2e-release", "kiln-e2e-runner-tools", "kiln-e2e-actions-runner"];

let engine: TestEngine;
let root = "";
const at = (...parts: string[]) => path.join(root, ...parts);

/** Where pods have the volumes of a cache: one at each of its folders, or that of the store around that of the modules. */
const LAYOUTS = {
  apart: ["/var/cache/go-mod", "/var/cache/go-build"],
  nested: ["/var/cache", "/var/cache/go-mod"],
} as const;

type Layout = keyof typeof LAYOUTS;

const volumesOf = (layout: Layout, cache: "warm" | "cold") =>
  LAYOUTS[layout].map((target, index) => ({ target, name: `kiln-e2e-runner-${layout}-${cache}-${index}` }));
const allVolumes = (["apart", "nested"] as const).flatMap((layout) => [
  ...volumesOf(layout, "warm"),
  ...volumesOf(layout, "cold"),
]);

beforeAll(async () => {
  engine = await engineOf(checkout);
  root = await mkdtemp(path.join(tmpdir(), "kiln-actions-runner-"));
  const tools = await engine.toolsImage();
  for (const folder of ["tools", "release"]) await mkdir(at(folder));
  await writeRunnerTools(tools, at("tools"));
  await engine.docker(["build", "--tag", TOOLS, at("tools")]);
  await writeFile(at("release/Dockerfile"), standInRunner({ base: "kiln-base:bookworm", version: VERSION }));
  await engine.docker(["build", "--tag", RELEASE, at("release")]);
  await engine.docker(build(["--tag", IMAGE]));
  await fetchFixtureModules();
  // New volumes are root's; kubelet gives them to the group of the pod's fsGroup.
  for (const { name } of allVolumes) {
    const mount = `type=volume,src=${name},dst=/volume,volume-nocopy`;
    const give = "chgrp 1001 /volume && chmod 2775 /volume";
    await engine.docker(["run", "--rm", "--user", "0", "--mount", mount, IMAGE, "sh", "-c", give]);
  }
});

afterAll(async () => {
  await engine.shell("docker", ["volume", "rm", "--force", ...allVolumes.map(({ name }) => name)]);
  for (const image of [IMAGE, RELEASE, TOOLS]) await engine.remove(image);
  await rm(root, { recursive: true, force: true });
});

/** Arguments of a build of images/actions-runner upon the stand-ins. */
function build(
  more: readonly string[],
  { version = VERSION, released = RELEASED }: { version?: string; released?: string } = {},
): readonly string[] {
  const args = {
    ACTIONS_RUNNER_IMAGE: RELEASE,
    TOOLS_IMAGE: TOOLS,
    RUNNER_VERSION: version,
    RUNNER_RELEASED: released,
  };
  const flags = Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  return ["build", ...flags, ...more, path.join(PROJECT, "images/actions-runner")];
}

/** The modules of the fixture as a proxy's folder: what a container without network gets them from. */
async function fetchFixtureModules(): Promise<void> {
  const go = await resolveTool("go", { places: places(), progress: silent });
  await cp(FIXTURE, at("source"), { recursive: true });
  const env = { ...process.env, GOTOOLCHAIN: "local", GOMODCACHE: at("modules"), GOFLAGS: "-modcacherw" };
  await run(go.path, ["mod", "download"], { cwd: at("source"), env });
  // Those of gocache as well, which a job builds.
  await run(go.path, ["mod", "download"], { cwd: path.join(PROJECT, "images/programs"), env });
}

/**
 * Runs a job as a restricted pod of a scale set does: uid 1001, no capability and no way to one, a root that cannot be
 * written, no network at all.
 */
async function runJob(script: string, layout: Layout, cache: "warm" | "cold") {
  const modules = await realpath(path.join(checkout.directory, "node_modules"));
  const mounts = {
    "/kiln": `type=bind,src=${checkout.directory},ro`,
    [modules]: `type=bind,src=${modules},ro`,
    "/source": `type=bind,src=${at("source")},ro`,
    "/proxy": `type=bind,src=${at("modules/cache/download")},ro`,
    ...Object.fromEntries(
      volumesOf(layout, cache).map(({ target, name }) => [target, `type=volume,src=${name},volume-nocopy`]),
    ),
  };
  const env = {
    ACTIONS_RUNNER_INPUT_JITCONFIG: jitConfigOf(script),
    GOPROXY: "file:///proxy",
    GOSUMDB: "off",
    KILN_MIN_FREE_GB: "0",
  };
  return engine.shell("docker", [
    ...["run", "--rm", "--user", "1001:1001", "--group-add", "1001", "--read-only", "--network", "none"],
    ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    ...["--tmpfs", "/tmp:mode=1777", "--tmpfs", "/home/runner/_work:uid=1001,gid=1001"],
    ...Object.entries(mounts).flatMap(([target, mount]) => ["--mount", `${mount},dst=${target}`]),
    ...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    IMAGE,
  ]);
}

/** A shell function that prints how many packages a build of one program compiles, under the contract of the image. */
const { environment, flags } = buildContract(toolVersions, "amd64");
const COUNT_COMPILES = `compiles() {
  cd "/source/$1"
  env ${Object.entries(environment)
    .map(([name, value]) => `${name}='${value}'`)
    .join(" ")} go build -x ${flags.map((flag) => `'${flag}'`).join(" ")} -o /tmp/program . 2>/tmp/log \\
    || { cat /tmp/log >&2; exit 1; }
  grep -cE '/compile -o ' /tmp/log || true
}`;

const WARM = `
cd /home/runner/_work
kiln="node /kiln/cli/kiln.mjs cache"
$kiln plan --source /source --modules '${FIXTURE_PATTERN}' --by provider --store /var/cache --out plan.json >&2
$kiln warm --plan plan.json --source /source --shard alpha --store /var/cache --out alpha >&2
sha256sum < alpha/manifest.json`;

describe("the image", () => {
  it("records its release in labels and in a file", async () => {
    const { stdout } = await engine.docker(["image", "inspect", "--format", "{{json .Config}}", IMAGE]);
    const config = JSON.parse(stdout) as { Labels: Record<string, string>; User: string; Cmd: string[] };
    expect(releaseOfLabels(config.Labels)).toEqual({ version: VERSION, released: RELEASED });
    expect(config).toMatchObject({ User: "1001", Cmd: ["/home/runner/run.sh"] });
    const file = await engine.docker(["run", "--rm", IMAGE, "cat", "/etc/kiln/runner-release.json"]);
    expect(JSON.parse(file.stdout)).toEqual({ version: VERSION, released: RELEASED });
  });

  it("has the pinned tools on PATH, the release's user and groups, and folders that are the user's", async () => {
    const script = [
      "go env GOVERSION GOMODCACHE GOCACHE GOTOOLCHAIN",
      "pulumi version; tofu version | head -n 1; regctl version --format '{{.VCSTag}}'; echo; node --version",
      "npm --version >/dev/null; git --version >/dev/null; command -v unshare",
      "id -u; id -G; stat -c '%u:%g %n' /var/cache/go-mod /var/cache/go-build; pwd",
    ];
    const { stdout } = await engine.docker([
      "run",
      "--rm",
      "--network",
      "none",
      IMAGE,
      "sh",
      "-euc",
      script.join("\n"),
    ]);
    for (const part of [
      `go${toolVersions.go}\n/var/cache/go-mod\n/var/cache/go-build\nlocal\n`,
      `v${toolVersions.pulumi}\n`,
      `OpenTofu v${toolVersions.opentofu}\n`,
      `v${pins.regctl.version}\n`,
      `${process.version}\n`,
      "unshare\n1001\n1001 123\n1001:1001 /var/cache/go-mod\n1001:1001 /var/cache/go-build\n/home/runner\n",
    ]) {
      expect(stdout).toContain(part);
    }
  });

  it("is the same to the byte when it is built again", async () => {
    const layersOf = async () =>
      (await engine.docker(["image", "inspect", "--format", "{{json .RootFS.Layers}}", IMAGE])).stdout;
    const first = await layersOf();
    await engine.docker(build(["--no-cache", "--tag", IMAGE]));
    expect(await layersOf()).toBe(first);
  });

  it.each([
    [{ version: "2.336.0" }, `the runner in this image is ${VERSION}, but RUNNER_VERSION says 2.336.0`],
    [{ version: "" }, "give RUNNER_VERSION with it"],
    [{ released: "mid September" }, "is no day"],
  ])("is not built where %j is said of its release", async (said, message) => {
    const result = await engine.shell("docker", build([], said));
    expect(result.code).not.toBe(0);
    expect(result.stdout + result.stderr).toContain(message);
  });

  it("checks its own age with nothing from outside while it is fresh", async () => {
    const env = {
      KILN_REPOSITORY: "acme/infra",
      KILN_WORKFLOW: "x.yml",
      KILN_REF: "main",
      KILN_APP_DIRECTORY: "/none",
    };
    const { stdout } = await engine.docker([
      ...["run", "--rm", "--network", "none", "--read-only", "--env", "KILN_REBUILD_AFTER_DAYS=20"],
      ...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...[IMAGE, "node", "/usr/local/lib/kiln/check-freshness.mjs"],
    ]);
    expect(stdout).toContain(`runner ${VERSION} is 0 days old`);
  });
});

describe("a job on its volumes", () => {
  it.each(isExtended ? (["apart", "nested"] as const) : (["apart"] as const))(
    "(%s) warms a shard without a privilege, and the next runner meets what it left",
    async (layout) => {
      const first = await runJob(WARM, layout, "warm");
      expect({ code: first.code, stderr: first.code === 0 ? "" : first.stderr }).toEqual({ code: 0, stderr: "" });

      const cold = await runJob(`${COUNT_COMPILES}\ncompiles alpha/one`, layout, "cold");
      expect(Number(cold.stdout)).toBeGreaterThan(10);

      const second = await runJob(`${COUNT_COMPILES}\ncompiles alpha/one\ncompiles alpha/two\n${WARM}`, layout, "warm");
      expect(second.stdout).toBe(`0\n0\n${first.stdout}`);
    },
  );

  it("is told what to do where the caches stand elsewhere, for which a pod has no namespaces", async () => {
    const elsewhere = WARM.replaceAll("--store /var/cache", "--store /home/runner/_work/store");
    const result = await runJob(elsewhere, "apart", "cold");
    expect(result.code).toBe(4);
    expect(result.stderr).toContain("forbids the namespaces");
  });
});
