import { createPublicKey } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { pushImage } from "../../execution/docker.ts";
import { connectClusterJobs, type ClusterJobs } from "../../execution/job/cluster-jobs.ts";
import { checkDescription, JOB_API, type JobDescription } from "../../execution/job/description.ts";
import { KubernetesRunner } from "../../execution/job/kubernetes-runner.ts";
import { engineEnvironment } from "../../toolchain/docker-engine.ts";
import { run } from "../../toolchain/process.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane.ts";
import { isExtended } from "../support/extended.ts";
import { fileOf, jobEngine, jobImage, JobRuns } from "../support/job-runs.ts";
import { nodeProblem, startKubernetesNode, type KubernetesNode } from "../support/kubernetes-node.ts";
import { RegistryProcess } from "../support/registry-process.ts";
import { ISSUE, PASSWORD, prepareVault } from "../support/vault-of-jobs.ts";
import { vaultOrReason, VaultServer } from "../support/vault-server.ts";

const problem = isExtended ? await nodeProblem() : "only npm run test:extended runs jobs by a kubelet";
const tool = problem ?? (await vaultOrReason());
if (typeof tool === "string") console.warn(`skipped: ${tool}`);

const NAMESPACE = "default";

/** The files of a pod in which a script finds a text. Its own has each text in two parts, so as not to be found. */
const SEARCH = `
import os
def search(text):
    for place in ["/run", "/workspace", "/tmp"]:
        for folder, _, names in os.walk(place):
            for name in names:
                try: found = text in open(os.path.join(folder, name), errors="replace").read()
                except OSError: found = False
                if found: yield os.path.join(folder, name)
`;

describe.skipIf(typeof tool === "string")("secrets of a pod by a real kubelet", { timeout: 300_000 }, () => {
  let plane: ControlPlane;
  let node: KubernetesNode;
  let registry: RegistryProcess;
  let cluster: ClusterJobs;
  let runs: JobRuns;
  let image: string;

  beforeAll(async () => {
    plane = await startControlPlane();
    node = await startKubernetesNode(plane, { servesLogs: true });
    registry = await RegistryProcess.start(path.join(plane.directory, "registry"));
    const engine = await jobEngine();
    const tag = `${registry.address}/jobs/base:secrets`;
    await run(engine.docker, ["tag", await jobImage(engine), tag], { env: engineEnvironment(engine) });
    image = `${registry.address}/jobs/base@${await pushImage(engine, tag)}`;
    await run(engine.docker, ["image", "rm", tag], { env: engineEnvironment(engine) });
    const folder = path.join(plane.directory, "runs");
    await mkdir(folder);
    runs = new JobRuns(engine, image, folder);
    vi.stubEnv("KUBECONFIG", plane.kubeconfig);
    cluster = await connectClusterJobs();
    vi.unstubAllEnvs();
  }, 900_000);

  afterAll(async () => {
    await node.stop();
    await registry.stop();
    await plane.stop();
  });

  async function job(id: string, script: string, fields: Partial<Record<keyof JobDescription, unknown>>, secrets = {}) {
    const description = checkDescription({
      ...{ api_version: JOB_API, job_id: id, image, script: "job", timeouts: { job: 120, grace: 1, finish: 5 } },
      source: { kind: "directory", path: await runs.scripts(script) },
      limits: { memory: "128m", disk: "32m", pids: 64, cpus: 0.1 },
      ...fields,
    });
    return new KubernetesRunner({ cluster, namespace: NAMESPACE }).run({ history: runs.history, description, secrets });
  }

  it("are gone before the script begins, but for its own", async () => {
    const word = "the word of the script";
    const script = `${SEARCH}
with open("/tmp/control", "w") as file: file.write("control of " + "the search")
print(list(search("control of " + "the search")), list(search(os.environ["WORD"])), os.listdir("/run/kiln-once"))
print(os.path.exists("/run/kiln-secrets"), os.environ["WORD"] == "the word of" + " the script")`;
    const ended = await job(
      "once",
      script,
      { secrets: [{ name: "WORD", as: "environment" }] },
      { WORD: Buffer.from(word) },
    );
    expect(ended.result, JSON.stringify(ended.result)).toMatchObject({ status: "succeeded" });
    expect(await fileOf(ended, "stdout.log")).toBe("['/tmp/control'] [] []\nFalse True\n");
  });

  it("of Vault come by the pod's own token, which the script does not see", async () => {
    if (typeof tool === "string") return;
    const vault = await VaultServer.start(tool, plane.directory, node.gateway);
    onTestFinished(() => vault.stop());
    const jobs = await prepareVault(vault, plane.directory);
    const key = await readFile(path.join(plane.directory, "service-accounts.key"));
    const publicKey = createPublicKey(key).export({ type: "spki", format: "pem" });
    await vault.done("POST", "auth/kubernetes/config", { jwt_validation_pubkeys: [publicKey] });
    // The cluster signs its tokens with that key.
    const role = { role_type: "jwt", user_claim: "sub", bound_audiences: ["vault"], token_policies: "job" };
    const subject = { bound_subject: `system:serviceaccount:${NAMESPACE}:default` };
    await vault.done("POST", "auth/kubernetes/role/job", { ...role, ...subject });
    const before = await jobs.tokens();
    const settings = {
      ...{ auth: "kubernetes", role: "job", address: vault.address, ca_cert: await readFile(vault.caFile, "utf8") },
      secrets: {
        DB_PASSWORD: { path: "secret/data/app", field: "password" },
        TLS_KEY: { path: ISSUE, field: "private_key", as: "file", with: { common_name: "job.example" } },
      },
    };
    const script = `${SEARCH}
print(len(os.environ["DB_PASSWORD"]), "PRIVATE" + " KEY" in open(os.environ["TLS_KEY"]).read(), os.listdir("/run/kiln-once"))
print(os.path.exists("/run/kiln-token"), list(search("eyJ" + "hbGci")), list(search("PRIVATE" + " KEY")) == [os.environ["TLS_KEY"]])`;
    const ended = await job("of-vault", script, { vault: settings });
    expect(ended.result, JSON.stringify(ended.result)).toMatchObject({ status: "succeeded" });
    expect(await fileOf(ended, "stdout.log")).toBe(`${PASSWORD.length} True []\nFalse [] True\n`);
    expect(await jobs.tokens()).toBe(before);
    await vi.waitFor(async () => {
      expect(await vault.leases(ISSUE)).toEqual([]);
    });
  });
});
