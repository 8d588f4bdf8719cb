import { KilnError } from "../../errors.ts";
import { connectCluster, type ClusterConnection, type ConnectionOptions } from "./connection.ts";
import {
  OBJECT_KINDS,
  objectKey,
  qualified,
  type ClusterFacts,
  type ClusterReading,
  type ClusterWanted,
  type ControllerFact,
  type ObjectFact,
  type Permission,
  type Reading,
  type StorageClassFact,
  type WantedObject,
} from "./wanted.ts";
import { privateKeyProblem } from "../namespace/private-key.ts";

const TIMEOUT_MS = 5_000;
/** Questions under way at once: enough to hide a far server's delay, few enough for its fairness queues. */
const WIDTH = 8;

/**
 * What the cluster of the kubeconfig says about the things that a stack wants, and about nothing else. A cluster that does
 * not answer, in five seconds a question, is a reading too, with the reason.
 */
export async function readClusterFacts(
  wanted: ClusterWanted,
  { context, timeoutMs = TIMEOUT_MS }: Partial<ConnectionOptions> = {},
): Promise<ClusterReading> {
  try {
    const cluster = await connectCluster({ context, timeoutMs });
    await requireSignedIn(cluster);
    return { kind: "facts", facts: await readFacts(cluster, wanted) };
  } catch (error) {
    if (!(error instanceof KilnError) || error.kind !== "unreachable") throw error;
    return { kind: "unreachable", reason: error.message };
  }
}

/** The first question: it costs one round trip to learn that all of the others would fail. */
async function requireSignedIn({ request, server, user }: ClusterConnection): Promise<void> {
  const { status } = await request("POST", REVIEWS, reviewOf({ verb: "get", group: "", resource: "namespaces" }));
  if (status === 401)
    throw new KilnError("unreachable", `${server} does not accept the credentials of the user ${user}`);
  if (status >= 500 || status === 0) throw new KilnError("unreachable", `${server} answers with status ${status}`);
}

async function readFacts(cluster: ClusterConnection, wanted: ClusterWanted): Promise<ClusterFacts> {
  const groups = new Set(wanted.resourceTypes.map(({ group, version }) => `${group}/${version}`));
  const objects = withNamespaces(wanted.objects);
  for (const { kind } of objects)
    if (kind === "VolumeSnapshot") groups.add(OBJECT_KINDS[kind].base.slice("/apis/".length));
  const served = await inParallel([...groups], async (group) => [group, await readServed(cluster, group)] as const);
  const found = await inParallel(
    objects,
    async (object) => [objectKey(object), await readObject(cluster, object)] as const,
  );
  return {
    server: cluster.server,
    user: cluster.user,
    storageClasses: wanted.storageClasses.length === 0 ? { kind: "absent" } : await readStorageClasses(cluster),
    served: Object.fromEntries(served.filter((entry): entry is [string, string[]] => entry[1] !== undefined)),
    controllers:
      wanted.controller === undefined ? { kind: "absent" } : await readControllers(cluster, wanted.controller),
    objects: Object.fromEntries(found),
    denied: await readDenied(cluster, wanted.permissions),
  };
}

/** What an answer means; `verb` and `resource` are what was asked for. */
function readingOf<Fact>(
  { status, body }: Awaited<ReturnType<ClusterConnection["request"]>>,
  asked: { readonly verb: string; readonly resource: string },
  read: (body: Answered) => Fact,
): Reading<Fact> {
  if (status === 200) return { kind: "found", fact: read(body as Answered) };
  if (status === 404) return { kind: "absent" };
  if (status === 403) return { kind: "forbidden", ...asked };
  throw new KilnError("unreachable", `its API server answers with status ${status} to ${asked.verb} ${asked.resource}`);
}

/** The fields that are read of any answer. */
interface Answered {
  readonly items?: readonly Answered[];
  readonly resources?: readonly { readonly name: string }[];
  readonly metadata?: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly provisioner?: string;
  readonly volumeBindingMode?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status?: {
    readonly allowed?: boolean;
    readonly readyToUse?: boolean;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

async function readStorageClasses({ request }: ClusterConnection): Promise<Reading<readonly StorageClassFact[]>> {
  const answer = await request("GET", "/apis/storage.k8s.io/v1/storageclasses");
  return readingOf(answer, { verb: "list", resource: "storageclasses.storage.k8s.io" }, ({ items = [] }) =>
    items.map(({ metadata, provisioner = "", volumeBindingMode = "Immediate" }) => ({
      name: metadata?.name ?? "",
      provisioner,
      volumeBindingMode,
      isDefault: metadata?.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true",
    })),
  );
}

async function readServed({ request }: ClusterConnection, group: string): Promise<readonly string[] | undefined> {
  const reading = readingOf(await request("GET", `/apis/${group}`), { verb: "get", resource: group }, (body) => body);
  return reading.kind === "found" ? (reading.fact.resources ?? []).map(({ name }) => name) : undefined;
}

async function readControllers(
  { request }: ClusterConnection,
  { namespace }: { readonly namespace: string },
): Promise<Reading<readonly ControllerFact[]>> {
  const selector = encodeURIComponent("app.kubernetes.io/part-of=gha-rs-controller");
  const answer = await request("GET", `/apis/apps/v1/namespaces/${namespace}/deployments?labelSelector=${selector}`);
  return readingOf(answer, { verb: "list", resource: `deployments.apps in ${namespace}` }, ({ items = [] }) =>
    items.map(({ metadata }) => ({
      name: metadata?.name ?? "",
      version: metadata?.labels?.["app.kubernetes.io/version"],
    })),
  );
}

/** Whether a namespace exists decides what it means that something in it does not. */
function withNamespaces(objects: readonly WantedObject[]): readonly WantedObject[] {
  const names = new Set(objects.flatMap(({ namespace }) => namespace ?? []));
  return [...objects, ...[...names].map((name) => ({ at: "", kind: "Namespace", name }) as const)];
}

async function readObject({ request }: ClusterConnection, wanted: WantedObject): Promise<Reading<ObjectFact>> {
  const { kind, name, namespace } = wanted;
  const { base, resource } = OBJECT_KINDS[kind];
  const place = namespace === undefined ? "" : `/namespaces/${namespace}`;
  const answer = await request("GET", `${base}${place}/${resource}/${encodeURIComponent(name)}`);
  const what = `${qualified(OBJECT_KINDS[kind])}${namespace === undefined ? "" : ` in ${namespace}`}`;
  return readingOf(answer, { verb: "get", resource: what }, (body) => factOf(kind, body));
}

/** Of a Secret only the names of its keys leave this function. */
function factOf(kind: WantedObject["kind"], answer: Answered): ObjectFact {
  const { data = {} } = answer;
  const keys = Object.keys(data).sort();
  const problem = kind === "Secret" ? keyProblem(data) : objectProblem(kind, answer);
  return { keys, ...(problem === undefined ? {} : { problem }) };
}

function keyProblem(data: Readonly<Record<string, string>>): string | undefined {
  const key = data.github_app_private_key;
  if (key === undefined) return undefined;
  const problem = privateKeyProblem(Buffer.from(key, "base64").toString());
  return problem === undefined ? undefined : `has a github_app_private_key that ${problem}`;
}

function objectProblem(kind: WantedObject["kind"], { spec, status }: Answered): string | undefined {
  if (kind === "VolumeSnapshot") return status?.readyToUse === false ? "is not ready to use yet" : undefined;
  if (kind !== "Node") return undefined;
  if (spec?.unschedulable === true) return "is cordoned";
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True" ? undefined : "is not ready";
}

const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const EVERYTHING: Permission = { verb: "*", group: "*", resource: "*" };

/** What the user may not do. Who may do everything is asked that alone. */
async function readDenied(
  cluster: ClusterConnection,
  permissions: readonly Permission[],
): Promise<readonly Permission[]> {
  if (permissions.length === 0 || (await isAllowed(cluster, EVERYTHING))) return [];
  const answers = await inParallel(permissions, (permission) => isAllowed(cluster, permission));
  return permissions.filter((_, index) => answers[index] !== true);
}

async function isAllowed({ request }: ClusterConnection, permission: Permission): Promise<boolean> {
  const { status, body } = await request("POST", REVIEWS, reviewOf(permission));
  return status === 201 && (body as Answered).status?.allowed === true;
}

function reviewOf(permission: Permission) {
  return {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: permission },
  };
}

/** The results of `work` on every item, in their order, some at a time. */
async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += WIDTH) {
    results.push(...(await Promise.all(items.slice(start, start + WIDTH).map(work))));
  }
  return results;
}
