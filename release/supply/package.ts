import { isMap } from "../../cache/document.ts";

/** One thing inside an image that has a version of its own. */
export interface Package {
  readonly name: string;
  readonly version: string;
  /** By which scanners know it (package URL). */
  readonly purl: string;
  /** Where in the image it was found, as far as one place says it. */
  readonly foundIn: string;
}

/** A Linux distribution, as `os-release` names it: Debian's packages are told apart by it. */
export interface Distribution {
  readonly id: string;
  readonly version: string;
}

/** What `os-release` says. */
export function parseOsRelease(text: string): Distribution {
  const value = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return { id: value("ID"), version: value("VERSION_ID") };
}

/** The packages that are installed according to dpkg's status file. What was removed, and left its configuration, is none. */
export function debianPackages(status: string, { id, version: release }: Distribution): readonly Package[] {
  return status.split(/\n\n+/).flatMap((stanza): readonly Package[] => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(stanza)?.[1]?.trim();
    const [name, version, state] = [field("Package"), field("Version"), field("Status")];
    if (name === undefined || version === undefined || (state !== undefined && !state.endsWith(" installed")))
      return [];
    const [source = name, sourceVersion = version] = (field("Source") ?? name).replace(")", "").split(" (");
    const upstream = source === name && sourceVersion === version ? undefined : `${source}@${sourceVersion}`;
    const qualifiers = qualifiersOf({
      arch: field("Architecture"),
      distro: id === "" ? undefined : `${id}-${release}`,
      upstream,
    });
    const purl = `pkg:deb/${id === "" ? "debian" : id}/${encoded(name)}@${encoded(version)}${qualifiers}`;
    return [{ name, version, purl, foundIn: "var/lib/dpkg/status" }];
  });
}

/** A Go module; `module` is `path@version`. */
export function goModule(module: string, foundIn: string): Package {
  const at = module.lastIndexOf("@");
  const [name, version] = [module.slice(0, at), module.slice(at + 1)];
  const purl = `pkg:golang/${name.split("/").map(encoded).join("/")}@${encoded(version)}`;
  return { name, version, purl, foundIn };
}

/** Go's standard library, and the toolchain with it; `version` as its file VERSION begins: `go1.26.8`. */
export function goStandardLibrary(version: string, foundIn: string): Package {
  const number = version.trim().split(/\s/)[0]?.replace(/^go/, "") ?? "";
  return { name: "stdlib", version: number, purl: `pkg:golang/stdlib@${encoded(number)}`, foundIn };
}

/**
 * What `go version -m` prints of binaries below `folder`: the Go that built each, and the modules that are in it. A module
 * without a version, as of what was built from a checkout, is left out: nobody could look it up.
 */
export function binaryPackages(printed: string, foundIn: (file: string) => string): readonly Package[] {
  const packages: Package[] = [];
  let file = "";
  for (const line of printed.split("\n")) {
    const [head = "", kind, name = "", version = ""] = line.split("\t");
    const [, binary, built] = /^(.*): (go\d\S*)/.exec(head) ?? [];
    if (binary !== undefined && built !== undefined) {
      file = foundIn(binary);
      packages.push(goStandardLibrary(built, file));
    }
    if (kind === "=>") packages.pop();
    if ((kind === "mod" || kind === "dep" || kind === "=>") && (version.startsWith("v") || kind === "dep")) {
      packages.push(goModule(`${name}@${version}`, file));
    }
  }
  return packages.filter(({ name, version }) => name === "stdlib" || version.startsWith("v"));
}

/** Each package once, by its package URL, in an order of its own. */
export function distinct(packages: readonly Package[]): readonly Package[] {
  const byUrl = new Map(packages.toReversed().map((one) => [one.purl, one]));
  return [...byUrl.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
}

/** The packages in an SPDX document, as `spdx.ts` writes it; nothing where it is none. */
export function packagesIn(document: unknown): readonly Package[] | undefined {
  const list = isMap(document) ? document.packages : undefined;
  if (!Array.isArray(list)) return undefined;
  return (list as readonly unknown[]).flatMap((one): readonly Package[] => {
    if (!isMap(one) || !Array.isArray(one.externalRefs)) return [];
    const { name, versionInfo, sourceInfo } = one;
    const [reference] = one.externalRefs as readonly unknown[];
    const purl = isMap(reference) ? reference.referenceLocator : undefined;
    if (typeof purl !== "string" || typeof name !== "string" || typeof versionInfo !== "string") return [];
    return [{ name, version: versionInfo, purl, foundIn: typeof sourceInfo === "string" ? sourceInfo : "" }];
  });
}

/** A part of a package URL. */
export function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll("%3A", ":");
}

function qualifiersOf(values: Readonly<Record<string, string | undefined>>): string {
  const set = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
  const text = set.map(([name, value]) => `${name}=${encoded(value ?? "")}`).join("&");
  return text === "" ? "" : `?${text}`;
}
