import { KilnError } from "../../errors.ts";

/** Amounts by resource, such as `{cpu: "4", memory: 16Gi}`. */
export type Amounts = Readonly<Record<string, string>>;

/** What a container gets that says nothing itself, and what it may ask for at most. */
export interface ContainerLimits {
  readonly defaultRequests?: Amounts;
  readonly defaultLimits?: Amounts;
  readonly max?: Amounts;
}

/** Enough for the small containers that stand beside a runner; a runner itself says what it needs. */
export const DEFAULT_CONTAINER_LIMITS = {
  defaultRequests: { cpu: "100m", memory: "128Mi" },
  defaultLimits: { memory: "2Gi" },
} as const satisfies ContainerLimits;

/**
 * A namespace's hard limits. Throws a usage error that begins with `at` for a resource that no quota counts or an amount that
 * is none.
 */
export function quotaSpec(hard: Amounts, at: string): { readonly hard: Amounts } {
  for (const [resource, amount] of Object.entries(hard)) {
    if (!isCounted(resource)) {
      throw new KilnError("usage", `${at}.${resource} is nothing that a quota counts`, {
        mend: "Use requests.cpu, requests.memory, limits.cpu, limits.memory, requests.storage, pods or count/<resource>",
      });
    }
    requireAmount(amount, `${at}.${resource}`);
  }
  return { hard };
}

/**
 * The LimitRange of a namespace. A quota of requests or limits refuses every pod that does not state its own, so `hard` makes
 * defaults a must. Throws a usage error for a default that is more than the most.
 */
export function limitRangeSpec(limits: ContainerLimits, hard: Amounts, at: string): LimitRangeSpec {
  const { defaultRequests, defaultLimits, max } = { ...DEFAULT_CONTAINER_LIMITS, ...limits };
  for (const [part, amounts] of Object.entries({ defaultRequests, defaultLimits, max: max ?? {} })) {
    for (const [resource, amount] of Object.entries(amounts)) requireAmount(amount, `${at}.${part}.${resource}`);
  }
  requireNoMore(defaultRequests, defaultLimits, `${at}.defaultRequests`, "the default limit");
  requireNoMore(defaultLimits, max ?? {}, `${at}.defaultLimits`, "the most that a container may have");
  requireDefaults(
    hard,
    { requests: { ...defaultLimits, ...defaultRequests }, limits: { ...max, ...defaultLimits } },
    at,
  );
  return {
    limits: [
      {
        type: "Container",
        defaultRequest: defaultRequests,
        ...(Object.keys(defaultLimits).length === 0 ? {} : { default: defaultLimits }),
        ...(max === undefined ? {} : { max }),
      },
    ],
  };
}

export interface LimitRangeSpec {
  readonly limits: readonly {
    readonly type: "Container";
    readonly defaultRequest: Amounts;
    readonly default?: Amounts;
    readonly max?: Amounts;
  }[];
}

/** A Kubernetes quantity as a number of its base unit, cores or bytes; undefined for what is none. */
export function amountOf(quantity: string): number | undefined {
  const [, number, suffix = ""] = /^(\d+(?:\.\d*)?|\.\d+)(m|k|[MGTPE]|[KMGTPE]i|e[+-]?\d+)?$/.exec(quantity) ?? [];
  if (number === undefined) return undefined;
  if (/^e[+-]?\d/.test(suffix)) return Number(number + suffix);
  return Number(number) * (FACTORS[suffix] ?? NaN);
}

const FACTORS: Readonly<Record<string, number>> = {
  m: 1e-3,
  "": 1,
  ...Object.fromEntries(["k", "M", "G", "T", "P", "E"].map((unit, index) => [unit, 1000 ** (index + 1)])),
  ...Object.fromEntries(["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((unit, index) => [unit, 1024 ** (index + 1)])),
};

const COMPUTE = ["cpu", "memory", "ephemeral-storage"] as const;
const OBJECTS = ["pods", "configmaps", "secrets", "services", "persistentvolumeclaims", "requests.storage"];

function isCounted(resource: string): boolean {
  if (OBJECTS.includes(resource) || COMPUTE.some((name) => name === resource)) return true;
  if (COMPUTE.some((name) => resource === `requests.${name}` || resource === `limits.${name}`)) return true;
  // Counts of any object, devices such as requests.nvidia.com/gpu, and storage of one class.
  return /^(count|requests\.[\w.-]+|[\w.-]+\.storageclass\.storage\.k8s\.io)\/[\w.-]+$/.test(resource);
}

function requireAmount(amount: string, at: string): void {
  if (amountOf(amount) !== undefined) return;
  throw new KilnError("usage", `${at} is ${JSON.stringify(amount)}, which is no amount`, {
    mend: "Write it as Kubernetes does: 4, 500m, 16Gi",
  });
}

function requireNoMore(amounts: Amounts, most: Amounts, at: string, what: string): void {
  for (const [resource, amount] of Object.entries(amounts)) {
    const bound = most[resource];
    if (bound === undefined || (amountOf(amount) ?? 0) <= (amountOf(bound) ?? 0)) continue;
    throw new KilnError("usage", `${at}.${resource} is ${amount}, more than ${what}, which is ${bound}`, {
      mend: `Set it to ${bound} at most`,
    });
  }
}

/** A request without a default of its own takes the default limit; a limit without one takes the most. */
function requireDefaults(
  hard: Amounts,
  given: { readonly requests: Amounts; readonly limits: Amounts },
  at: string,
): void {
  for (const key of Object.keys(hard)) {
    const [, kind, name] = /^(?:(requests|limits)\.)?(cpu|memory|ephemeral-storage)$/.exec(key) ?? [];
    if (name === undefined) continue;
    const amounts = kind === "limits" ? given.limits : given.requests;
    if (amounts[name] !== undefined) continue;
    const part = kind === "limits" ? "defaultLimits" : "defaultRequests";
    throw new KilnError("usage", `${at}.${part}.${name} is not set, but the quota counts ${key}`, {
      mend: `Set it: pods with a container that does not state its ${name} are refused otherwise`,
    });
  }
}
