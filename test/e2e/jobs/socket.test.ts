import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { createArguments } from "../../../execution/container-plan.ts";
import { createRequest } from "../../../execution/container-request.ts";
import { EngineSocket } from "../../../execution/engine-socket.ts";
import { dockerPlan } from "../../../execution/job/docker-plan.ts";
import { localSocket } from "../../../execution/local-engine.ts";
import { engineEnvironment, type Engine } from "../../../toolchain/docker-engine.ts";
import { run } from "../../../toolchain/process.ts";
import { fileOf, jobEngine, jobImage, JobRuns } from "../../support/job-runs.ts";
import { aJob } from "../../unit/execution/job/job-values.ts";

let [engine, image]: [Engine | undefined, string] = [undefined, ""];

beforeAll(async () => {
  engine = await jobEngine();
  image = await jobImage(engine);
});

/** What an engine shows where nothing was asked for: clients and engines write that in several ways. */
const NOTHING = new Set(["null", '""', "-1", "[]", "{}", '"no"']);

const NAMES = new Set(["Hostname", "ConsoleSize"]);
const VOLUME = /(?:^|\/)[0-9a-f]{64}(?:\/|$)/;

/** What an engine keeps of a container, but its names and the size of somebody's terminal; lists as sets, since engines shuffle. */
function kept(inspected: string): unknown {
  const { Config, HostConfig, Mounts } = JSON.parse(inspected, (name, value: unknown) => {
    if (NOTHING.has(JSON.stringify(value)) || NAMES.has(name)) return undefined;
    if (typeof value === "string" && VOLUME.test(value)) return undefined;
    return Array.isArray(value) ? value.map((one) => JSON.stringify(one)).sort() : value;
  }) as Record<"Config" | "HostConfig" | "Mounts", unknown>;
  return { Config, HostConfig, Mounts };
}

/** Where the engine of this machine listens, whoever named it. */
async function socketOf(of: Engine): Promise<string> {
  const listening = await localSocket(of, engineEnvironment(of));
  if (listening === undefined) throw new Error("the engine of this test has to be one of this machine");
  return listening;
}

it("a container is the same, whether the client or the socket makes it", async () => {
  if (engine === undefined) throw new Error("no engine");
  const { docker: client } = engine;
  const env = engineEnvironment(engine);
  const listening = await socketOf(engine);
  const docker = async (...args: readonly string[]) => (await run(client, args, { env })).stdout;
  const imageId = (await docker("image", "inspect", "--format", "{{.Id}}", image)).trim();
  const inputFolder = await mkdtemp(path.join(tmpdir(), "kiln-test-input-"));
  await mkdir(path.join(inputFolder, "scripts"));
  const placing = { imageId, network: "none", inputFolder, owner: "me", historyFolder: "/h, with a comma" };
  const plan = dockerPlan(aJob({ limits: { memory: "300m", cpus: 0.3, pids: 9, disk: "7m" } }), placing);
  const names = ["client", "socket"].map((way) => `kiln-same-${way}-${randomUUID().slice(0, 8)}`);
  const [byClient = "", bySocket = ""] = names;
  onTestFinished(async () => {
    await run(client, ["rm", "--volumes", "--force", ...names], { env, allowFailure: true });
    await rm(inputFolder, { recursive: true, force: true });
  });
  await docker("create", "--name", byClient, "--stop-timeout", "25", ...createArguments(plan));
  const asked = { body: createRequest(plan, 25), until: AbortSignal.timeout(60_000) };
  const socket = new EngineSocket(listening);
  expect(await socket.ask("POST", `/containers/create?name=${bySocket}`, asked)).toMatchObject({ status: 201 });
  const [made = "", wanted = ""] = await Promise.all(
    [bySocket, byClient].map((name) => docker("container", "inspect", "--format", "{{json .}}", name)),
  );
  expect(kept(made)).toEqual(kept(wanted));
  expect(kept(made)).toMatchObject({ HostConfig: { ReadonlyRootfs: true, CapDrop: [`"ALL"`], PidsLimit: 9 } });
});

it("an engine of this machine that nobody named in DOCKER_HOST serves as one that somebody did", async () => {
  if (engine === undefined) throw new Error("no engine");
  const { docker: client } = engine;
  const listening = await socketOf(engine);
  const folder = await mkdtemp(path.join(tmpdir(), "kiln-test-context-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const env = { PATH: process.env.PATH, DOCKER_CONFIG: path.join(folder, "client"), DOCKER_CONTEXT: "near" };
  const create = ["context", "create", "near", "--docker", `host=unix://${listening}`];
  await run(client, create, { env: { ...env, DOCKER_CONTEXT: "default" } });
  const [ours, theirs] = [path.join(folder, "ours"), path.join(folder, "theirs")];
  await Promise.all([ours, theirs].map((one) => mkdir(one)));
  const found = new JobRuns({ docker: client, host: undefined, managed: false }, image, ours, env);
  const named = new JobRuns(engine, image, theirs);
  const mounts = `print([line.split()[5][:2] for line in open("/proc/self/mountinfo") if "/workspace/scripts" in line])`;
  const ended = [await named.python(mounts), await found.python(mounts)];
  for (const one of ended) {
    expect(one.result.status).toBe("succeeded");
    // A copy would be in a volume, which can be written to.
    expect(await fileOf(one, "stdout.log")).toBe("['ro']\n");
    expect(one.sandbox.relaxations).toEqual(ended[0]?.sandbox.relaxations);
  }
});
