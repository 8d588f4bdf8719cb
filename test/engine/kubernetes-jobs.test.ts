import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connectClusterJobs, type ClusterJobs } from "../../execution/job/cluster-jobs.ts";
import { checkDescription, JOB_API, type JobDescription } from "../../execution/job/description.ts";
import { readHistory } from "../../execution/job/history.ts";
import { jobManifest, manifestName } from "../../execution/job/manifest.ts";
import { KubernetesRunner } from "../../execution/job/kubernetes-runner.ts";
import { isGone } from "../../execution/job/orphans.ts";
import { silent } from "../../progress.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane.ts";
import { items, type ListedObject } from "../support/listed-object.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const NAMESPACE = "jobs";
const PATIENT = { timeout: 30_000, interval: 100 };

let plane: ControlPlane;
let cluster: ClusterJobs;

beforeAll(async () => {
  plane = await startControlPlane();
  const labels = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
  };
  const answer = await plane.request("POST", "/api/v1/namespaces", { metadata: { name: NAMESPACE, labels } });
  expect(answer.status).toBe(201);
  vi.stubEnv("KUBECONFIG", plane.kubeconfig);
  cluster = await connectClusterJobs();
  vi.unstubAllEnvs();
});

afterAll(() => plane.stop());

async function described(id: string): Promise<JobDescription> {
  const scripts = await temporaryDirectory();
  await writeFile(path.join(scripts, "job.py"), "print('never runs here: there is no node')\n");
  return checkDescription({
    ...{ api_version: JOB_API, job_id: id, image: "registry.example/job:1", script: "job", parameters: { a: 1 } },
    source: { kind: "directory", path: scripts },
    secrets: [{ name: "TOKEN", as: "environment" }],
    timeouts: { job: 120, grace: 1, finish: 1 },
  });
}

const secrets = { TOKEN: Buffer.from("a token that is secret") };

describe("a Kubernetes Job in a namespace of restricted pod security", () => {
  it("is taken with its policy and Secret, gets its pod, and goes without a trace when it is cancelled", async () => {
    const history = await temporaryDirectory();
    const cancel = new AbortController();
    const description = await described("canceled");
    const name = manifestName(description);
    const runner = new KubernetesRunner({ cluster, namespace: NAMESPACE });
    const running = runner.run({ description, secrets, history, signal: cancel.signal });
    await vi.waitFor(async () => {
      expect((await items(plane, `/api/v1/namespaces/${NAMESPACE}/pods`)).length).toBe(1);
      // The last that is made: without it no node starts the pod.
      expect((await items(plane, `/api/v1/namespaces/${NAMESPACE}/secrets`)).length).toBe(1);
    }, PATIENT);
    const read = async (at: string) => (await plane.request("GET", at)).body;
    const job = await read(`/apis/batch/v1/namespaces/${NAMESPACE}/jobs/${name}`);
    expect(job).toMatchObject({ spec: { suspend: false, backoffLimit: 0 } });
    expect(isGone((job.metadata as ListedObject["metadata"]).annotations?.["dev.kiln/owner"] ?? "")).toBe(false);
    const policy = await read(`/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies/${name}`);
    expect(policy).toMatchObject({ spec: { policyTypes: ["Ingress", "Egress"] } });
    const secret = await read(`/api/v1/namespaces/${NAMESPACE}/secrets/${name}`);
    expect(Object.keys(secret.data as object).sort()).toEqual(["input-0", "secrets.json"]);
    expect(JSON.stringify(job) + JSON.stringify(policy)).not.toContain("a token that is secret");
    expect(JSON.stringify([policy.metadata, secret.metadata])).toContain('"kind":"Job"');

    cancel.abort();
    const ended = await running;
    expect(ended.result).toMatchObject({ job_id: "canceled", status: "canceled" });
    expect((await readHistory(history)).map(({ status }) => status)).toEqual(["canceled"]);
    expect((await plane.request("GET", `/api/v1/namespaces/${NAMESPACE}/secrets/${name}`)).status).toBe(404);
    await vi.waitFor(async () => {
      expect(await items(plane, `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`)).toEqual([]);
      expect(await items(plane, `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies`)).toEqual([]);
    }, PATIENT);
  });

  it("is refused a second time under its id: at most once", async () => {
    const description = await described("once");
    await cluster.create(jobManifest(description, { namespace: NAMESPACE, files: {} }));
    const runner = new KubernetesRunner({ cluster, namespace: NAMESPACE });
    const again = runner.run({ description, secrets, history: await temporaryDirectory() });
    await expect(again).rejects.toThrow(/already exists/);
    // The refusal takes nothing of the first one away.
    expect(await cluster.job(manifestName(description), NAMESPACE)).toBeDefined();
  });

  it("fails at once, and goes, where no pod of it is ever let in", async () => {
    const limits = { limits: [{ type: "Container", max: { memory: "16Mi" } }] };
    await plane.request("POST", "/api/v1/namespaces", { metadata: { name: "small" } });
    await plane.request("POST", "/api/v1/namespaces/small/limitranges", { metadata: { name: "small" }, spec: limits });
    const notes: string[] = [];
    const runner = new KubernetesRunner({ cluster, namespace: "small" });
    const progress = { ...silent, note: (text: string) => void notes.push(text) };
    const history = await temporaryDirectory();
    const ended = await runner.run({ description: await described("large"), secrets, history, progress });
    expect(ended.result).toMatchObject({
      status: "failed",
      error: expect.stringContaining("maximum memory") as string,
    });
    expect(notes).toEqual([expect.stringContaining("its pod has not started yet: FailedCreate: ")]);
    await vi.waitFor(async () => {
      expect(await items(plane, "/apis/batch/v1/namespaces/small/jobs")).toEqual([]);
      expect(await items(plane, "/api/v1/namespaces/small/secrets")).toEqual([]);
    }, PATIENT);
  });

  it("that was ended goes by itself, should nobody come to remove it", async () => {
    const description = await described("left");
    const name = manifestName(description);
    const manifest = jobManifest(description, { namespace: NAMESPACE, files: {}, keepSeconds: 1 });
    const { metadata } = await cluster.create(manifest);
    const made = () => cluster.pod(metadata?.uid ?? "", NAMESPACE);
    await vi.waitFor(async () => {
      expect(await made()).toBeDefined();
    }, PATIENT);
    await cluster.end(name, NAMESPACE);
    await vi.waitFor(async () => {
      expect(await cluster.job(name, NAMESPACE)).toBeUndefined();
      expect(await made()).toBeUndefined();
    }, PATIENT);
  });

  it("would get no pod if it could become root", async () => {
    const manifest = jobManifest(await described("root"), { namespace: NAMESPACE, files: {} });
    const pod = manifest.spec?.template.spec;
    Object.assign(pod?.containers[0]?.securityContext ?? {}, { allowPrivilegeEscalation: true });
    const job = await cluster.create(manifest);
    const name = manifest.metadata?.name ?? "";
    await vi.waitFor(async () => {
      const events = await items(plane, `/api/v1/namespaces/${NAMESPACE}/events`);
      expect(JSON.stringify(events.filter((event) => JSON.stringify(event).includes(name)))).toContain("PodSecurity");
    }, PATIENT);
    expect((await cluster.pod(job.metadata?.uid ?? "", NAMESPACE))?.metadata?.name).toBeUndefined();
  });
});
