import { ApiRefusal, Unreachable } from "./api-answer.ts";
import type { Connection } from "./connection.ts";
import { idOf, namesOfId, titleOf, type KubeObject } from "./kube-object.ts";
import { ObjectLife } from "./object-life.ts";
import { holdsUnknown } from "../property-values.ts";
import { isObject } from "./secret-paths.ts";

/** What the API server says of an object that a preview plans, or why it could not be asked about this one. */
export type Asked = { readonly object: KubeObject } | { readonly unchecked: string; readonly noCluster: boolean };

/**
 * The objects of one run of a program. What is planned but not there yet, a namespace or a kind, keeps the API server from
 * checking what depends on it; what is neither there nor planned is an error.
 */
export class Plan {
  readonly #kinds = new Map<string, boolean>();
  readonly #namespaces = new Set<string>();

  /** Takes note of an object that the program has. */
  add({ apiVersion, kind, metadata, spec }: KubeObject): void {
    if (apiVersion === "v1" && kind === "Namespace") this.#namespaces.add(metadata.name ?? "");
    if (kind !== "CustomResourceDefinition" || !isObject(spec) || !isObject(spec.names)) return;
    for (const version of Array.isArray(spec.versions) ? spec.versions.filter(isObject) : []) {
      const of = `${String(spec.group)}/${String(version.name)} ${String(spec.names.kind)}`;
      this.#kinds.set(of, spec.scope !== "Cluster");
    }
  }

  /** Whether objects of a kind that this run defines stand in namespaces; undefined for all other kinds. */
  isNamespaced({ apiVersion, kind }: Pick<KubeObject, "apiVersion" | "kind">): boolean | undefined {
    return this.#kinds.get(`${apiVersion} ${kind}`);
  }

  /** Asks the API server what would come of an object, without changing anything. Throws what it refuses. */
  async ask(
    connection: Connection,
    object: KubeObject,
    { fieldManager, isNew }: { readonly fieldManager: string; readonly isNew: boolean },
  ): Promise<Asked> {
    if (holdsUnknown(object)) return unchecked("some of its values are known only when it is made");
    const cluster = await connection.look();
    if (cluster instanceof Unreachable) return { unchecked: cluster.message, noCluster: true };
    const { apiVersion, kind, metadata } = object;
    const resource = await cluster.resourceOf(apiVersion, kind);
    if (resource === undefined) {
      if (this.isNamespaced(object) !== undefined) return unchecked(`${kind} is defined in the same run`);
      throw new Error(noSuchKind(object));
    }
    const life = new ObjectLife(cluster, resource, namesOfId(idOf(object)));
    try {
      return { object: await life.apply(object, { fieldManager, force: true, dryRun: true }) };
    } catch (error) {
      if (!(error instanceof ApiRefusal)) throw error;
      const { namespace = "" } = metadata;
      if (isMissingNamespace(error)) {
        if (this.#namespaces.has(namespace)) return unchecked(`namespace ${namespace} is made in the same run`);
        throw new Error(`${titleOf(object)}: ${error.message}, and this run does not make it`, { cause: error });
      }
      // The object that it replaces is still there, and has what cannot be changed: another name tells the two apart.
      if (!isNew || error.status !== 422 || (await life.read()) === undefined) throw error;
      await life.rehearse(object);
      return { object };
    }
  }
}

/** What to say of a kind that a cluster does not have. */
export function noSuchKind({ apiVersion, kind }: KubeObject): string {
  return (
    `the cluster has no kind ${kind} in ${apiVersion}: install its CustomResourceDefinition first, ` +
    "or add that to the stack and let this resource depend on it"
  );
}

function unchecked(why: string): Asked {
  return { unchecked: why, noCluster: false };
}

function isMissingNamespace({ status, body }: ApiRefusal): boolean {
  return status === 404 && isObject(body.details) && body.details.kind === "namespaces";
}
