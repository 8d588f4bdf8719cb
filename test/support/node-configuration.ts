import path from "node:path";
import { stringify } from "yaml";
import { PAUSE } from "./pause-image.ts";

/** The network of the pods, and its interface on this machine. */
const POD_NETWORK = "10.98.0.0/24";
/** This machine's address in that network, from the first pod on. */
export const GATEWAY = "10.98.0.1";
export const BRIDGE = "kiln-test0";

/** Configuration of a containerd of its own: nothing is shared with one that the machine may have. */
export function containerdConfig(home: string, plugins: string): string {
  const cri = '[plugins."io.containerd.grpc.v1.cri"';
  return [
    "version = 2",
    `root = ${JSON.stringify(path.join(home, "containerd"))}`,
    `state = ${JSON.stringify(path.join(home, "containerd-state"))}`,
    "[grpc]",
    `address = ${JSON.stringify(path.join(home, "containerd.sock"))}`,
    `${cri}]`,
    `sandbox_image = ${JSON.stringify(PAUSE.reference)}`,
    // Inside a container nobody may lower a score: without this line runc cannot start anything.
    "restrict_oom_score_adj = true",
    'stream_server_address = "127.0.0.1"',
    `${cri}.cni]`,
    `bin_dir = ${JSON.stringify(plugins)}`,
    `conf_dir = ${JSON.stringify(path.join(home, "network"))}`,
    `${cri}.containerd.runtimes.runc]`,
    'runtime_type = "io.containerd.runc.v2"',
    "",
  ].join("\n");
}

/** Pods can reach each other and this machine, and nothing beyond. */
export function networkConfig(home: string): string {
  const dataDir = path.join(home, "addresses");
  const ipam = {
    type: "host-local",
    dataDir,
    ranges: [[{ subnet: POD_NETWORK, gateway: GATEWAY }]],
    routes: [{ dst: "0.0.0.0/0" }],
  };
  const bridge = { type: "bridge", bridge: BRIDGE, isGateway: true, ipMasq: false, ipam };
  return JSON.stringify({ cniVersion: "0.4.0", name: "kiln-test", plugins: [bridge] });
}

/**
 * Configuration of a kubelet that a full disk of the machine does not make evict pods. It answers nobody; with a port it
 * answers the API server, which reads logs from it, and whoever else is on the loopback interface of this machine.
 */
export function kubeletConfig(home: string, socket: string, port = 0): string {
  return stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: "127.0.0.1",
    port,
    healthzPort: 0,
    readOnlyPort: 0,
    enableServer: port !== 0,
    authentication: { anonymous: { enabled: port !== 0 }, webhook: { enabled: false } },
    authorization: { mode: "AlwaysAllow" },
    containerRuntimeEndpoint: `unix://${socket}`,
    podLogsDir: path.join(home, "logs"),
    cgroupDriver: "cgroupfs",
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    failCgroupV1: false,
    resolvConf: "",
    evictionHard: { "memory.available": "1Mi", "nodefs.available": "0%", "imagefs.available": "0%" },
    imageGCHighThresholdPercent: 100,
    shutdownGracePeriod: "0s",
    syncFrequency: "5s",
  });
}
