import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { silent } from "../../progress.ts";
import { readLocks, readProjectName, removeLocks, type LockQuery } from "../../release/backend/lock.ts";
import { backendPlan } from "../../release/backend/plan.ts";
import { setUp } from "../../release/backend/setup.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { EngineProject } from "../support/engine-project.ts";

const KMS = "awskms://alias/kiln-state?region=eu-central-1";
const WARM = `localhost:5180/kiln/base-images/iac-runner-warm@sha256:${"a".repeat(64)}`;

let project: EngineProject;
let query: LockQuery;

beforeAll(async () => {
  project = await EngineProject.create();
  await project.pulumi("stack", "init", "local", "--no-select");
  await project.pulumi("config", "set", "--stack", "local", "kiln:warmImage", WARM);
  const root = path.dirname(project.directory);
  const { path: pulumi } = await resolveTool("pulumi", { places: places(), progress: silent });
  query = {
    ...{ url: `file://${root}/backend`, stack: "local", directory: project.directory },
    project: await readProjectName(project.directory),
    env: { PATH: path.dirname(pulumi), PULUMI_HOME: path.join(root, "home"), PULUMI_CONFIG_PASSPHRASE: "" },
  };
});

afterAll(() => project.remove());

const update = () => project.pulumi("up", "--yes", "--skip-preview", "--stack", "local");

describe("a lock that Pulumi left in a file backend", () => {
  it("is of a process that runs here, whose update is not taken from it", async () => {
    await project.write("../bin/hang", "");
    const pulumi = project.start("up", "--yes", "--skip-preview", "--stack", "local");
    const ended = once(pulumi, "exit");
    const docker = await vi.waitFor(async () => Number(await project.read("../bin/hangs")), { timeout: 60_000 });
    const running = await readLocks(query);
    expect(running).toMatchObject([{ pid: pulumi.pid, holder: "runs here" }]);
    await expect(removeLocks(query, running)).rejects.toMatchObject({ kind: "difference" });
    expect(await readLocks(query)).toEqual(running);

    pulumi.kill("SIGKILL");
    await ended;
    process.kill(docker);
    await project.delete("../bin/hang");
    expect(await readLocks(query)).toMatchObject([{ pid: pulumi.pid, holder: "ended" }]);
  });

  it("stops every update until it is removed, and none after that", async () => {
    const refused = await update();
    expect([refused.code === 0, refused.stdout + refused.stderr]).toEqual([
      false,
      expect.stringContaining("currently locked by 1 lock"),
    ]);
    await removeLocks(query, await readLocks(query));
    expect(await readLocks(query)).toEqual([]);
    const next = await update();
    expect(next.code, next.stdout).toBe(0);
  });
});

/** Amazon's KMS as far as Pulumi calls it: what is encrypted comes back reversed, what is decrypted the right way round. */
async function startKms(): Promise<Server> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      const { KeyId, Plaintext, CiphertextBlob } = JSON.parse(body) as Record<string, string | undefined>;
      const reversed = Buffer.from(Plaintext ?? CiphertextBlob ?? "", "base64")
        .reverse()
        .toString("base64");
      const encrypts = String(request.headers["x-amz-target"]).endsWith(".Encrypt");
      response.setHeader("content-type", "application/x-amz-json-1.1");
      response.end(JSON.stringify(encrypts ? { KeyId, CiphertextBlob: reversed } : { KeyId, Plaintext: reversed }));
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

describe("the stacks of a shared backend, by the real Pulumi", () => {
  let kms: Server;
  beforeAll(async () => {
    kms = await startKms();
  });
  afterAll(() => kms.close());

  /** Runs the steps of one stack; the bucket's own are the vendor's to prove, so the state is in the file backend here. */
  async function setUpStacks(secrets: string, stack: string, more: NodeJS.ProcessEnv): Promise<readonly string[]> {
    const plan = backendPlan({ url: "s3://acme-state?region=eu-central-1", secrets, stacks: [stack] });
    const steps = plan.filter(({ check }) => check?.argv[0] === "pulumi" || check?.argv[0] === "grep");
    const env = {
      ...query.env,
      ...{ PATH: `${query.env.PATH ?? ""}:/usr/bin:/bin`, PULUMI_BACKEND_URL: query.url },
      AWS_ENDPOINT_URL_KMS: `http://127.0.0.1:${(kms.address() as AddressInfo).port}`,
      ...{ AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", ...more },
    };
    const outcomes = await setUp(steps, { project: project.directory, env, progress: silent });
    return outcomes.map(({ outcome }) => outcome);
  }

  it.each([
    ["dev", KMS, /^secretsprovider: awskms:.*\nencryptedkey: /m],
    ["prod", "passphrase", /^encryptionsalt: v1:/m],
  ])("%s is made with %s, and a second run leaves its file as it is", async (stack, secrets, kept) => {
    const file = `stacks/Pulumi.${stack}.yaml`;
    const committed = await project.read(file);
    const salt = /^encryptionsalt: .*$/m.exec(committed)?.[0] ?? "";
    const setUpStack = () => setUpStacks(secrets, stack, { PULUMI_CONFIG_PASSPHRASE: "new" });
    expect(await setUpStack()).toEqual(["done", "was there"]);
    const made = await project.read(file);
    expect(salt).not.toBe("");
    expect(made).not.toContain(salt);
    expect(made).toMatch(kept);
    expect(await setUpStack()).toEqual(["was there", "was there"]);
    expect(await project.read(file)).toBe(made);
  });

  it("takes a stack of the empty passphrase over to a key", async () => {
    await project.pulumi("stack", "init", "staging", "--no-select");
    expect(await setUpStacks(KMS, "staging", {})).toEqual(["was there", "done"]);
    expect(await project.read("stacks/Pulumi.staging.yaml")).toMatch(/^secretsprovider: awskms:/m);
  });
});
