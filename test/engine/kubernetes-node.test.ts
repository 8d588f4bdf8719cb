import { generateKeyPairSync } from "node:crypto";
import { chown, cp, mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { pushImage } from "../../execution/docker.ts";
import { silent } from "../../progress.ts";
import { engineEnvironment, readyEngine, type Engine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { FIXTURE, PROJECT } from "../support/checkout.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane.ts";
import { EngineProject } from "../support/engine-project.ts";
import { nodeProblem, startKubernetesNode, type KubernetesNode } from "../support/kubernetes-node.ts";
import { items, type ListedObject } from "../support/listed-object.ts";
import { MANAGER } from "../support/manager-image.ts";
import { RegistryProcess } from "../support/registry-process.ts";
import { startRunnerController, type RunnerController } from "../support/runner-controller-stand-in.ts";
import {
  buildingJob,
  compiledIn,
  created,
  jobByHand,
  podEnd,
  runJob,
  runnerPod,
  serveJobSources,
  warmingJob,
  type JobSources,
} from "../support/runner-job.ts";
import { buildStandInRunner } from "../support/stand-in-runner.ts";
import { writeTestCrds } from "../support/test-crds.ts";
import { isExtended } from "../support/extended.ts";

const problem = isExtended ? await nodeProblem() : "only npm run test:extended brings up a node";
if (problem !== undefined) console.warn(`skipped: ${problem}`);

const STACK = "test-node";
const FILE = `stacks/Pulumi.${STACK}.yaml`;
const PATIENT = { timeout: 120_000, interval: 200 };
const LANE = `${STACK}-platform-bake-lane-0`;
const { privateKey: KEY } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

/** A stack with one lane, whose volume is a folder of the node. */
function settings(of: Readonly<Record<"image" | "node" | "folder" | "retention", string>>) {
  const { image, node, folder: localPath, retention } = of;
  const garbageCollection = { budget: "1Mi" };
  const cache = { mode: "lane", lanes: 1, size: "2Gi", node, localPath, retention, garbageCollection };
  const bake = { maxRunners: 1, cache: true, requests: { cpu: "100m", memory: "2Gi" } };
  const credentials = { app: { id: 12, installationId: 34, privateKeyConfig: "kiln:appKey" } };
  return {
    "kiln:registry": "localhost:5180",
    "kiln:warmImage": `localhost:5180/kiln/base-images/iac-runner-warm@sha256:${"a".repeat(64)}`,
    "kiln:cluster": { checks: "required" },
    "kiln:controller": { crds: "crds" },
    "kiln:actionsRunner": { image },
    "kiln:tenants": {
      platform: {
        url: "https://github.com/acme",
        credentials,
        trusted: { cache, sets: { bake }, quota: { pods: 20 } },
      },
    },
  };
}

/** Says who it runs as, and adds a line to a file of the volume. */
const VISITOR = {
  reference: "docker.io/kiln-test/visitor:1",
  program: "visitor",
  source: `package main

import (
	"fmt"
	"os"
)

func main() {
	visits, err := os.OpenFile("/cache/visits", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Fprintf(visits, "visit of %d\\n", os.Getuid())
	all, _ := os.ReadFile("/cache/visits")
	fmt.Printf("uid %d\\n%s", os.Getuid(), all)
}
`,
};

describe.skipIf(problem !== undefined)("a real node", { timeout: 120_000 }, () => {
  let plane: ControlPlane;
  let node: KubernetesNode;

  beforeAll(async () => {
    plane = await startControlPlane();
    node = await startKubernetesNode(plane);
    await node.addProgram(VISITOR);
  });

  afterAll(async () => {
    await node.stop();
    await plane.stop();
  });

  it("runs pods one after the other, as uid 1001, on one local volume that each can write", async () => {
    const folder = await node.addVolume("cache-0", "1Gi");
    await created({ plane }, "/api/v1/namespaces/default/persistentvolumeclaims", {
      metadata: { name: "cache" },
      spec: {
        ...{ accessModes: ["ReadWriteOnce"], storageClassName: "local" },
        resources: { requests: { storage: "1Gi" } },
      },
    });
    expect(await visit("first")).toBe("uid 1001\nvisit of 1001\n");
    expect(await visit("second")).toBe("uid 1001\nvisit of 1001\nvisit of 1001\n");
    expect(await readFile(path.join(folder, "visits"), "utf8")).toBe("visit of 1001\nvisit of 1001\n");
  });

  async function visit(name: string): Promise<string> {
    await created({ plane }, "/api/v1/namespaces/default/pods", {
      metadata: { name },
      spec: {
        restartPolicy: "Never",
        securityContext: { runAsUser: 1001, runAsGroup: 1001, fsGroup: 1001, fsGroupChangePolicy: "OnRootMismatch" },
        containers: [
          {
            ...{ name: "visitor", image: VISITOR.reference, imagePullPolicy: "Never" },
            volumeMounts: [{ name: "cache", mountPath: "/cache" }],
          },
        ],
        volumes: [{ name: "cache", persistentVolumeClaim: { claimName: "cache" } }],
      },
    });
    return (await podEnd({ plane, node }, `default/${name}`, "visitor")).log;
  }

  describe("a stack's runners", { timeout: 600_000 }, () => {
    const NAMESPACE = `runners-${STACK}-platform-trusted`;
    const CLAIM = `${STACK}-platform-trusted-lane-0`;
    let engine: Engine;
    let built: readonly string[] = [];
    let registry: RegistryProcess;
    let project: EngineProject;
    let controller: RunnerController;
    let sources: JobSources | undefined;
    let image = "";
    let committed = "";
    let before: ReadonlySet<string>;
    const volume = (...parts: readonly string[]) => path.join(plane.directory, "volumes/lane-0", ...parts);

    beforeAll(async () => {
      engine = await readyEngine({ places: places(), progress: silent });
      registry = await RegistryProcess.start(path.join(plane.directory, "registry"));
      const tag = `${registry.address}/actions-runner`;
      built = await buildStandInRunner(engine, path.join(plane.directory, "runner"), tag);
      image = `${tag}@${await pushImage(engine, `${tag}:latest`)}`;
      await node.addProgram(MANAGER);
      await downloadModules(path.join(plane.directory, "downloads"));
      // The folder of a local volume has to be there; nothing of the cluster makes it.
      await mkdir(volume(), { recursive: true });
      project = await EngineProject.create();
      project.env = { KUBECONFIG: plane.kubeconfig };
      await writeTestCrds(path.join(project.directory, "crds"));
      await project.write(FILE, "config: {}\n");
      await project.pulumi("stack", "init", STACK, "--no-select");
      await project.pulumi("config", "set-all", "--stack", STACK, `--secret=kiln:appKey=${KEY}`);
      committed = await project.read(FILE);
      controller = startRunnerController(plane);
      before = new Set();
      before = new Set(await left());
    }, 900_000);

    afterAll(async () => {
      await sources?.close();
      await controller.stop();
      await project.remove();
      await registry.stop();
      await run(engine.docker, ["image", "rm", "--force", ...built], {
        env: engineEnvironment(engine),
        allowFailure: true,
      });
    });

    it("come up, with a controller that is healthy and an image that the node has pulled", async () => {
      await up("delete");
      await expect.poll(numberReady, PATIENT).toBe(1);
      expect(controller.events.at(-1)).toMatchObject({ what: "running", scaleSet: `${NAMESPACE}/${LANE}` });
      sources = await serveJobSources(node.gateway, path.join(plane.directory, "downloads/cache/download"));
    });

    it("may be nobody but the runner's user", async () => {
      const pod = runnerPod(await scaleSet(), "root");
      const answer = await plane.request("POST", `/api/v1/namespaces/${NAMESPACE}/pods`, {
        ...pod,
        spec: { ...pod.spec, securityContext: { ...pod.spec.securityContext, runAsUser: 0, runAsNonRoot: false } },
      });
      expect(answer).toMatchObject({
        status: 403,
        body: { message: expect.stringContaining('"restricted:latest"') as string },
      });
    });

    // NetworkPolicies are in the cluster, but nothing here enforces them: the network of this node is a plain bridge.
    it("warm their volume, and compile nothing that the one before has compiled", async () => {
      const first = await runs("first", warmingJob(source()));
      expect(first.log).toMatch(/^uid 1001$/m);
      const folders = (await readdir(volume())).sort();
      expect(folders).toEqual(["go-mod", expect.stringMatching(/^go1\.[\d.]+-linux-\w+$/)]);
      for (const folder of folders) expect(await ownersBelow(volume(folder))).toEqual(["1001:1001"]);

      const second = await runs("second", buildingJob(source(), ["alpha/one", "alpha/two"]));
      expect(compiledIn(second)).toEqual({ "alpha/one": 0, "alpha/two": 0 });
      const empty = await runs("uncached", buildingJob(source(), ["alpha/one"], { empty: true }));
      expect(compiledIn(empty)["alpha/one"]).toBeGreaterThan(10);
    });

    it("share it with a collector, which takes away what no runner has use for", async () => {
      const old = volume("go1.20.0-linux-amd64/ab");
      await mkdir(old, { recursive: true });
      await writeFile(path.join(old, "ab01-a"), "x".repeat(100_000));
      await utimes(path.join(old, "ab01-a"), 0, 0);
      for (const each of [path.dirname(old), old, path.join(old, "ab01-a")]) await chown(each, 1001, 1001);

      const at = `/apis/batch/v1/namespaces/${NAMESPACE}`;
      const cronJob = (await plane.request("GET", `${at}/cronjobs/${CLAIM}-gc`)).body as unknown as ListedObject;
      await created({ plane }, `${at}/jobs`, jobByHand(cronJob, "by-hand"));
      await expect.poll(() => podOf("by-hand"), PATIENT).toBeDefined();
      const end = await podEnd({ plane, node }, `${NAMESPACE}/${(await podOf("by-hand")) ?? ""}`, "collect-garbage");
      console.info(`the collector took ${end.seconds} s: ${end.log}`);
      expect(end.phase).toBe("Succeeded");
      expect(JSON.parse(end.log)).toMatchObject({ removed: { otherVersions: 1, entries: 0 }, failed: 0 });
      await expect
        .poll(async () => (await plane.request("GET", `${at}/jobs/by-hand`)).body.status as object, PATIENT)
        .toMatchObject({ succeeded: 1 });

      const after = await runs("after", buildingJob(source(), ["alpha/one"]));
      expect(compiledIn(after)).toEqual({ "alpha/one": 0 });
    });

    it("leave nothing in the cluster when they are destroyed; the folder of their node nobody may delete", async () => {
      await destroy();
      expect(await left()).toEqual([]);
      expect(await readdir(volume())).toContain("go-mod");
    });

    it("meet their cache again where they come back, and leave volume and claim where these are retained", async () => {
      await up("retain");
      const back = await runs("back", buildingJob(source(), ["alpha/one"]));
      expect(compiledIn(back)).toEqual({ "alpha/one": 0 });
      await destroy();
      expect(await left()).toEqual([NAMESPACE, `${NAMESPACE}-${CLAIM}`]);
      const claim = await plane.request("GET", `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims/${CLAIM}`);
      expect(claim.body.status).toMatchObject({ phase: "Bound" });
    });

    async function up(retention: "retain" | "delete"): Promise<void> {
      const document = parse(committed) as { config: Record<string, unknown> };
      const folder = path.dirname(volume());
      const config = settings({ image, node: node.name, folder, retention });
      await project.write(FILE, stringify({ ...document, config: { ...document.config, ...config } }));
      await succeed("up", "--yes", "--skip-preview");
      await expect.poll(() => controller.events.at(-1)?.what, PATIENT).toBe("running");
    }

    /** The scale set first, while the Secret and the controller are there: else the controller says that it is held. */
    async function destroy(): Promise<void> {
      const seen = controller.events.length;
      await succeed("destroy", "--yes", "--skip-preview");
      expect(controller.events.slice(seen)).toEqual([{ what: "finalized", scaleSet: `${NAMESPACE}/${LANE}` }]);
    }

    async function succeed(...args: readonly string[]): Promise<void> {
      const start = Date.now();
      const result = await project.pulumi(...args, "--stack", STACK);
      console.info(`pulumi ${args[0] ?? ""} took ${(Date.now() - start) / 1000} s`);
      expect(result.code, `${result.stdout}\n${result.stderr}`).toBe(0);
    }

    function source(): JobSources {
      if (sources === undefined) throw new Error("the stack did not come up");
      return sources;
    }

    async function scaleSet(): Promise<ListedObject> {
      const at = `/apis/actions.github.com/v1alpha1/namespaces/${NAMESPACE}/autoscalingrunnersets/${LANE}`;
      return (await plane.request("GET", at)).body as unknown as ListedObject;
    }

    /** A runner that ends well. */
    async function runs(name: string, script: string) {
      const end = await runJob({ plane, node }, await scaleSet(), name, script);
      console.info(`the ${name} runner took ${end.seconds} s`);
      expect(end.phase, end.log).toBe("Succeeded");
      return end;
    }

    async function podOf(job: string): Promise<string | undefined> {
      const pods = await items(plane, `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=job-name%3D${job}`);
      return pods[0]?.metadata.name;
    }

    /** Nodes that have the runner image. */
    async function numberReady(): Promise<number> {
      const at = `/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/runner-image`;
      return ((await plane.request("GET", at)).body.status as { readonly numberReady: number }).numberReady;
    }

    /** What is in the cluster that was not there before the stack. */
    async function left(): Promise<readonly string[]> {
      const lists = [
        "/api/v1/namespaces",
        "/api/v1/persistentvolumes",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
      ];
      const found = (await Promise.all(lists.map((list) => items(plane, list)))).flat();
      return found
        .map(({ metadata }) => metadata.name)
        .filter((name) => !before.has(name))
        .sort();
    }
  });
});

/** The modules of the fixture, as the module cache of a machine has them. */
async function downloadModules(cache: string): Promise<void> {
  const { path: go } = await resolveTool("go", { places: places(), progress: silent });
  const source = path.join(path.dirname(cache), "downloads-source");
  await cp(FIXTURE, source, { recursive: true });
  const env = { ...process.env, GOTOOLCHAIN: "local", GOMODCACHE: cache, GOFLAGS: "-modcacherw" };
  await run(go, ["mod", "download"], { cwd: source, env });
  // Those of gocache as well, which a job builds.
  await run(go, ["mod", "download"], { cwd: path.join(PROJECT, "images/programs"), env });
}

/** Who owns what stands below a folder, as `user:group`, each once. */
async function ownersBelow(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  const found = await Promise.all(names.map((name) => stat(path.join(folder, name))));
  return [...new Set(found.map(({ uid, gid }) => `${uid}:${gid}`))].sort();
}
