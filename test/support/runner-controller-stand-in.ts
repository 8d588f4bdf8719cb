import { startLoop } from "./background-loop.ts";
import type { ControlPlane } from "./control-plane.ts";
import { items, type ListedObject } from "./listed-object.ts";

/** Something that the controller did to a scale set, or could not do. */
export interface ControllerEvent {
  readonly what: "adopted" | "running" | "waiting" | "deleted" | "held" | "finalized";
  /** `namespace/name`. */
  readonly scaleSet: string;
  /** Why it waits, deletes or leaves its finalizer. */
  readonly why?: string;
}

export interface RunnerController {
  /** What happened so far, in order. A reason that lasts is there once. */
  readonly events: readonly ControllerEvent[];
  stop(): Promise<void>;
}

const SETS = "/apis/actions.github.com/v1alpha1";
const FINALIZER = "autoscalingrunnerset.actions.github.com/finalizer";
const VERSION = "app.kubernetes.io/version";
const MERGE = { contentType: "application/merge-patch+json" };
const PAUSE_MS = 200;

/** Keys of a GitHub App in the Secret, and those of a token. */
const SECRET_KEYS = [["github_app_id", "github_app_installation_id", "github_app_private_key"], ["github_token"]];

/** What the controller does in the namespace of a scale set: the chart's manager Role. */
const MANAGER_RIGHTS: readonly (readonly [group: string, resource: string, verbs: readonly string[]])[] = [
  ["", "pods", ["create", "delete", "get"]],
  ["", "secrets", ["create", "delete", "get", "list", "patch", "update"]],
  ["", "serviceaccounts", ["create", "delete", "get", "list", "patch", "update"]],
  ["rbac.authorization.k8s.io", "roles", ["create", "delete", "get", "patch", "update"]],
  ["rbac.authorization.k8s.io", "rolebindings", ["create", "delete", "get", "patch", "update"]],
];

/**
 * Behaves towards an API server as actions-runner-controller 0.14 does, by the contract that its source shows:
 * it works while a Deployment labelled as part of `gha-rs-controller` is there, with the rights of that Deployment's service
 * account; it deletes a scale set whose version label has another minor; it puts its finalizer on every other one; and
 * it takes that off again only while the Secret, the manager's rights and itself are still there, because it has to delete the
 * scale set at GitHub before.
 */
export function startRunnerController(plane: ControlPlane): RunnerController {
  const events: ControllerEvent[] = [];
  const record = (what: ControllerEvent["what"], set: ListedObject, why?: string) => {
    const scaleSet = `${set.metadata.namespace}/${set.metadata.name}`;
    const last = events.findLast((event) => event.scaleSet === scaleSet);
    if (last?.what !== what || last.why !== why) events.push({ what, scaleSet, ...(why !== undefined && { why }) });
  };
  const loop = startLoop(async () => {
    const controllers = await items(
      plane,
      "/apis/apps/v1/deployments?labelSelector=app.kubernetes.io/part-of%3Dgha-rs-controller",
    );
    for (const set of await items(plane, `${SETS}/autoscalingrunnersets`)) {
      const controller = controllers.find((deployment) => watches(deployment, set));
      if (controller === undefined) {
        const isLeft =
          set.metadata.finalizers?.includes(FINALIZER) === true && set.metadata.deletionTimestamp !== undefined;
        if (isLeft) record("held", set, "the controller is gone");
      } else if (set.metadata.deletionTimestamp === undefined) await reconcile(plane, controller, set, record);
      else await finalize(plane, controller, set, record);
    }
  }, PAUSE_MS);
  return { events, stop: () => loop.stop() };
}

type Record = (what: ControllerEvent["what"], set: ListedObject, why?: string) => void;

async function reconcile(
  plane: ControlPlane,
  controller: ListedObject,
  set: ListedObject,
  record: Record,
): Promise<void> {
  const [wanted, found] = [versionOf(controller), set.metadata.labels?.[VERSION] ?? "none"];
  if (minorOf(wanted) !== minorOf(found)) {
    record("deleted", set, `its version label is ${found}, the controller is ${wanted}`);
    await plane.request("DELETE", pathOf(set));
    return;
  }
  const { finalizers = [] } = set.metadata;
  if (!finalizers.includes(FINALIZER)) {
    const patch = { metadata: { finalizers: [...finalizers, FINALIZER] } };
    if ((await plane.request("PATCH", pathOf(set), patch, MERGE)).status === 200) record("adopted", set);
  }
  const problem = (await neededProblem(plane, controller, set)) ?? templateProblem(set);
  if (problem === undefined) record("running", set);
  else record("waiting", set, problem);
  const phase = problem === undefined ? "Running" : "Pending";
  if (set.status?.phase !== phase) await plane.request("PATCH", `${pathOf(set)}/status`, { status: { phase } }, MERGE);
}

async function finalize(
  plane: ControlPlane,
  controller: ListedObject,
  set: ListedObject,
  record: Record,
): Promise<void> {
  const { finalizers = [] } = set.metadata;
  if (!finalizers.includes(FINALIZER)) return;
  const problem = await neededProblem(plane, controller, set);
  if (problem !== undefined) {
    record("held", set, problem);
    return;
  }
  record("finalized", set);
  const patch = { metadata: { finalizers: finalizers.filter((finalizer) => finalizer !== FINALIZER) } };
  await plane.request("PATCH", pathOf(set), patch, MERGE);
}

/** What of a scale set's surroundings is missing: the controller's own rights, the Secret, the manager's rights. */
async function neededProblem(
  plane: ControlPlane,
  controller: ListedObject,
  set: ListedObject,
): Promise<string | undefined> {
  const own = [
    "actions.github.com",
    "autoscalingrunnersets",
    ["get", "list", "watch", "patch", "update", "delete"],
  ] as const;
  for (const right of [own, ...MANAGER_RIGHTS]) {
    const denied = await deniedVerb(plane, accountOf(controller), set.metadata.namespace, right);
    if (denied !== undefined) return `the controller may not ${denied} ${right[1]} in ${set.metadata.namespace}`;
  }
  return set.spec?.vaultConfig === undefined ? secretProblem(plane, set) : undefined;
}

async function secretProblem(plane: ControlPlane, { metadata, spec }: ListedObject): Promise<string | undefined> {
  const name = String(spec?.githubConfigSecret);
  const { status, body } = await plane.request("GET", `/api/v1/namespaces/${metadata.namespace}/secrets/${name}`);
  if (status !== 200) return `there is no secret ${name}`;
  const keys = Object.keys((body.data as object | undefined) ?? {});
  const isWhole = SECRET_KEYS.some((wanted) => wanted.every((key) => keys.includes(key)));
  return isWhole ? undefined : `secret ${name} has neither github_token nor all keys of a GitHub App`;
}

function templateProblem({ spec }: ListedObject): string | undefined {
  const template = spec?.template as { readonly spec?: PodTemplate } | undefined;
  if (template?.spec?.containers?.some(({ name }) => name === "runner") !== true) return "no container is named runner";
  return template.spec.restartPolicy === "Never" ? undefined : "restartPolicy is not Never";
}

interface PodTemplate {
  readonly restartPolicy?: string;
  readonly serviceAccountName?: string;
  readonly containers?: readonly {
    readonly name: string;
    readonly image?: string;
    readonly args?: readonly string[];
  }[];
}

async function deniedVerb(
  plane: ControlPlane,
  user: string,
  namespace: string,
  [group, resource, verbs]: readonly [string, string, readonly string[]],
): Promise<string | undefined> {
  for (const verb of verbs) {
    const spec = { user, resourceAttributes: { group, resource, verb, namespace } };
    const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec };
    const { body } = await plane.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review);
    if ((body.status as { readonly allowed?: boolean } | undefined)?.allowed !== true) return verb;
  }
  return undefined;
}

/** Whether a controller is there and looks at the namespace of a scale set. */
function watches(controller: ListedObject, set: ListedObject): boolean {
  if (controller.metadata.deletionTimestamp !== undefined) return false;
  const args = podOf(controller).containers?.flatMap((container) => container.args ?? []) ?? [];
  const only = args.find((arg) => arg.startsWith("--watch-single-namespace="))?.split("=")[1];
  return only === undefined || only === set.metadata.namespace;
}

function podOf(deployment: ListedObject): PodTemplate {
  return (deployment.spec?.template as { readonly spec: PodTemplate }).spec;
}

/** The user that the API server knows a Deployment's service account by. */
function accountOf(controller: ListedObject): string {
  return `system:serviceaccount:${controller.metadata.namespace}:${podOf(controller).serviceAccountName ?? "default"}`;
}

/** The version of the binary: the tag of its image, else the label where the image is named by digest. */
function versionOf(controller: ListedObject): string {
  const image = podOf(controller).containers?.[0]?.image ?? "";
  return /:(\d+\.\d+\.\d+)(?:@|$)/.exec(image)?.[1] ?? controller.metadata.labels?.[VERSION] ?? "unknown";
}

function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

function pathOf({ metadata }: ListedObject): string {
  return `${SETS}/namespaces/${metadata.namespace}/autoscalingrunnersets/${metadata.name}`;
}
