import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { realpath } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { V1Container, V1JobTemplateSpec, V1PodTemplateSpec } from "@kubernetes/client-node";
import { buildContract } from "../../cache/contract.ts";
import type { Shape } from "../../runners/kubernetes-shape.ts";
import { toolVersions } from "../../toolchain/pins.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import { FIXTURE, FIXTURE_PATTERN, PROJECT } from "./checkout.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { KubernetesNode } from "./kubernetes-node.ts";
import type { ListedObject } from "./listed-object.ts";
import { jitConfigOf } from "./stand-in-runner.ts";

/** How a pod ended, and what its container said. */
export interface PodEnd {
  readonly phase: string;
  readonly log: string;
  /** From when it was made. */
  readonly seconds: number;
}

/** Where jobs get what GitHub and the Go module proxy have elsewhere. */
export interface JobSources {
  /** `http://address:port`. */
  readonly url: string;
  close(): Promise<void>;
}

const WORK = "/home/runner/_work";
const SOURCE = `${WORK}/kiln/${path.relative(PROJECT, FIXTURE)}`;
const PAUSE_MS = 200;

/** Arguments of tar for what a job can ask for: the project with its packages, and the fixture alone. */
const ARCHIVES = {
  "kiln.tar": async () => {
    const modules = await realpath(path.join(PROJECT, "node_modules"));
    const own = [".git", ".kiln", "node_modules"].map((name) => `--exclude=./${name}`);
    const changing = [".vite", ".vitest-cache"].map((name) => `--exclude=node_modules/${name}`);
    return [...own, ...changing, "-C", PROJECT, ".", "-C", path.dirname(modules), "node_modules"];
  },
  "fixture.tar": () => ["-C", PROJECT, path.relative(PROJECT, FIXTURE)],
} as const;

/**
 * Serves this checkout, in the place of actions/checkout and npm ci, and below `/modules` the files of a module cache's
 * `cache/download`.
 */
export async function serveJobSources(address: string, downloads: string): Promise<JobSources> {
  const archives = new Map<string, readonly string[]>();
  for (const [name, flags] of Object.entries(ARCHIVES)) archives.set(`/${name}`, await flags());
  const server = createServer(({ url = "" }, response) => {
    const archive = archives.get(url);
    const content =
      archive === undefined
        ? createReadStream(path.join(downloads, path.normalize(url.replace(/^\/modules/, ""))))
        : spawn("tar", ["-c", ...archive], { stdio: ["ignore", "pipe", "inherit"] }).stdout;
    content.once("error", () => response.writeHead(404).end());
    content.pipe(response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, address, resolve);
  });
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** The steps before those of a job: the checkout, or what is named of it, and where modules come from. */
function checkoutSteps({ url }: JobSources, archive: keyof typeof ARCHIVES): string {
  const read = `fetch(process.argv[1]).then(({ body }) => require("node:stream/promises").pipeline(body, process.stdout))`;
  return `
mkdir -p ${WORK}/kiln; cd ${WORK}
node -e '${read}' ${url}/${archive} | tar -xC kiln
export GOPROXY=${url}/modules GOSUMDB=off KILN_MIN_FREE_GB=0
echo "uid $(id -u)"`;
}

/** A job that warms a shard of the fixture on the caches of its pod. */
export function warmingJob(sources: JobSources): string {
  return `${checkoutSteps(sources, "kiln.tar")}
kiln="node kiln/cli/kiln.mjs cache"
$kiln plan --source ${SOURCE} --modules '${FIXTURE_PATTERN}' --by provider --store /var/cache --out plan.json
$kiln warm --plan plan.json --source ${SOURCE} --shard alpha --store /var/cache --out alpha`;
}

/**
 * A job that builds programs of the fixture under the contract of the runner image, and prints how many packages Go
 * compiles for each: `compiled <number> of <program>`. `empty` builds them without what earlier jobs left.
 */
export function buildingJob(sources: JobSources, programs: readonly string[], { empty = false } = {}): string {
  const { environment, flags } = buildContract(toolVersions, ownPlatform().replace("linux/", ""));
  const variables = Object.entries(environment).map(([name, value]) => `${name}='${value}'`);
  return `${checkoutSteps(sources, "fixture.tar")}
${empty ? "export GOCACHE=/tmp/empty" : ""}
compiled() {
  cd "${SOURCE}/$1"
  env ${variables.join(" ")} go build -x ${flags.map((flag) => `'${flag}'`).join(" ")} -o /tmp/program . 2>/tmp/log ||
    { cat /tmp/log >&2; exit 1; }
  grep -cE '/compile -o ' /tmp/log || true
}
for program in ${programs.join(" ")}; do count=$(compiled "$program"); echo "compiled $count of $program"; done`;
}

/** How many packages a job of `buildingJob` compiled, by program. */
export function compiledIn({ log }: PodEnd): Readonly<Record<string, number>> {
  const lines = [...log.matchAll(/^compiled (\d+) of (\S+)$/gm)];
  return Object.fromEntries(lines.map(([, count, program = ""]) => [program, Number(count)]));
}

/**
 * Runs a job in a runner of a scale set, as the controller does: a pod of the set's own template, with a name and, through
 * a Secret, a job. Both are gone when this returns.
 */
export async function runJob(on: Cluster, set: ListedObject, name: string, script: string): Promise<PodEnd> {
  const { namespace } = set.metadata;
  const at = `/api/v1/namespaces/${namespace}`;
  const secret = { metadata: { name }, stringData: { jitToken: jitConfigOf(script) } };
  await created(on, `${at}/secrets`, secret);
  await created(on, `${at}/pods`, runnerPod(set, name));
  const end = await podEnd(on, `${namespace}/${name}`, "runner");
  for (const kind of ["pods", "secrets"]) await on.plane.request("DELETE", `${at}/${kind}/${name}`);
  return end;
}

/** The pod of one runner. It gets nothing beside its template but a name, and its job in a variable. */
export function runnerPod({ spec }: ListedObject, name: string) {
  const template = spec?.template as Shape<V1PodTemplateSpec>;
  const job = {
    name: "ACTIONS_RUNNER_INPUT_JITCONFIG",
    valueFrom: { secretKeyRef: { name, key: "jitToken" } },
  };
  const withJob = (container: Shape<V1Container>) =>
    container.name === "runner" ? { ...container, env: [...(container.env ?? []), job] } : container;
  return {
    metadata: { ...template.metadata, name },
    spec: { ...template.spec, containers: template.spec?.containers.map(withJob) },
  };
}

/** A Job of a CronJob, as `kubectl create job --from` makes it: it goes with its owner, and so does its pod. */
export function jobByHand({ metadata, spec }: ListedObject, name: string) {
  const { metadata: made, spec: job } = spec?.jobTemplate as Shape<V1JobTemplateSpec>;
  const owner = { apiVersion: "batch/v1", kind: "CronJob", name: metadata.name, uid: metadata.uid, controller: true };
  return { metadata: { labels: made?.labels, name, ownerReferences: [owner] }, spec: job };
}

/** Where pods are made, and run. */
export interface Cluster {
  readonly plane: ControlPlane;
  readonly node: KubernetesNode;
}

/** Makes an object, and throws where the API server refuses it. */
export async function created({ plane }: Pick<Cluster, "plane">, at: string, body: object): Promise<void> {
  const answer = await plane.request("POST", at, body);
  if (answer.status !== 201) throw new Error(`${at}: ${JSON.stringify(answer.body)}`);
}

/** Waits for the end of a pod, named `namespace/name`. Throws where it has none within three minutes, with its status. */
export async function podEnd({ plane, node }: Cluster, pod: string, container: string): Promise<PodEnd> {
  const [namespace = "", name = ""] = pod.split("/");
  const start = Date.now();
  for (;;) {
    const { body } = await plane.request("GET", `/api/v1/namespaces/${namespace}/pods/${name}`);
    const { phase } = body.status as { readonly phase: string };
    if (["Succeeded", "Failed"].includes(phase)) {
      const seconds = (Date.now() - start) / 1000;
      return { phase, log: await node.logs(namespace, name, container), seconds };
    }
    if (Date.now() - start > 180_000) throw new Error(`${pod} does not end: ${JSON.stringify(body.status)}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
