import { createHash, randomBytes } from "node:crypto";
import { messageOf } from "../../../errors.ts";
import { PLUGIN_VERSIONS, refusalOf, stackOfUrn } from "../allowed-stacks.ts";
import type { EngineLog } from "../engine-log.ts";
import { PartialFailure } from "../provider-handlers.ts";
import type * as rpc from "../provider-handlers.ts";
import { holdsUnknown, plainValue, type Properties } from "../property-values.ts";
import { Unreachable } from "./api-answer.ts";
import { Connection } from "./connection.ts";
import {
  idOf,
  isAnnotated,
  isBuiltIn,
  isClusterKind,
  named,
  namesOfId,
  objectProblem,
  titleOf,
  type KubeObject,
} from "./kube-object.ts";
import { importedInputs, liveInputs } from "./live-inputs.ts";
import { detailedDiff } from "./object-diff.ts";
import { NotReady, ObjectLife, type Patience } from "./object-life.ts";
import { fieldManagerOf, outputsOf, plannedOutputs, secretsOf, withoutSecrets } from "./outputs.ts";
import { noSuchKind, Plan } from "./plan.ts";
import { providerSettings, type ProviderSettings } from "./provider-settings.ts";
import { objectOfType, typeOf, typeProblem } from "./resource-type.ts";
import { marked } from "./secret-paths.ts";

/** How long an object may take to become ready, or to go, where the resource does not say. As the official plugin. */
const DEFAULT_SECONDS = 600;

/** How long a kind may take to be served once its definition is there. */
const KIND_MS = 30_000;
const KIND_POLL_MS = 200;

/**
 * The `kubernetes` provider by server-side apply, for machines that cannot download the official plugin: the same inputs,
 * ids, replacements and waits. It changes the stacks of this machine and of tests only; it previews all.
 */
export class KubernetesProvider implements rpc.ProviderHandlers {
  readonly version = PLUGIN_VERSIONS.kubernetes;
  readonly #log: EngineLog;
  readonly #canceled = new AbortController();
  readonly #plan = new Plan();
  readonly #said = new Set<string>();
  #settings: ProviderSettings = providerSettings({}, process.env);
  #connection = new Connection({});

  constructor(log: EngineLog) {
    this.#log = log;
  }

  configure(config: Properties): void {
    this.#settings = providerSettings(plainValue(config) as Properties, process.env);
    this.#connection = new Connection(this.#settings.cluster);
  }

  /** Ends every wait. */
  cancel(): void {
    this.#canceled.abort();
  }

  /** Gives the object the name and namespace that it will have, and marks the data of a Secret. */
  async check({ urn, inputs: given, oldInputs }: rpc.CheckRequest) {
    await this.#say("Using kiln's loopback kubernetes plugin: the official one is not installed.");
    const inputs = plainValue(given) as Properties;
    const reason = typeProblem(typeOf(urn)) ?? objectProblem(inputs);
    if (reason !== undefined) return { inputs: given, failures: [{ property: "", reason }] };
    const object = named(inputs, {
      resource: urn.split("::").at(-1) ?? "",
      suffix: randomBytes(4).toString("hex"),
      before: asObject(oldInputs),
      ...((await this.#isNamespaced(inputs as KubeObject)) && { namespace: await this.#namespace() }),
    });
    this.#plan.add(object);
    return { inputs: marked(object, secretsOf(object, given)) as Properties, failures: [] };
  }

  diff({ oldInputs, state, inputs }: rpc.DiffRequest): rpc.DiffAnswer {
    const before = asObject(oldInputs) ?? (plainValue(state) as KubeObject);
    return detailedDiff(before, plainValue(inputs) as KubeObject, this.#settings.mutable);
  }

  create(request: rpc.CreateRequest) {
    const fieldManager = `pulumi-kubernetes-${createHash("sha256").update(request.urn).digest("hex").slice(0, 8)}`;
    return request.preview ? this.#preview(request, fieldManager, true) : this.#apply(request, fieldManager, true);
  }

  update(request: rpc.UpdateRequest) {
    const fieldManager = fieldManagerOf(request.state) ?? "pulumi-kubernetes";
    return request.preview ? this.#preview(request, fieldManager, false) : this.#apply(request, fieldManager, false);
  }

  /** The object as it is now, and its inputs as they are now. */
  async read({ urn, id, state, inputs }: { urn: string; id: string; state: Properties; inputs: Properties }) {
    const known = asObject(inputs);
    const life = await this.#lifeOf(id, known ?? asObject(state) ?? objectOfType(typeOf(urn), id));
    const live = await life?.read();
    if (live === undefined) return undefined;
    const secrets = secretsOf(live, inputs);
    const now = known === undefined ? importedInputs(live) : liveInputs(known, live);
    return {
      id,
      state: outputsOf(live, fieldManagerOf(state) ?? "pulumi-kubernetes", secrets),
      inputs: marked(now, secrets) as Properties,
    };
  }

  /** Deletes the object and waits until it is gone. What is not there, or of no kind, is gone already. */
  async delete({ urn, id, state, timeout }: rpc.DeleteRequest): Promise<void> {
    requireLoopbackStack(urn);
    const object = plainValue(state) as KubeObject;
    await (await this.#lifeOf(id, object))?.delete(object, this.#patience(urn, timeout));
  }

  async #preview({ urn, inputs }: rpc.CreateRequest, fieldManager: string, isNew: boolean) {
    const secrets = secretsOf(inputs);
    const object = plainValue(inputs) as KubeObject;
    const asked = await this.#discreetly(inputs, this.#plan.ask(this.#connection, object, { fieldManager, isNew }));
    if (!("unchecked" in asked)) {
      const state = (isNew ? plannedOutputs : outputsOf)(asked.object, fieldManager, secrets);
      return { id: idOf(object), state };
    }
    // Without any cluster one line serves for all.
    if (asked.noCluster) await this.#say(`No cluster checked this plan: ${asked.unchecked}`);
    else await this.#log.status(urn, `not checked by the cluster: ${asked.unchecked}`);
    return {
      id: holdsUnknown(object.metadata) ? "" : idOf(object),
      state: plannedOutputs(object, fieldManager, secrets),
    };
  }

  async #apply({ urn, inputs, timeout }: rpc.CreateRequest, fieldManager: string, isNew: boolean) {
    requireLoopbackStack(urn);
    const secrets = secretsOf(inputs);
    const object = plainValue(inputs) as KubeObject;
    const life = await this.#servedLife(object);
    if (isNew && !this.#settings.upserts && (await life.read()) !== undefined) throw new Error(alreadyThere(object));
    const force = isAnnotated(object, "patchForce") || process.env.PULUMI_K8S_ENABLE_PATCH_FORCE === "true";
    const applied = await this.#discreetly(inputs, life.apply(object, { fieldManager, force, dryRun: false }));
    const id = idOf(object);
    try {
      const live = await life.untilReady(applied, this.#patience(urn, timeout));
      return { id, state: outputsOf(live, fieldManager, secrets) };
    } catch (error) {
      const live = error instanceof NotReady ? error.live : applied;
      throw new PartialFailure(messageOf(error), { id, state: outputsOf(live, fieldManager, secrets), inputs });
    }
  }

  /** The object of an id, or undefined where the cluster has no such kind. */
  async #lifeOf(id: string, object: KubeObject): Promise<ObjectLife | undefined> {
    const cluster = await this.#connection.need();
    const resource = await cluster.resourceOf(object.apiVersion, object.kind);
    return resource && new ObjectLife(cluster, resource, namesOfId(id));
  }

  /** A kind that this run defines may be served a moment after its definition. */
  async #servedLife(object: KubeObject): Promise<ObjectLife> {
    const deadline = Date.now() + KIND_MS;
    for (;;) {
      const life = await this.#lifeOf(idOf(object), object);
      if (life !== undefined) return life;
      const isExpected = this.#plan.isNamespaced(object) !== undefined && Date.now() < deadline;
      if (!isExpected || this.#canceled.signal.aborted) throw new Error(noSuchKind(object));
      await new Promise((resolve) => setTimeout(resolve, KIND_POLL_MS));
    }
  }

  async #isNamespaced(object: KubeObject): Promise<boolean> {
    const known = this.#plan.isNamespaced(object) ?? (isBuiltIn(object) ? !isClusterKind(object.kind) : undefined);
    if (known !== undefined) return known;
    const cluster = await this.#connection.look();
    const resource =
      cluster instanceof Unreachable ? undefined : await cluster.resourceOf(object.apiVersion, object.kind);
    return resource?.namespaced ?? !isClusterKind(object.kind);
  }

  async #namespace(): Promise<string> {
    if (this.#settings.namespace !== undefined) return this.#settings.namespace;
    const cluster = await this.#connection.look();
    return cluster instanceof Unreachable ? "default" : cluster.namespace;
  }

  #patience(urn: string, timeout: number): Patience {
    let shown = "";
    const onWait = (reason: string) => {
      if (reason !== shown) void this.#log.status(urn, reason);
      shown = reason;
    };
    return { seconds: timeout > 0 ? timeout : DEFAULT_SECONDS, signal: this.#canceled.signal, onWait };
  }

  /** The API server repeats in its messages what it was given. */
  async #discreetly<T>(inputs: Properties, asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      throw new Error(withoutSecrets(messageOf(error), plainValue(inputs), secretsOf(inputs)), { cause: error });
    }
  }

  async #say(line: string): Promise<void> {
    if (this.#said.has(line)) return;
    this.#said.add(line);
    await this.#log.info(line);
  }
}

function alreadyThere(object: KubeObject): string {
  return (
    `${titleOf(object)} is in the cluster already, and not in this stack: import it with \`pulumi import\`, ` +
    "or set upsertExistingObjects on its provider to take it over"
  );
}

function requireLoopbackStack(urn: string): void {
  const refusal = refusalOf(stackOfUrn(urn), "kubernetes");
  if (refusal !== undefined) throw new Error(refusal);
}

/** Properties as an object, where they are one. */
function asObject(properties: Properties): KubeObject | undefined {
  const plain = plainValue(properties) as Properties;
  return objectProblem(plain) === undefined ? (plain as KubeObject) : undefined;
}
