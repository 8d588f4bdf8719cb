import { KilnError } from "../errors.ts";
import raw from "./pins.json" with { type: "json" };

/** The tools that kiln runs, each pinned to one version in `pins.json`. Node itself is the business of `bootstrap.mjs`. */
export const TOOLS = ["go", "pulumi", "opentofu", "regctl", "registry"] as const;

/**
 * Tools that tests alone run: the Kubernetes API server of the engine tests, the node of the extended ones, the kubectl
 * of language runners that are built without a download, and the Vault that jobs take secrets from. Nothing of kiln needs them, so `doctor` does not ask for them, and they are built when the first test wants them.
 */
export const TEST_TOOLS = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubectl",
  "kubelet",
  "vault",
] as const;

/** Tools that some commands alone run, for who asks for what they do: got when such a command first needs them. */
export const OPTIONAL_TOOLS = ["actionlint", "cosign", "osv-scanner"] as const;

export type Tool = (typeof TOOLS | typeof TEST_TOOLS | typeof OPTIONAL_TOOLS)[number];

/** A file of an official release. `member` is the binary inside the archive; without it the file is the binary. */
export interface Download {
  readonly url: string;
  readonly sha256: string;
  readonly member?: string;
}

/** How a tool is built from the Go module proxy: `go.mod` lines, and string variables that the linker sets. */
export interface GoModule {
  readonly module: string;
  readonly version: string;
  readonly package: string;
  readonly replace?: readonly string[];
  /** Build tags. */
  readonly tags?: readonly string[];
  /**
   * The version of what its go.mod requires as v0.0.0: modules that stand beside it in its own repository, as those of
   * `staging/` in Kubernetes do.
   */
  readonly staging?: string;
  readonly set?: Readonly<Record<string, string>>;
}

export interface Pin {
  readonly version: string;
  readonly binary: string;
  /** Arguments that make the binary print its version. */
  readonly versionArgs: readonly string[];
  /** Given where a tool may be run here and shipped nowhere: what is built of it stays on the machine, and in no image. */
  readonly licence?: string;
  /** By platform, such as `linux-amd64`. */
  readonly downloads: Readonly<Record<string, Download>>;
  readonly goModule?: GoModule;
  readonly goToolchain?: GoToolchain;
}

/** Go itself, as the module proxy gives it: to any Go command by its name, and as an archive by platform. */
export interface GoToolchain {
  readonly name: string;
  readonly archives: Readonly<Record<string, Download>>;
}

export type Pins = Readonly<Record<Tool, Pin>>;

/** The pins of this checkout. */
export const pins: Pins = readPins(raw);

/** The public image that runners stand on unless a stack names another. */
export const DEFAULT_BASE_IMAGE = "docker.io/library/debian:bookworm-slim";

/** The versions that enter images and cache keys, without a leading `v`. */
export const toolVersions = {
  go: pins.go.version,
  pulumi: pins.pulumi.version,
  opentofu: pins.opentofu.version,
} as const;

/** This machine as the pins name it: `linux-amd64`, `linux-arm64`, `darwin-arm64`. */
export function platformName(platform: string = process.platform, arch: string = process.arch): string {
  return `${platform}-${arch === "x64" ? "amd64" : arch}`;
}

/** Checks the shape of a pins document and returns it typed; throws a KilnError that names the first wrong key path. */
export function readPins(document: unknown): Pins {
  const tools = record(document, "pins");
  const names = [...TOOLS, ...TEST_TOOLS, ...OPTIONAL_TOOLS];
  return Object.fromEntries(names.map((tool) => [tool, readPin(tools[tool], tool)])) as Record<Tool, Pin>;
}

function readPin(value: unknown, at: string): Pin {
  const pin = record(value, at);
  return {
    version: text(pin.version, `${at}.version`, /^\d+\.\d+\.\d+$/),
    binary: text(pin.binary, `${at}.binary`, /^[a-z]+(-[a-z]+)*$/),
    versionArgs: texts(pin.versionArgs, `${at}.versionArgs`),
    ...(pin.licence !== undefined && { licence: text(pin.licence, `${at}.licence`, /^[A-Za-z0-9.-]+$/) }),
    downloads: pin.downloads === undefined ? {} : readDownloads(pin.downloads, `${at}.downloads`),
    ...(pin.goModule !== undefined && { goModule: readGoModule(pin.goModule, `${at}.goModule`) }),
    ...(pin.goToolchain !== undefined && { goToolchain: readGoToolchain(pin.goToolchain, `${at}.goToolchain`) }),
  };
}

function readDownloads(value: unknown, at: string): Readonly<Record<string, Download>> {
  const downloads = Object.entries(record(value, at));
  return Object.fromEntries(downloads.map(([platform, file]) => [platform, readDownload(file, `${at}.${platform}`)]));
}

function readGoToolchain(value: unknown, at: string): GoToolchain {
  const toolchain = record(value, at);
  return {
    name: text(toolchain.name, `${at}.name`, /^go\d+\.\d+\.\d+$/),
    archives: readDownloads(toolchain.archives, `${at}.archives`),
  };
}

function readDownload(value: unknown, at: string): Download {
  const download = record(value, at);
  return {
    url: text(download.url, `${at}.url`, /^https?:\/\//),
    sha256: text(download.sha256, `${at}.sha256`, /^[0-9a-f]{64}$/),
    ...(download.member !== undefined && { member: text(download.member, `${at}.member`, /^[^/].*$/) }),
  };
}

function readGoModule(value: unknown, at: string): GoModule {
  const recipe = record(value, at);
  const set = recipe.set === undefined ? undefined : Object.entries(record(recipe.set, `${at}.set`));
  return {
    module: text(recipe.module, `${at}.module`, /\//),
    version: text(recipe.version, `${at}.version`, /^v\d+\.\d+\.\d+/),
    package: text(recipe.package, `${at}.package`, /\//),
    ...(recipe.replace !== undefined && { replace: texts(recipe.replace, `${at}.replace`) }),
    ...(recipe.tags !== undefined && { tags: texts(recipe.tags, `${at}.tags`) }),
    ...(recipe.staging !== undefined && { staging: text(recipe.staging, `${at}.staging`, /^v\d+\.\d+\.\d+$/) }),
    ...(set && { set: Object.fromEntries(set.map(([name, to]) => [name, text(to, `${at}.set.${name}`, /^\S+$/)])) }),
  };
}

function record(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(at, "an object", value);
  return value as Record<string, unknown>;
}

function text(value: unknown, at: string, pattern: RegExp): string {
  if (typeof value !== "string" || !pattern.test(value)) throw wrong(at, `text like ${String(pattern)}`, value);
  return value;
}

function texts(value: unknown, at: string): readonly string[] {
  if (!Array.isArray(value)) throw wrong(at, "a list of texts", value);
  return value.map((item, index) => text(item, `${at}[${index}]`, /./));
}

function wrong(at: string, expected: string, found: unknown): KilnError {
  const shown = found === undefined ? "nothing" : JSON.stringify(found);
  return new KilnError("usage", `toolchain/pins.json: ${at} must be ${expected}, found ${shown}`, {
    mend: "restore toolchain/pins.json from git, or correct that key",
  });
}
