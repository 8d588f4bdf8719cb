import { randomUUID } from "node:crypto";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { createArguments } from "../../../execution/container-plan.ts";
import { createRequest } from "../../../execution/container-request.ts";
import { EngineSocket } from "../../../execution/engine-socket.ts";
import { dockerPlan } from "../../../execution/job/docker-plan.ts";
import { engineEnvironment, type Engine } from "../../../toolchain/docker-engine.ts";
import { run } from "../../../toolchain/process.ts";
import { jobEngine, jobImage } from "../../support/job-runs.ts";
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

it("a container is the same, whether the client or the socket makes it", async () => {
  if (engine === undefined) throw new Error("no engine");
  const { docker: client, host = "" } = engine;
  const env = engineEnvironment(engine);
  const docker = async (...args: readonly string[]) => (await run(client, args, { env })).stdout;
  const imageId = (await docker("image", "inspect", "--format", "{{.Id}}", image)).trim();
  const placing = { imageId, network: "none", inputFolder: "/tmp", owner: "me", historyFolder: "/h, with a comma" };
  const plan = dockerPlan(aJob({ limits: { memory: "300m", cpus: 0.3, pids: 9, disk: "7m" } }), placing);
  const names = ["client", "socket"].map((way) => `kiln-same-${way}-${randomUUID().slice(0, 8)}`);
  const [byClient = "", bySocket = ""] = names;
  onTestFinished(async () => {
    await run(client, ["rm", "--volumes", "--force", ...names], { env, allowFailure: true });
  });
  await docker("create", "--name", byClient, "--stop-timeout", "25", ...createArguments(plan));
  const asked = { body: createRequest(plan, 25), until: AbortSignal.timeout(60_000) };
  const socket = new EngineSocket(host.replace("unix://", ""));
  expect(await socket.ask("POST", `/containers/create?name=${bySocket}`, asked)).toMatchObject({ status: 201 });
  const [made = "", wanted = ""] = await Promise.all(
    [bySocket, byClient].map((name) => docker("container", "inspect", "--format", "{{json .}}", name)),
  );
  expect(kept(made)).toEqual(kept(wanted));
  expect(kept(made)).toMatchObject({ HostConfig: { ReadonlyRootfs: true, CapDrop: [`"ALL"`], PidsLimit: 9 } });
});
