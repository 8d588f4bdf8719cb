import { bytesOf } from "../runners/cache/quantity.ts";
import { amountOf, type Amounts } from "../runners/namespace/quota.ts";
import { choiceOf, described, mapOf, refusal, requiredText, section, textOf, type Field } from "./field.ts";

export interface Toleration {
  readonly key: string;
  readonly operator: "Equal" | "Exists";
  readonly value?: string;
  readonly effect?: string;
}

/** What a container asks for and may have at most, by resource. */
interface Resources {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

const SUBDOMAIN = "[a-z\\d](?:[a-z\\d-]*[a-z\\d])?(?:\\.[a-z\\d](?:[a-z\\d-]*[a-z\\d])?)*";
const LABEL_NAME = "[A-Za-z\\d](?:[-\\w.]{0,61}[A-Za-z\\d])?";

/** Names of most objects: a DNS-1123 subdomain (Kubernetes, "Object Names and IDs"). */
const OBJECT_NAME = new RegExp(`^(?=.{1,253}$)${SUBDOMAIN}$`);
const LABEL_KEY = new RegExp(`^(?:(?=[^/]{1,253}/)${SUBDOMAIN}/)?${LABEL_NAME}$`);
const LABEL_VALUE = new RegExp(`^(?:${LABEL_NAME})?$`);
/** A key in the data of a ConfigMap or Secret, which becomes the name of a file. */
const DATA_KEY = /^(?!\.\.|\.$)[-.\w]{1,253}$/;
/** What a container may have: Kubernetes' own resources, and those of devices, which a domain begins. */
const RESOURCE = new RegExp(
  `^(?:cpu|memory|ephemeral-storage|hugepages-\\d+[KMG]i|(?=[^/]{1,253}/)${SUBDOMAIN}/${LABEL_NAME})$`,
);

const NAME_MEND = "Use lower-case letters, digits, dashes and dots; letters or digits begin and end it";
const LABEL_MEND = "Use at most 63 letters, digits, dashes, dots and underscores; letters or digits begin and end it";
const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"] as const;

/** The name of a Kubernetes object: a Secret, a ConfigMap, a class. Throws a usage error that names the key. */
export function objectNameOf(field: Field): string | undefined {
  return matching(field, OBJECT_NAME, "no name of a Kubernetes object", NAME_MEND);
}

/** The name of an object that has to be named; `mend` says what of. */
export function requiredObjectName(field: Field, mend: string): string {
  const name = requiredText(field, mend);
  return objectNameOf(field) ?? name;
}

/** The name of a storage class; "" stands for none, not even the cluster's default, as Kubernetes has it. */
export function storageClassOf(field: Field): string | undefined {
  return field.value === "" ? "" : objectNameOf(field);
}

/** A key of a ConfigMap or Secret that has to be named. */
export function requiredDataKey(field: Field, mend: string): string {
  const key = requiredText(field, mend);
  return matching(field, DATA_KEY, "no key of a ConfigMap", "Use letters, digits, dashes, dots and underscores") ?? key;
}

/** The size of a volume, which has to be there. */
export function volumeSizeOf(field: Field, mend: string): string {
  const size = requiredText(field, mend);
  if (bytesOf(size) === undefined) throw refusedAs("no size of a volume", field, mend);
  return size;
}

/** What YAML reads as something else than the text that Kubernetes takes: `cpu: 4`, `spot: true`. */
export function scalarOf(field: Field): string {
  return requiredText(asText(field), "Write a text");
}

/** Requests and limits of a container, no request above its limit. Throws a usage error that names the key. */
export function resourcesOf(requested: Field, limited: Field): Resources {
  const [requests, limits] = [amountsOf(requested), amountsOf(limited)];
  for (const [resource, request] of Object.entries(requests)) {
    const own = { ...requested, key: `${requested.key}.${resource}`, value: request };
    requireWithin(own, request, limits[resource], isShared(resource));
  }
  return { requests, limits };
}

function amountsOf(field: Field): Amounts {
  const mend = "Kubernetes knows cpu, memory, ephemeral-storage, hugepages-<size> and devices such as nvidia.com/gpu";
  return mapOf(field, amountIn, { pattern: RESOURCE, mend });
}

function amountIn(field: Field): string {
  const amount = scalarOf(field);
  const number = amountOf(amount) ?? NaN;
  if (number > 0 && Number.isFinite(number)) return amount;
  throw refusedAs("no amount above 0", field, "Write it as Kubernetes does: 4, 500m, 16Gi");
}

/** Whether what one container does not use is left to others: then its limit may be above its request. */
function isShared(resource: string): boolean {
  return !resource.includes("/") && !resource.startsWith("hugepages-");
}

function requireWithin(field: Field, request: string, limit: string | undefined, shared: boolean): void {
  const most = limit === undefined ? undefined : amountOf(limit);
  const amount = amountOf(request) ?? 0;
  if (!shared && most !== amount) {
    throw refusal(field, `is ${request}, but its limit is ${limit ?? "not set"}: Kubernetes wants both alike`, {
      mend: `Set its limit to ${request}`,
    });
  }
  if (most === undefined || amount <= most) return;
  throw refusal(field, `is ${request}, more than its limit, which is ${limit ?? ""}`, {
    mend: `Set it to ${limit ?? ""} at most, or raise the limit`,
  });
}

/** The labels that a node must have. A label may be empty, as roles of nodes are. */
export function nodeSelectorOf(field: Field): Readonly<Record<string, string>> {
  return mapOf(field, (own) => labelValueOf(asText(own)) ?? scalarOf(own), {
    pattern: LABEL_KEY,
    mend: "Write a label's key, such as pool or node.kubernetes.io/pool",
  });
}

/** Throws a usage error that names the key. */
export function tolerationOf(field: Field): Toleration {
  const toleration = section(field, ["key", "operator", "value", "effect"]);
  const key = toleration("key");
  requiredText(key, "Name the taint");
  const value = labelValueOf(asText(toleration("value")));
  const operator = choiceOf(
    toleration("operator"),
    ["Equal", "Exists"] as const,
    value === undefined ? "Exists" : "Equal",
  );
  if (operator === "Exists" && value !== undefined && value !== "") {
    throw refusal(toleration("value"), "is set, but operator Exists takes every value", {
      mend: "Remove it, or set operator to Equal",
    });
  }
  const effect = toleration("effect");
  return Object.freeze({
    key: matching(key, LABEL_KEY, "no key of a taint", "Write it as the node has it, such as ci or acme.com/ci") ?? "",
    operator,
    ...(value === undefined ? {} : { value }),
    ...(effect.value === undefined ? {} : { effect: choiceOf(effect, EFFECTS, "NoSchedule") }),
  });
}

function labelValueOf(field: Field): string | undefined {
  return matching(field, LABEL_VALUE, "no value of a label", LABEL_MEND);
}

function asText(field: Field): Field {
  const { value } = field;
  return typeof value === "number" || typeof value === "boolean" ? { ...field, value: String(value) } : field;
}

/** The text of a field, as the pattern has it; nothing where it is not set. */
function matching(field: Field, pattern: RegExp, what: string, mend: string): string | undefined {
  const text = textOf(field);
  if (text !== undefined && !pattern.test(text)) throw refusedAs(what, field, mend);
  return text;
}

/** Does not repeat what may be a secret in the wrong line. */
function refusedAs(what: string, field: Field, mend: string) {
  return refusal(field, field.confidential === true ? `is ${what}` : `is ${described(field.value)}, which is ${what}`, {
    mend,
  });
}
