import { mkdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { canInstallPackages, installPackages } from "../../toolchain/debian.ts";
import { findExecutable } from "../../toolchain/executables.ts";
import { places } from "../../toolchain/places.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTools } from "../../toolchain/resolve.ts";
import { BackgroundProcess } from "./background-process.ts";
import { freePort } from "./checkout.ts";
import { builds, type ControlPlane } from "./control-plane.ts";
import { BRIDGE, containerdConfig, GATEWAY, kubeletConfig, networkConfig } from "./node-configuration.ts";
import { items } from "./listed-object.ts";
import { PAUSE } from "./pause-image.ts";
import { buildProgramImage, type ProgramImage } from "./program-image.ts";

/** A real node of a control plane: kubelet, containerd and scheduler, on this machine. */
export interface KubernetesNode {
  readonly name: string;
  /** Where pods reach servers of this machine; an address of it once the first pod was there. */
  readonly gateway: string;
  /** Makes an image of a program on the node, under whatever name pods give it. Other images it pulls, from a loopback registry. */
  addProgram(image: ProgramImage): Promise<void>;
  /** Makes a volume of a folder of this machine, for claims of the storage class `local`; gives the folder. */
  addVolume(name: string, capacity: string, accessMode?: string): Promise<string>;
  /** What a container printed so far. */
  logs(namespace: string, pod: string, container: string): Promise<string>;
  /** Ends every pod and process, and takes their mounts and files away. */
  stop(): Promise<void>;
}

const CNI = "/usr/lib/cni";
const PACKAGES = ["containerd", "runc", "containernetworking-plugins", "iproute2"];
const PROGRAMS = ["containerd", "ctr", "runc", "ip", path.join(CNI, "bridge"), path.join(CNI, "host-local")];
const READY_MS = 120_000;

/** Why no node can be brought up on this machine; undefined where one can. Installs nothing. */
export async function nodeProblem(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "a node needs root on Linux";
  const missing = await missingPrograms();
  if (missing.length === 0 || (await canInstallPackages())) return undefined;
  return `a node needs ${missing.join(", ")}, and packages can be installed on Debian and Ubuntu only`;
}

/**
 * Brings a node of a control plane to Ready, in about a quarter of a minute. Its files are below those of the control plane.
 * Where it `servesLogs`, the API server gives those of its pods, as any cluster's does.
 */
export async function startKubernetesNode(
  plane: ControlPlane,
  { servesLogs = false }: { readonly servesLogs?: boolean } = {},
): Promise<KubernetesNode> {
  if ((await missingPrograms()).length > 0) await installPackages(PACKAGES, "a Kubernetes node", builds);
  const tools = await resolveTools(["go", "kubelet", "kube-scheduler"], { places: places(), progress: builds });
  const home = path.join(plane.directory, "node");
  await mkdir(path.join(home, "network"), { recursive: true });
  const socket = path.join(home, "containerd.sock");
  const ctr = (...args: readonly string[]) => run("ctr", ["--address", socket, "--namespace", "k8s.io", ...args]);
  // By its name the API server finds the kubelet, which listens on the loopback interface alone.
  const name = servesLogs ? "localhost" : hostname().toLowerCase();
  const port = servesLogs ? await freePort() : 0;
  const started: BackgroundProcess[] = [];
  const start = (command: string, args: readonly string[]) => {
    const child = new BackgroundProcess(command, args, path.join(home, `${path.basename(command)}.log`));
    started.push(child);
    return child;
  };
  const addProgram = async (image: ProgramImage) => {
    const archive = await buildProgramImage(tools.go.path, path.join(home, "programs", image.program), image);
    await ctr("images", "import", archive);
  };
  const stop = async () => {
    await endPods(plane);
    const [containerd, ...others] = started;
    for (const child of others.reverse()) await child.stop();
    await endTasks(ctr);
    await containerd?.stop();
    await unmountBelow(home);
    await run("ip", ["link", "delete", BRIDGE], { allowFailure: true });
  };
  try {
    await writeFile(path.join(home, "containerd.toml"), containerdConfig(home, CNI));
    await writeFile(path.join(home, "network/10-bridge.conflist"), networkConfig(home));
    await writeFile(path.join(home, "kubelet.json"), kubeletConfig(home, socket, port));
    const containerd = start("containerd", ["--config", path.join(home, "containerd.toml")]);
    await containerd.waitUntil(
      () =>
        ctr("version").then(
          () => true,
          () => false,
        ),
      READY_MS,
    );
    await addProgram(PAUSE);
    start(tools["kube-scheduler"].path, [
      `--kubeconfig=${plane.kubeconfig}`,
      "--leader-elect=false",
      "--secure-port=0",
    ]);
    const kubelet = start(tools.kubelet.path, [
      `--config=${path.join(home, "kubelet.json")}`,
      `--kubeconfig=${plane.kubeconfig}`,
      `--root-dir=${path.join(home, "kubelet")}`,
      `--cert-dir=${path.join(home, "certificates")}`,
      `--hostname-override=${name}`,
    ]);
    await kubelet.waitUntil(() => isReady(plane, name), READY_MS);
    await plane.request("POST", "/apis/storage.k8s.io/v1/storageclasses", LOCAL_CLASS);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name,
    gateway: GATEWAY,
    addProgram,
    async addVolume(volume, capacity, accessMode = "ReadWriteOnce") {
      const folder = path.join(home, "volumes", volume);
      await mkdir(folder, { recursive: true });
      const answer = await plane.request(
        "POST",
        "/api/v1/persistentvolumes",
        localVolume(volume, { capacity, accessMode, folder, node: name }),
      );
      if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
      return folder;
    },
    async logs(namespace, pod, container) {
      const { body } = await plane.request("GET", `/api/v1/namespaces/${namespace}/pods/${pod}`);
      const { uid } = body.metadata as { readonly uid: string };
      const file = path.join(home, "logs", `${namespace}_${pod}_${uid}`, container, "0.log");
      const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
      // `2026-01-02T03:04:05Z stdout F what was printed`
      return lines.map((line) => line.split(" ").slice(3).join(" ")).join("\n");
    },
    stop,
  };
}

/** Local volumes honour fsGroup, which folders of the host do not. */
const LOCAL_CLASS = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "local" },
  provisioner: "kubernetes.io/no-provisioner",
  volumeBindingMode: "WaitForFirstConsumer",
};

function localVolume(
  name: string,
  { capacity, accessMode, folder, node }: Readonly<Record<"capacity" | "accessMode" | "folder" | "node", string>>,
): object {
  const onNode = { key: "kubernetes.io/hostname", operator: "In", values: [node] };
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name },
    spec: {
      capacity: { storage: capacity },
      accessModes: [accessMode],
      storageClassName: "local",
      persistentVolumeReclaimPolicy: "Retain",
      local: { path: folder },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onNode] }] } },
    },
  };
}

async function missingPrograms(): Promise<readonly string[]> {
  const found = await Promise.all(PROGRAMS.map((program) => findExecutable(program, process.env)));
  return PROGRAMS.filter((_, index) => found[index] === undefined);
}

async function isReady(plane: ControlPlane, name: string): Promise<boolean> {
  const { body } = await plane.request("GET", `/api/v1/nodes/${name}`);
  const { conditions = [] } = (body.status ?? {}) as {
    readonly conditions?: readonly { type: string; status: string }[];
  };
  const { taints = [] } = (body.spec ?? {}) as { readonly taints?: readonly unknown[] };
  return taints.length === 0 && conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

/** What makes pods again that were deleted. */
const WORKLOADS = [
  "/apis/apps/v1/deployments",
  "/apis/apps/v1/daemonsets",
  "/apis/batch/v1/cronjobs",
  "/apis/batch/v1/jobs",
];

/** Containers outlive the kubelet: they end while it still looks after them. */
async function endPods(plane: ControlPlane): Promise<void> {
  for (const list of WORKLOADS) {
    const kind = path.posix.basename(list);
    for (const { metadata } of await items(plane, list)) {
      const at = `${path.posix.dirname(list)}/namespaces/${metadata.namespace}/${kind}/${metadata.name}`;
      await plane.request("DELETE", at, { propagationPolicy: "Background" });
    }
  }
  const deadline = Date.now() + 30_000;
  for (;;) {
    const pods = await items(plane, "/api/v1/pods");
    if (pods.length === 0 || Date.now() > deadline) return;
    for (const { metadata } of pods.filter((pod) => pod.metadata.deletionTimestamp === undefined)) {
      await plane.request("DELETE", `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`, {
        gracePeriodSeconds: 1,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Ends what is still there of containers: of a test that failed, perhaps. */
async function endTasks(ctr: (...args: readonly string[]) => Promise<{ readonly stdout: string }>): Promise<void> {
  const { stdout } = await ctr("tasks", "list", "--quiet").catch(() => ({ stdout: "" }));
  for (const task of stdout.split("\n").filter((line) => line !== "")) {
    await ctr("tasks", "delete", "--force", task).catch(() => undefined);
  }
}

/** Volumes and root file systems of pods are mounts below the node's folder. */
async function unmountBelow(directory: string): Promise<void> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" ")[1] ?? "");
  for (const mount of mounts.filter((at) => at.startsWith(`${directory}/`)).reverse()) {
    await run("umount", ["--lazy", mount], { allowFailure: true });
  }
}
