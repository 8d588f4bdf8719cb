import { KilnError } from "../../errors.ts";
import {
  OBJECT_KINDS,
  objectKey,
  qualified,
  type ClusterFacts,
  type ClusterReading,
  type ClusterWanted,
  type WantedController,
  type WantedObject,
  type WantedResourceType,
  type WantedStorageClass,
} from "./wanted.ts";

/** What a cluster lacks: where the stack asks for it, what is wrong, what to do. */
export interface ClusterProblem {
  readonly at: string;
  readonly problem: string;
  readonly mend: string;
}

export interface ClusterFindings {
  readonly problems: readonly ClusterProblem[];
  /** What is right so far, but not done. */
  readonly notes: readonly string[];
}

/** What stands between a stack and a cluster that is known. */
export function checkCluster(wanted: ClusterWanted, facts: ClusterFacts): ClusterFindings {
  const problems = [
    ...wanted.storageClasses.flatMap((storageClass) => storageClassProblem(storageClass, facts)),
    ...wanted.resourceTypes.flatMap((type) => resourceTypeProblem(type, facts)),
    ...(wanted.controller === undefined ? [] : controllerProblem(wanted.controller, facts)),
    ...wanted.objects.flatMap((object) => objectProblem(object, facts)),
    ...deniedProblems(facts),
  ];
  return { problems, notes: wanted.objects.flatMap((object) => objectNote(object, facts)) };
}

/**
 * The lines that a preview prints about its cluster. Throws a usage error with every problem at once; a cluster out of reach
 * is an error of kind `unreachable` where checks are required, and otherwise a line that says what was skipped.
 */
export function clusterReport(
  wanted: ClusterWanted,
  reading: ClusterReading,
  mode: "required" | "ifReachable",
): readonly string[] {
  if (reading.kind === "unreachable") {
    if (mode === "ifReachable") return [`skipped: the checks against the cluster, because ${reading.reason}`];
    throw new KilnError("unreachable", `the cluster cannot be checked, because ${reading.reason}`, {
      mend: "Mend the connection, or set kiln:cluster.checks to ifReachable to preview without it",
    });
  }
  const { problems, notes } = checkCluster(wanted, reading.facts);
  const [first, second] = problems;
  if (first === undefined) return notes;
  if (second === undefined) throw new KilnError("usage", `${first.at} ${first.problem}`, { mend: first.mend });
  const lines = problems.map(({ at, problem, mend }) => `- ${at} ${problem}. ${mend}`);
  throw new KilnError("usage", [`${reading.facts.server} lacks what this stack needs:`, ...lines].join("\n"));
}

/**
 * The provisioner of a storage class, or of the default class for `undefined`: what the rules of caches decide by. Undefined
 * where the cluster does not tell.
 */
export function provisionerOf({ storageClasses }: ClusterFacts, name: string | undefined): string | undefined {
  if (storageClasses.kind !== "found") return undefined;
  const found = storageClasses.fact.find((known) => (name === undefined ? known.isDefault : known.name === name));
  return found?.provisioner;
}

function storageClassProblem({ at, name }: WantedStorageClass, { storageClasses }: ClusterFacts): ClusterProblem[] {
  if (storageClasses.kind === "forbidden") return [forbidden(at, storageClasses)];
  const known = storageClasses.kind === "found" ? storageClasses.fact : [];
  if (known.some((one) => (name === undefined ? one.isDefault : one.name === name))) return [];
  const names = known.map((one) => one.name).sort();
  const mend =
    names.length === 0
      ? "Install a storage driver: the cluster has no storage class at all"
      : `Set it to one of ${names.join(", ")}`;
  if (name === undefined) return [{ at, problem: "is not set, and the cluster has no default storage class", mend }];
  return [{ at, problem: `is ${JSON.stringify(name)}, which is no storage class of the cluster`, mend }];
}

function resourceTypeProblem(
  { at, group, version, resource, broughtBy }: WantedResourceType,
  { served }: ClusterFacts,
): ClusterProblem[] {
  const resources = served[`${group}/${version}`];
  if (resources?.includes(resource) === true) return [];
  const missing = resources === undefined ? `the API group ${group}/${version}` : qualified({ resource, group });
  return [{ at, problem: `needs ${missing}, which the cluster does not have`, mend: `Install ${broughtBy} first` }];
}

function controllerProblem(
  { at, namespace, version }: WantedController,
  { controllers }: ClusterFacts,
): ClusterProblem[] {
  if (controllers.kind === "forbidden") return [forbidden(at, controllers)];
  const [controller] = controllers.kind === "found" ? controllers.fact : [];
  if (controller === undefined) {
    const mend = "Bring up the stack that manages it first, or set manage: true";
    return [{ at, problem: `names the namespace ${namespace}, where no actions-runner-controller runs`, mend }];
  }
  const found = controller.version ?? "without a version";
  if (minorOf(found) === minorOf(version)) return [];
  return [
    {
      at,
      problem: `says version ${version}, but ${namespace}/${controller.name} is ${found}, which deletes the scale sets of others`,
      mend: `Set the version to ${found} if kiln knows it, or bring the controller to ${version} first`,
    },
  ];
}

/** The controller compares major and minor alone (its `IsVersionAllowed`). */
function minorOf(version: string): string {
  return version.replace(/^v/, "").split(".").slice(0, 2).join(".");
}

function objectProblem(wanted: WantedObject, facts: ClusterFacts): ClusterProblem[] {
  const { at, kind, name, namespace, keys = [] } = wanted;
  const reading = facts.objects[objectKey(wanted)] ?? { kind: "absent" };
  if (reading.kind === "forbidden") return [forbidden(at, reading)];
  const where = namespace === undefined ? "" : ` in ${namespace}`;
  if (reading.kind === "absent") {
    if (awaitsNamespace(wanted, facts) || !isServed(wanted, facts)) return [];
    return [
      {
        at,
        problem: `names the ${kind} ${name}${where}, which does not exist`,
        mend: `Make it first: kubectl get ${qualified(OBJECT_KINDS[kind])} lists those that there are`,
      },
    ];
  }
  const { fact } = reading;
  // A node comes and goes: what it lacks today is no reason to stop what other namespaces need.
  if (fact.problem !== undefined && kind !== "Node") {
    return [
      { at, problem: `names the ${kind} ${name}${where}, which ${fact.problem}`, mend: "Mend it in the cluster" },
    ];
  }
  if (keys.length === 0 || keys.some((set) => set.every((key) => fact.keys.includes(key)))) return [];
  const has = fact.keys.length === 0 ? "is empty" : `has the keys ${fact.keys.join(", ")}`;
  const needed = keys.map((set) => set.join(", ")).join("; or ");
  return [{ at, problem: `names the ${kind} ${name}${where}, which ${has}`, mend: `Give it ${needed}` }];
}

/** What the namespace will hold once the stack has made it: nobody can put it there before. */
function objectNote(wanted: WantedObject, facts: ClusterFacts): string[] {
  const reading = facts.objects[objectKey(wanted)];
  if (wanted.kind === "Node" && reading?.kind === "found" && reading.fact.problem !== undefined) {
    return [`the Node ${wanted.name} ${reading.fact.problem}: what ${wanted.at} pins to it waits until that is over`];
  }
  if (!awaitsNamespace(wanted, facts)) return [];
  const { kind, name, namespace } = wanted;
  return [`after the first \`pulumi up\`, make the ${kind} ${name} in ${namespace ?? ""}: ${wanted.at} names it`];
}

function awaitsNamespace({ namespace }: WantedObject, { objects }: ClusterFacts): boolean {
  if (namespace === undefined) return false;
  return objects[objectKey({ kind: "Namespace", name: namespace })]?.kind === "absent";
}

/** A missing group is a problem of its own, said once. */
function isServed({ kind }: WantedObject, { served }: ClusterFacts): boolean {
  const group = OBJECT_KINDS[kind].base.replace(/^\/apis?\//, "");
  return kind !== "VolumeSnapshot" || served[group] !== undefined;
}

function forbidden(
  at: string,
  { verb, resource }: { readonly verb: string; readonly resource: string },
): ClusterProblem {
  return {
    at,
    problem: `cannot be checked: RBAC forbids to ${verb} ${resource}`,
    mend: `Ask the cluster's administrator for the verb ${verb} on ${resource}`,
  };
}

/** One problem for all that is forbidden in one place in the same way: a user without a Role would fill pages otherwise. */
function deniedProblems({ denied, user }: ClusterFacts): ClusterProblem[] {
  const byResource = Map.groupBy(denied, ({ namespace = "", ...type }) => `${namespace}/${qualified(type)}`);
  const missing = [...byResource.values()].flatMap((permissions) => {
    const [first] = permissions;
    return first === undefined ? [] : [{ ...first, verbs: permissions.map(({ verb }) => verb).join(", ") }];
  });
  const byPlace = Map.groupBy(missing, ({ namespace = "", verbs }) => `${namespace}/${verbs}`);
  return [...byPlace.values()].flatMap((resources) => {
    const [first] = resources;
    if (first === undefined) return [];
    const role = first.namespace === undefined ? "a ClusterRole" : `a Role in ${first.namespace}`;
    const where = first.namespace === undefined ? "in the cluster" : `in the namespace ${first.namespace}`;
    return [
      {
        at: `the user ${user}`,
        problem: `is forbidden by RBAC to ${first.verbs} ${where}: ${resources.map(qualified).join(", ")}`,
        mend: `Ask the cluster's administrator for ${role} with these verbs and resources`,
      },
    ];
  });
}
