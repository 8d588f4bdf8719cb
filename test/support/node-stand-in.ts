import { startLoop, type BackgroundLoop } from "./background-loop.ts";
import type { ControlPlane } from "./control-plane.ts";
import { items, type ListedObject } from "./listed-object.ts";

const PAUSE_MS = 200;

/** The provisioner that this stand-in plays: a storage class names it, and its claims get a volume. */
export const PROVISIONER = "kiln.test/volumes";

/**
 * What nodes and a storage driver do to a control plane that has neither, as far as waits depend on it: pods are running
 * and ready at once, pods of Jobs have succeeded, claims of `PROVISIONER` get a volume that goes with them. The real controller
 * manager makes the rest of it: Deployments roll out, Jobs complete, claims are bound.
 */
export function startNodeStandIn(plane: ControlPlane): BackgroundLoop {
  return startLoop(async () => {
    for (const pod of await items(plane, "/api/v1/pods")) if (pod.status?.phase === "Pending") await run(plane, pod);
    const classes = await items(plane, "/apis/storage.k8s.io/v1/storageclasses");
    const served = new Set(classes.filter(({ provisioner }) => provisioner === PROVISIONER).map(nameOf));
    for (const claim of await items(plane, "/api/v1/persistentvolumeclaims")) {
      const isServed = served.has(String(claim.spec?.storageClassName)) && claim.spec?.volumeName === undefined;
      if (claim.status?.phase === "Pending" && isServed) await provision(plane, claim);
    }
    for (const volume of await items(plane, "/api/v1/persistentvolumes")) {
      const isOurs = volume.metadata.annotations?.["pv.kubernetes.io/provisioned-by"] === PROVISIONER;
      if (isOurs && volume.status?.phase === "Released") {
        await plane.request("DELETE", `/api/v1/persistentvolumes/${nameOf(volume)}`);
      }
    }
  }, PAUSE_MS);
}

async function run(plane: ControlPlane, { metadata }: ListedObject): Promise<void> {
  const isTask = metadata.ownerReferences?.some(({ kind }) => kind === "Job") === true;
  const now = new Date().toISOString();
  const ready = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => {
    return { type, status: isTask && type.endsWith("Ready") ? "False" : "True", lastTransitionTime: now };
  });
  const status = { phase: isTask ? "Succeeded" : "Running", conditions: ready, podIP: "127.0.0.1", startTime: now };
  const at = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/status`;
  await plane.request("PATCH", at, { status }, { contentType: "application/merge-patch+json" });
}

async function provision(plane: ControlPlane, { metadata, spec }: ListedObject): Promise<void> {
  const { name, namespace, uid } = metadata;
  const { accessModes, resources, storageClassName, volumeMode } = spec ?? {};
  const capacity = (resources as { readonly requests?: unknown } | undefined)?.requests;
  await plane.request("POST", "/api/v1/persistentvolumes", {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: `pvc-${uid}`, annotations: { "pv.kubernetes.io/provisioned-by": PROVISIONER } },
    spec: {
      ...{ accessModes, capacity, storageClassName, volumeMode },
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name, namespace, uid },
      hostPath: { path: `/var/lib/kiln-test/${uid}` },
      // The controller manager could not delete it: the driver does.
      persistentVolumeReclaimPolicy: "Retain",
    },
  });
}

function nameOf({ metadata }: ListedObject): string {
  return metadata.name;
}
