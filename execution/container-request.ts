import type { ContainerPlan } from "./container-plan.ts";
import { bytesOf } from "./job/limits.ts";
import { sandboxTmpfs } from "./sandbox.ts";

/** What the engine's API takes for a new container: see `createArguments`, which says the same to the client. */
export function createRequest(plan: ContainerPlan, stopSeconds: number): object {
  const { sandbox, entrypoint, args } = plan;
  const memory = bytesOf(sandbox.memory);
  return {
    Image: plan.image,
    User: sandbox.user,
    Env: Object.entries(plan.environment).map(([name, value]) => `${name}=${value}`),
    Labels: plan.labels,
    ...(entrypoint === undefined ? {} : { Entrypoint: [entrypoint] }),
    ...(args === undefined ? {} : { Cmd: args }),
    Volumes: Object.fromEntries(plan.volumes.map((folder) => [folder, {}])),
    StopTimeout: stopSeconds,
    ...{ OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true },
    HostConfig: {
      ...{ ReadonlyRootfs: sandbox.readOnlyRoot, CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"] },
      ...{ Memory: memory, MemorySwap: memory, PidsLimit: sandbox.pids },
      ...(sandbox.cpus === "all" ? {} : { NanoCpus: Math.round(sandbox.cpus * 1e9) }),
      NetworkMode: sandbox.network,
      LogConfig: { Type: "none" },
      Tmpfs: Object.fromEntries([...sandboxTmpfs(sandbox), ...(plan.tmpfs ?? [])].map(tmpfsOf)),
      Ulimits: (plan.ulimits ?? []).map(ulimitOf),
      Mounts: (plan.readOnlyMounts ?? []).map(({ from, to }) => {
        return { Type: "bind", Source: from, Target: to, ReadOnly: true };
      }),
    },
  };
}

/** `/work:exec,size=1048576` as folder and options. */
function tmpfsOf(text: string): [string, string] {
  const [folder = "", ...options] = text.split(":");
  return [folder, options.join(":")];
}

/** `nofile=4096`, or `nofile=1024:4096` where the soft limit is lower. */
function ulimitOf(text: string): object {
  const [Name = "", value = ""] = text.split("=");
  const [Soft = 0, Hard = Soft] = value.split(":").map(Number);
  return { Name, Soft, Hard };
}
