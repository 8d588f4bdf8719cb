import { mkdir } from "node:fs/promises";
import path from "node:path";
import { vi } from "vitest";
import { pushImage } from "../../execution/docker.ts";
import { connectClusterJobs, type ClusterJobs } from "../../execution/job/cluster-jobs.ts";
import { checkDescription, JOB_API, type JobDescription } from "../../execution/job/description.ts";
import type { JobRun, JobRunOptions } from "../../execution/job/job-options.ts";
import { KubernetesRunner } from "../../execution/job/kubernetes-runner.ts";
import { manifestName } from "../../execution/job/manifest.ts";
import { engineEnvironment } from "../../toolchain/docker-engine.ts";
import { run } from "../../toolchain/process.ts";
import { startControlPlane, type ControlPlane } from "./control-plane.ts";
import { jobEngine, jobImage, JobRuns } from "./job-runs.ts";
import { startKubernetesNode } from "./kubernetes-node.ts";
import { kilnCommand, type RunningCommand } from "./module-command.ts";
import { RegistryProcess } from "./registry-process.ts";

export type JobFields = Partial<Record<keyof JobDescription, unknown>>;

/** A cluster with a real node, which pulls the base image of job runners, and a namespace of restricted pod security. */
export interface JobCluster {
  readonly plane: ControlPlane;
  readonly api: ClusterJobs;
  readonly namespace: string;
  /** By digest, in a registry of its own. */
  readonly image: string;
  readonly history: string;
  /** Runs a script of Python, in this process. */
  run(id: string, script: string, fields?: JobFields, options?: Partial<JobRunOptions>): Promise<JobRun>;
  /** The same by `kiln job run`, as a person starts it. */
  command(id: string, script: string): Promise<RunningCommand>;
  /** Names of the Jobs that there are. */
  names(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export const JOB_TIMEOUTS = { job: 120, grace: 1, finish: 5 };
const NAMESPACE = "jobs";
const LIMITS = { memory: "128m", disk: "32m", pids: 64, cpus: 0.1 };

/** The name of the objects of a job. */
export function jobName(id: string): string {
  return manifestName({ job_id: id, attempt: 1 } as JobDescription);
}

/** Starts it, in about half a minute. Needs root, a Docker engine, and whatever a node needs. */
export async function startJobCluster(): Promise<JobCluster> {
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    for (const one of started.reverse()) await one.stop();
  };
  try {
    return { ...(await readyJobCluster((one) => started.push(one))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function readyJobCluster(onStart: (one: { stop(): Promise<void> }) => void): Promise<Omit<JobCluster, "stop">> {
  const plane = await startControlPlane();
  onStart(plane);
  onStart(await startKubernetesNode(plane, { servesLogs: true }));
  const registry = await RegistryProcess.start(path.join(plane.directory, "registry"));
  onStart(registry);
  const engine = await jobEngine();
  const docker = (...args: readonly string[]) => run(engine.docker, args, { env: engineEnvironment(engine) });
  const tag = `${registry.address}/jobs/base:test`;
  await docker("tag", await jobImage(engine), tag);
  const image = `${registry.address}/jobs/base@${await pushImage(engine, tag)}`;
  await docker("image", "rm", tag);
  const folder = path.join(plane.directory, "runs");
  await mkdir(folder);
  const runs = new JobRuns(engine, image, folder);
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await plane.request("POST", "/api/v1/namespaces", { metadata: { name: NAMESPACE, labels } });
  vi.stubEnv("KUBECONFIG", plane.kubeconfig);
  const api = await connectClusterJobs();
  vi.unstubAllEnvs();
  return {
    ...{ plane, api, image, namespace: NAMESPACE, history: runs.history },
    async run(id, script, fields = {}, options = {}) {
      const description = checkDescription({
        ...{ api_version: JOB_API, job_id: id, image, script: "job", timeouts: JOB_TIMEOUTS, limits: LIMITS },
        source: { kind: "directory", path: await runs.scripts(script) },
        ...fields,
      });
      const runner = new KubernetesRunner({ cluster: api, namespace: NAMESPACE });
      return runner.run({ history: runs.history, ...options, description });
    },
    async command(id, script) {
      const where = ["--on", "kubernetes", "--namespace", NAMESPACE, "--history", runs.history, "--image", image];
      const what = ["--job-id", id, "--script", "job", "--repo", await runs.scripts(script), "--grace", "1s"];
      const limits = ["--limits", "memory=128m,disk=32m,pids=64,cpus=0.1"];
      return kilnCommand(["job", "run", ...where, ...what, ...limits], {
        ...process.env,
        KUBECONFIG: plane.kubeconfig,
      });
    },
    async names() {
      return (await api.jobs({}, NAMESPACE)).map(({ metadata }) => metadata?.name ?? "");
    },
  };
}
