import { KilnError } from "../errors.ts";
import { isMap } from "./document.ts";

/**
 * Everything that enters Go's action IDs, and so decides whether a compiled package is found again.
 * What is warmed under one contract is a hit only under the same one.
 */
export interface BuildContract {
  /** As `go env GOVERSION` prints it: the patch level matters. */
  readonly goVersion: string;
  readonly goos: string;
  readonly goarch: string;
  /** Variables that select what is compiled. */
  readonly environment: Readonly<Record<string, string>>;
  /** Flags of `go build`, exactly those of the image's Pulumi CLI. */
  readonly flags: readonly string[];
  /** Where the caches and Go must stand: module indexes are keyed by absolute paths even with -trimpath. */
  readonly paths: { readonly goRoot: string; readonly goModCache: string; readonly goBuildCache: string };
}

/** Where every kiln image has Go and its caches. */
export const IMAGE_PATHS = {
  goRoot: "/usr/local/go",
  goModCache: "/var/cache/go-mod",
  goBuildCache: "/var/cache/go-build",
} as const;

/** The label in which a warm image carries its contract, as JSON. */
export const CONTRACT_LABEL = "dev.kiln.contract";

/** The label in which a warm image names the directories of its programs, with commas between. */
export const MODULES_LABEL = "dev.kiln.modules";

/** The labels in which a warm image says how it holds its caches, and whether as caches or as binaries its programs. */
export const STORE_LABEL = "dev.kiln.store";
export const PROGRAMS_LABEL = "dev.kiln.programs";

/**
 * The flags that `pulumi-language-go` of a Pulumi CLI version passes to `go build`: plain up to 3.232, `-buildvcs=false`
 * from 3.233 (pulumi/pulumi#22788), `-trimpath` from 3.246 (#23495), `-w -s` from 3.247 (#23497).
 */
export function pulumiBuildFlags(pulumiVersion: string): readonly string[] {
  const [major = 0, minor = 0] = pulumiVersion.replace(/^v/, "").split(".").map(Number);
  if (!Number.isInteger(major) || !Number.isInteger(minor)) {
    throw new RangeError(`not a Pulumi version: ${pulumiVersion}`);
  }
  const since = (first: number) => major > 3 || (major === 3 && minor >= first);
  return [
    ...(since(233) ? ["-buildvcs=false"] : []),
    ...(since(246) ? ["-trimpath"] : []),
    ...(since(247) ? ["-ldflags=-w -s"] : []),
  ];
}

/**
 * The contract of an image with these tools; `goarch` as Go spells it. Build tags go into GOFLAGS, which the image then
 * has too: Pulumi itself passes none to `go build`. Throws a usage error for text that is no tag.
 */
export function buildContract(
  tools: { go: string; pulumi: string },
  goarch: string,
  tags: readonly string[] = [],
): BuildContract {
  const wrong = tags.find((tag) => !isBuildTag(tag));
  if (wrong !== undefined) {
    throw new KilnError("usage", `"${wrong}" is no build tag`, {
      mend: "Write letters, digits, dots and underscores.",
    });
  }
  return {
    goVersion: `go${tools.go}`,
    goos: "linux",
    goarch,
    environment: {
      CGO_ENABLED: "0",
      GOEXPERIMENT: "",
      ...(goarch === "amd64" ? { GOAMD64: "v1" } : {}),
      ...(goarch === "arm64" ? { GOARM64: "v8.0" } : {}),
      ...(tags.length > 0 ? { GOFLAGS: `-tags=${[...new Set(tags)].sort().join(",")}` } : {}),
    },
    flags: pulumiBuildFlags(tools.pulumi),
    paths: IMAGE_PATHS,
  };
}

/** Variables that an image of a contract has: build tags stand in GOFLAGS there too. */
export function imageEnvironment({ environment }: BuildContract): Readonly<Record<string, string>> {
  return environment.GOFLAGS === undefined ? {} : { GOFLAGS: environment.GOFLAGS };
}

/** Whether Go takes a text for a build tag. */
export function isBuildTag(text: string): boolean {
  return /^[\p{L}\d_.]+$/u.test(text);
}

/** Each input in which two contracts differ, as `name: left, right`. Empty when caches of both fit together. */
export function contractDifferences(left: BuildContract, right: BuildContract): readonly string[] {
  const flat = (contract: BuildContract): Map<string, string> =>
    new Map([
      ["Go version", contract.goVersion],
      ["GOOS", contract.goos],
      ["GOARCH", contract.goarch],
      ["build flags", contract.flags.join(" ")],
      ...Object.entries(contract.environment),
      ...Object.entries(contract.paths),
    ]);
  const [a, b] = [flat(left), flat(right)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((key) => a.get(key) !== b.get(key))
    .map((key) => `${key}: ${quoted(a.get(key))}, ${quoted(b.get(key))}`);
}

function quoted(value: string | undefined): string {
  return value === undefined ? "not set" : `"${value}"`;
}

/** Variables that a contract may set, and what each may be. */
const VARIABLES: Readonly<Record<string, RegExp>> = {
  CGO_ENABLED: /^0$/,
  GOEXPERIMENT: /^[\w,]*$/,
  GOAMD64: /^v[1-4]$/,
  GOARM64: /^v[89]\.\d$/,
  GOFLAGS: /^-tags=[\p{L}\d_.,]+$/u,
};

const FLAGS = new Set(pulumiBuildFlags("3.247.0"));

/**
 * What is wrong with a contract that another machine wrote, or undefined. Its flags and variables reach Go: one that runs a
 * program (`-toolexec`) or loads a library has no business there.
 */
export function contractFault(found: unknown): string | undefined {
  if (!isMap(found)) return "it has no contract";
  const { goVersion, goos, goarch, environment, flags, paths } = found;
  if (
    typeof goVersion !== "string" ||
    !Array.isArray(flags) ||
    typeof goos !== "string" ||
    typeof goarch !== "string"
  ) {
    return "its contract is not one";
  }
  if (!isMap(environment) || !isMap(paths)) return "its contract is not one";
  const flag = flags.find((name: unknown) => typeof name !== "string" || !FLAGS.has(name)) as unknown;
  if (flag !== undefined) return `its contract has the build flag ${JSON.stringify(flag)}, which no Pulumi passes`;
  const variable = Object.entries(environment).find(
    ([name, value]) => !Object.hasOwn(VARIABLES, name) || VARIABLES[name]?.test(String(value)) !== true,
  );
  if (variable) return `its contract sets ${variable[0]} to ${JSON.stringify(variable[1])}`;
  const moved = Object.entries(IMAGE_PATHS).find(([name, value]) => paths[name] !== value);
  return moved === undefined ? undefined : `its contract has ${moved[0]} elsewhere than at ${moved[1]}`;
}

/** The contract in an image's label. Throws a difference that names the image where it is damaged. */
export function parseContractLabel(image: string, label: string): BuildContract {
  let contract: unknown;
  try {
    contract = JSON.parse(label);
  } catch {
    contract = undefined;
  }
  const fault = contractFault(contract);
  if (fault === undefined) return contract as BuildContract;
  throw new KilnError("difference", `the label ${CONTRACT_LABEL} of ${image} is damaged: ${fault}`, {
    mend: "Bake the image again, or take one that kiln composed.",
  });
}

/** The build tags of a contract. */
export function tagsOfContract({ environment }: BuildContract): readonly string[] {
  return (environment.GOFLAGS ?? "")
    .replace(/^-tags=/, "")
    .split(",")
    .filter((tag) => tag !== "");
}
