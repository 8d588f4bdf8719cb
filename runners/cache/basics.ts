import type { CacheRefusal } from "./refusal.ts";
import type { CacheMode, CacheRequest } from "./request.ts";
import type { CheckedBasics } from "./checked-cache.ts";

/** What only some modes know. Elsewhere it would say nothing, and somebody would rely on it. */
const MODES_OF = {
  lanes: ["lane"],
  localPath: ["lane", "node"],
  snapshot: ["clone", "readonly"],
  sourceClaim: ["clone", "readonly"],
  moduleCache: ["split"],
  goProxy: ["readonly"],
  garbageCollection: ["lane", "node", "split"],
} as const satisfies Partial<Record<keyof CacheRequest, readonly CacheMode[]>>;

/** The modes in which jobs write to what later jobs read. */
const SHARED_BY_JOBS: readonly CacheMode[] = ["lane", "node", "split"];

/** What every cache says, whatever its mode. Throws where it says it wrongly, or says what its mode cannot use. */
export function checkedBasics(request: CacheRequest, refuse: CacheRefusal): CheckedBasics {
  const { name, zone, mode, goVersion, arch, retention, protect, maxRunners, node } = request;
  if (!/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) {
    throw refuse(
      "name",
      `is ${JSON.stringify(name)}, which cannot begin the names of claims and jobs`,
      "Use at most 40 lower-case letters, digits and dashes; the first is a letter.",
    );
  }
  if (!/^\d+\.\d+(\.\d+|(rc|beta)\d+)$/.test(goVersion)) {
    throw refuse(
      "goVersion",
      `is ${JSON.stringify(goVersion)}, which is no Go version to the patch level`,
      "Write it as in 1.26.8: another patch level finds nothing in a build cache.",
    );
  }
  if (zone === "untrusted" && SHARED_BY_JOBS.includes(mode)) {
    throw refuse(
      "mode",
      `is ${mode} in the untrusted zone: a pull request could leave there what later jobs build with, and Go would believe it`,
      "Set it to clone, readonly or none, which keep nothing that a job writes.",
    );
  }
  for (const [key, modes] of Object.entries(MODES_OF) as [keyof typeof MODES_OF, readonly CacheMode[]][]) {
    if (request[key] === undefined || request[key] === false || modes.includes(mode)) continue;
    throw refuse(
      key,
      `is set, but mode ${mode} knows no such thing`,
      `Remove it, or set mode to ${modes.join(" or ")}.`,
    );
  }
  if (maxRunners !== undefined && !(Number.isSafeInteger(maxRunners) && maxRunners >= 0)) {
    throw refuse(
      "maxRunners",
      `is ${maxRunners}, which is no number of runners`,
      "Set it to a whole number from 0 on.",
    );
  }
  if (node !== undefined && !/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(node)) {
    throw refuse(
      "node",
      `is ${JSON.stringify(node)}, which is no value of the label kubernetes.io/hostname`,
      "Write the name that `kubectl get nodes` shows.",
    );
  }
  checkLocalPath(request, refuse);
  return { name, zone, goVersion, arch, retention, protect, maxRunners, node, warnings: [] };
}

function checkLocalPath({ localPath, node, storageClass }: CacheRequest, refuse: CacheRefusal): void {
  if (localPath === undefined) return;
  if (!/^(\/[^/:\s]+)+$/.test(localPath) || localPath.split("/").includes("..")) {
    throw refuse(
      "localPath",
      `is ${JSON.stringify(localPath)}, which is no absolute path of a folder`,
      "Write it as in /var/lib/kiln/cache.",
    );
  }
  if (node === undefined)
    throw refuse(
      "localPath",
      "is set without a node that has it",
      "Set node to the value of its label kubernetes.io/hostname.",
    );
  if (storageClass !== undefined) {
    throw refuse("storageClass", "is set beside localPath: a folder of a node has no class", "Remove one of the two.");
  }
}
