import { setTimeout as sleep } from "node:timers/promises";
import { ApiRefusal } from "./api-answer.ts";
import { objectPath, type ApiResource, type Cluster, type ObjectNames } from "./cluster.ts";
import { isAnnotated, titleOf, type KubeObject } from "./kube-object.ts";
import { isObject } from "./secret-paths.ts";
import { readinessOf, type Surroundings } from "./readiness.ts";

const FIRST_POLL_MS = 150;
const POLL_MS = 1_000;

/** How an object is waited for. */
export interface Patience {
  readonly seconds: number;
  /** Aborted when the engine cancels. */
  readonly signal: AbortSignal;
  /** Told what is waited for, whenever that changes. */
  readonly onWait: (reason: string) => void;
}

/** An object is there and will not become ready, or was not in time. */
export class NotReady extends Error {
  readonly live: KubeObject;

  constructor(live: KubeObject, reason: string) {
    super(`${titleOf(live)} is not ready: ${reason}`);
    this.name = "NotReady";
    this.live = live;
  }
}

/** One object of a cluster, through its life: applied, waited for, looked at, deleted. */
export class ObjectLife {
  readonly #cluster: Cluster;
  readonly #path: string;

  constructor(cluster: Cluster, resource: ApiResource, names: ObjectNames) {
    this.#cluster = cluster;
    this.#path = objectPath(resource, names);
  }

  /**
   * Applies on the server: makes the object, or gives it the fields of `object` and takes away what this field manager gave
   * before. `dryRun` only asks what would come of it. Unknown fields are refused, not dropped.
   */
  apply(
    object: KubeObject,
    {
      fieldManager,
      force,
      dryRun,
    }: { readonly fieldManager: string; readonly force: boolean; readonly dryRun: boolean },
  ): Promise<KubeObject> {
    return this.#cluster.must("PATCH", this.#path, {
      contentType: "application/apply-patch+yaml",
      query: { fieldManager, force: String(force), fieldValidation: "Strict", ...(dryRun && { dryRun: "All" }) },
      body: object,
    });
  }

  /** Asks what would come of an object like this one under another name. Throws what the API server refuses. */
  async rehearse(object: KubeObject): Promise<void> {
    const { name, ...metadata } = object.metadata;
    await this.#cluster.must("POST", this.#path.slice(0, this.#path.lastIndexOf("/")), {
      query: { dryRun: "All", fieldValidation: "Strict" },
      body: { ...object, metadata: { ...metadata, generateName: `${name}-` } },
    });
  }

  /** The object, or undefined where there is none of that name. */
  async read(): Promise<KubeObject | undefined> {
    const answer = await this.#cluster.ask("GET", this.#path);
    if (answer.status === 404) return undefined;
    if (answer.status >= 400) throw new ApiRefusal(answer);
    return answer.body as KubeObject;
  }

  /** Waits until the object is ready, and gives it as it is then. Throws `NotReady`. */
  async untilReady(applied: KubeObject, patience: Patience): Promise<KubeObject> {
    if (isAnnotated(applied, "skipAwait") || isAnnotated(applied, "skipAwait", "ready")) return applied;
    const around = await this.#surroundings(applied);
    let live = applied;
    for await (const late of ticks(patience)) {
      live = (await this.read()) ?? live;
      const readiness = readinessOf(live, around);
      if (readiness.state === "ready") return live;
      if (readiness.state === "failed") throw new NotReady(live, readiness.reason);
      if (late) throw new NotReady(live, `after ${patience.seconds} s still ${readiness.reason}`);
      patience.onWait(readiness.reason);
    }
    throw new NotReady(live, "canceled");
  }

  /** Deletes the object and waits until it is gone. Throws with what holds it where that takes too long. */
  async delete(state: KubeObject, patience: Patience): Promise<void> {
    const policy = state.metadata.annotations?.["pulumi.com/deletionPropagationPolicy"] ?? "foreground";
    const propagationPolicy = policy.charAt(0).toUpperCase() + policy.slice(1).toLowerCase();
    const answer = await this.#cluster.ask("DELETE", this.#path, { body: { propagationPolicy } });
    if (answer.status === 404) return;
    if (answer.status >= 400) throw new ApiRefusal(answer);
    if (isAnnotated(state, "skipAwait")) return;
    const { uid } = isObject(answer.body.details) ? answer.body.details : (answer.body.metadata as { uid?: string });
    for await (const late of ticks(patience)) {
      const live = await this.read();
      if (live === undefined || (uid !== undefined && live.metadata.uid !== uid)) return;
      const held = holdersOf(live);
      if (late) throw new Error(`${titleOf(state)} is still there ${patience.seconds} s after its deletion: ${held}`);
      patience.onWait(held);
    }
    throw new Error(`${titleOf(state)}: the wait for its end was canceled`);
  }

  async #surroundings({ kind, spec }: KubeObject): Promise<Surroundings> {
    const name = isObject(spec) && kind === "PersistentVolumeClaim" ? spec.storageClassName : undefined;
    if (typeof name !== "string" || name === "") return { bindsLate: false };
    const { body } = await this.#cluster.ask(
      "GET",
      `/apis/storage.k8s.io/v1/storageclasses/${encodeURIComponent(name)}`,
    );
    return { bindsLate: body.volumeBindingMode === "WaitForFirstConsumer" };
  }
}

/** What keeps a deleted object: its finalizers, and what a namespace says of its contents. */
export function holdersOf({ metadata, spec, status }: KubeObject): string {
  const own = isObject(spec) && Array.isArray(spec.finalizers) ? spec.finalizers.map(String) : [];
  const finalizers = [...(metadata.finalizers ?? []), ...own];
  const conditions = isObject(status) && Array.isArray(status.conditions) ? status.conditions.filter(isObject) : [];
  const remaining = conditions.filter(({ type, status: is }) => /Remain|Failure/.test(String(type)) && is === "True");
  const names = finalizers.length === 0 ? "it has no finalizers" : `held by ${finalizers.join(", ")}`;
  return [names, ...remaining.map(({ message }) => String(message))].join("; ");
}

/** Moments to look again: false while there is time, true at the last. Ends early when canceled. */
async function* ticks({ seconds, signal }: Patience): AsyncGenerator<boolean> {
  const deadline = Date.now() + seconds * 1_000;
  for (let pause = FIRST_POLL_MS; !signal.aborted; pause = Math.min(pause * 1.5, POLL_MS)) {
    yield Date.now() >= deadline;
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}
