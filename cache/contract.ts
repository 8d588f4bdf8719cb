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

/** The contract of an image with these tools; `goarch` as Go spells it. */
export function buildContract(tools: { go: string; pulumi: string }, goarch: string): BuildContract {
  return {
    goVersion: `go${tools.go}`,
    goos: "linux",
    goarch,
    environment: { CGO_ENABLED: "0", GOEXPERIMENT: "", ...(goarch === "amd64" ? { GOAMD64: "v1" } : {}) },
    flags: pulumiBuildFlags(tools.pulumi),
    paths: IMAGE_PATHS,
  };
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
