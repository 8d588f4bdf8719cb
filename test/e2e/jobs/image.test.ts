import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { buildImage } from "../../../execution/docker.ts";
import { jobImageBuild, readyJobImage } from "../../../execution/job/job-image.ts";
import { silent } from "../../../progress.ts";
import { engineEnvironment, readyEngine, type Engine } from "../../../toolchain/docker-engine.ts";
import { places } from "../../../toolchain/places.ts";
import { ownPlatform } from "../../../toolchain/platforms.ts";
import { run } from "../../../toolchain/process.ts";
import { isExtended } from "../../support/extended.ts";

/** What a runner gives every job. */
const LOCKED = [
  ...["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none"],
  ...["--tmpfs", "/tmp:mode=1777", "--tmpfs", "/run/kiln:mode=1777,exec"],
];

let engine: Engine;
let image: string;

beforeAll(async () => {
  engine = await readyEngine({ places: places(), progress: silent });
  image = await readyJobImage(engine, { image: "base", platform: ownPlatform(), places: places(), progress: silent });
});

const docker = (...args: readonly string[]) =>
  run(engine.docker, args, { env: engineEnvironment(engine), allowFailure: true });

/** What a command prints in the image, with a root that cannot be written. */
async function said(of: string, ...command: readonly string[]): Promise<string> {
  const [program = "", ...args] = command;
  const result = await docker("run", "--rm", ...LOCKED, "--entrypoint", program, of, ...args);
  expect(result.code, result.stderr).toBe(0);
  return result.stdout.trim();
}

describe("the base image of jobs", () => {
  it("runs as nobody in particular, and starts the entrypoint as a job", async () => {
    const format = "{{json .Config}}";
    const config = JSON.parse((await docker("image", "inspect", "--format", format, image)).stdout) as {
      readonly User: string;
      readonly Entrypoint: readonly string[];
      readonly Cmd: readonly string[] | null;
      readonly WorkingDir: string;
      readonly Env: readonly string[];
    };
    expect(config).toMatchObject({ User: "65532:65532", WorkingDir: "/workspace", Cmd: null });
    expect(config.Entrypoint).toEqual(["/usr/local/bin/kiln-entrypoint", "job"]);
    expect(config.Env.filter((entry) => /token|password|secret|proxy/i.test(entry))).toEqual([]);
  });

  it("has what its list says, and nothing that gives more rights", async () => {
    const list =
      "cat /usr/local/lib/kiln/job-runner.json; for name in ssh wget pwsh; do command -v $name || true; done";
    const [text = "", ...others] = (await said(image, "sh", "-c", list)).split("\n");
    const { programs } = JSON.parse(text) as { readonly programs: Readonly<Record<string, string>> };
    expect(Object.keys(programs)).toEqual(expect.arrayContaining(["python3", "git", "jq", "curl"]));
    for (const [name, version] of Object.entries(programs)) expect(version, name).toMatch(/^\d+\.\d/);
    expect(Number((programs.python3 ?? "").split(".")[1])).toBeGreaterThanOrEqual(10);
    expect(others).toEqual(["/usr/bin/ssh", "/usr/bin/wget", ...("pwsh" in programs ? ["/usr/local/bin/pwsh"] : [])]);
    const extra =
      "find / -xdev -type f -perm /6000; find /var/lib/apt/lists /var/log/apt /var/log/dpkg.log -type f -size +0";
    const found = await docker("run", "--rm", "--user", "0:0", "--entrypoint", "sh", image, "-c", extra);
    expect(found.stdout).toBe("");
  });

  it.each(["65532:65532", "12345:0"])("completes a job by plain docker run, as %s", async (user) => {
    const script = "import sys, os; print(sys.argv[1:]); open(os.environ['ARTIFACTS_DIR'] + '/a', 'w').write('kept')";
    const parameters = JSON.stringify({ host: "$(id); rm -rf /\n--x", on: true, none: null });
    const variables = ["JOB_ID=job-1", "SCRIPT_ID=job", `PARAMETERS=${parameters}`, "KILN_SCRIPTS_DIR=/tmp/scripts"];
    const name = `kiln-test-job-image-${process.pid}-${user.replace(":", "-")}`;
    const start = `mkdir /tmp/scripts && printf %s "$SCRIPT" > /tmp/scripts/job.py && exec kiln-entrypoint job`;
    onTestFinished(async () => {
      await docker("rm", "--force", "--volumes", name);
    });
    const result = await docker(
      ...["run", "--name", name, "--user", user, "--volume", "/workspace", ...LOCKED],
      ...[...variables, `SCRIPT=${script}`].flatMap((entry) => ["--env", entry]),
      ...["--entrypoint", "sh", image, "-euc", start],
    );
    expect(result.stdout, result.stderr).toBe("['--host=$(id); rm -rf /\\n--x', '--on=true']\n");
    const folder = await mkdtemp(path.join(tmpdir(), "kiln-test-job-image-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    expect((await docker("cp", `${name}:/workspace/output`, folder)).code).toBe(0);
    const text = await readFile(path.join(folder, "output/result.json"), "utf8");
    expect(JSON.parse(text)).toMatchObject({ status: "succeeded", exit_code: 0, artifacts: [{ name: "a", bytes: 4 }] });
    expect(await readFile(path.join(folder, "output/artifacts/a"), "utf8")).toBe("kept");
  });
});

describe.runIf(isExtended)("two builds of an image", () => {
  it.each(["base", "python"] as const)("%s: the same packages are the same layers", async (name) => {
    const at = { platform: ownPlatform(), places: places(), progress: silent, image: name };
    const layersOf = async (of: string) =>
      (await docker("image", "inspect", "--format", "{{json .RootFS.Layers}}", of)).stdout;
    const first = await readyJobImage(engine, at);
    const again = `kiln-test-job-image-${name}:again-${process.pid}`;
    onTestFinished(async () => {
      await docker("image", "rm", again);
    });
    await buildImage(engine, { ...(await jobImageBuild(engine, at)), tag: again, noCache: true });
    expect(await layersOf(again)).toBe(await layersOf(first));
  });
});

describe.runIf(isExtended)("the Python image of jobs", () => {
  it("has Ansible, the OpenStack client and the libraries, which work with a read-only root", async () => {
    const at = { platform: ownPlatform(), places: places(), progress: silent };
    const python = await readyJobImage(engine, { ...at, image: "python" });
    expect(await said(python, "sh", "-c", "HOME=/tmp ansible --version")).toContain("ansible [core 2.");
    expect(await said(python, "sh", "-c", "HOME=/tmp openstack --version")).toMatch(/^openstack \d+/);
    const libraries = "import paramiko, yaml, requests; print(requests.__version__)";
    expect(await said(python, "python3", "-c", libraries)).toMatch(/^\d+\./);
  });
});
