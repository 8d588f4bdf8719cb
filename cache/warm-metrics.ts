import { KilnError } from "../errors.ts";
import type { ServedPackages } from "./served-packages.ts";

/** One warm of one shard, as metrics tell it. */
export interface WarmMeasure extends ServedPackages {
  readonly shard: string;
  /** Where it ran; nothing on a runner that kiln did not make. */
  readonly scaleSet: string | undefined;
  readonly seconds: number;
  /** When it ended: seconds since 1970. */
  readonly ended: number;
}

/** A Prometheus Pushgateway, and for which scale set it is told. */
export interface MetricsTarget {
  /** Its address, with the prefix that it may have, and without a slash at the end. */
  readonly gateway: string;
  readonly scaleSet: string | undefined;
}

/** The gateway's word for what pushes; with shard and scale set it names one group, which the next push replaces. */
const JOB = "kiln-cache-warm";

/** Where an environment says that metrics go; nothing where it does not. Throws a usage error for what is no such address. */
export function metricsTarget(env: NodeJS.ProcessEnv): MetricsTarget | undefined {
  const { KILN_PUSHGATEWAY_URL: address = "", KILN_SCALE_SET: scaleSet = "" } = env;
  if (address === "") return undefined;
  const url = URL.parse(address);
  const problem = url === null ? "is no address" : problemOf(url);
  if (url === null || problem !== undefined) {
    // The address itself is not shown: what is wrong with it may be a password.
    throw new KilnError("usage", `KILN_PUSHGATEWAY_URL ${problem ?? ""}`, {
      mend: "Set it to the Pushgateway as http://host:9091, or unset it: metrics are then not pushed",
    });
  }
  return { gateway: url.href.replace(/\/+$/, ""), scaleSet: scaleSet === "" ? undefined : scaleSet };
}

function problemOf({ protocol, username, password, search, hash }: URL): string | undefined {
  if (!/^https?:$/.test(protocol)) return "is no http or https address";
  if (username !== "" || password !== "") return "has a user or password in it";
  return search === "" && hash === "" ? undefined : "has a query or fragment in it";
}

/** The path below a gateway's address that names the group of a shard. */
export function groupPath({ shard, scaleSet }: Pick<WarmMeasure, "shard" | "scaleSet">): string {
  const key = { job: JOB, ...(scaleSet === undefined ? {} : { scale_set: scaleSet }), shard };
  return `/metrics${Object.entries(key)
    .map(([label, value]) => `/${labelInPath(label, value)}`)
    .join("")}`;
}

/** A label as a path has it: what may not stand there by itself, such as a slash, is base64 (pushgateway, "URL"). */
function labelInPath(label: string, value: string): string {
  if (/^[\w-][\w.-]*$/.test(value)) return `${label}/${value}`;
  const encoded = Buffer.from(value).toString("base64url");
  return `${label}@base64/${encoded === "" ? "=" : encoded}`;
}

/** The metrics of a warm in Prometheus' text exposition format. Shard and scale set are labels of the whole group. */
export function exposition({ hits, misses, seconds, ended }: WarmMeasure): string {
  return [
    ...gauge("kiln_cache_packages", "Packages that the last warm found in its store (hit) or compiled (miss).", {
      '{result="hit"}': hits,
      '{result="miss"}': misses,
    }),
    ...gauge("kiln_cache_warm_seconds", "Wall time of the last warm.", { "": seconds }),
    ...gauge("kiln_cache_warm_timestamp_seconds", "When the last warm ended.", { "": ended }),
    "",
  ].join("\n");
}

function gauge(name: string, help: string, samples: Readonly<Record<string, number>>): readonly string[] {
  const lines = Object.entries(samples).map(([labels, value]) => `${name}${labels} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines];
}
