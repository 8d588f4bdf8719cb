/** What of a package URL (purl) a comparison needs. `name` is as OSV has it: with its namespace, but for packages of Debian. */
export interface PackageUrl {
  readonly type: string;
  readonly name: string;
  readonly version?: string;
}

/** Types whose namespace says who distributes, and is no part of a package's name. */
const DISTRIBUTED = new Set(["deb", "rpm", "apk", "oci", "docker"]);

/** The parts of `pkg:golang/golang.org/x/net@v0.1.0?…#…`; nothing for what is no package URL. Pure. */
export function parsePackageUrl(text: string): PackageUrl | undefined {
  const [, type = "", written = ""] = /^pkg:\/{0,2}([a-z][a-z0-9.+-]*)\/([^?#]+)/i.exec(text) ?? [];
  const at = written.lastIndexOf("@");
  // An npm scope may stand as it is, though it should not: `pkg:npm/@acme/a` has no version.
  const hasVersion = at > 0 && written[at - 1] !== "/";
  const parts = (hasVersion ? written.slice(0, at) : written).split("/").filter((part) => part !== "");
  const names = DISTRIBUTED.has(type.toLowerCase()) ? parts.slice(-1) : parts;
  if (type === "" || names.length === 0) return undefined;
  try {
    return {
      type: type.toLowerCase(),
      name: names.map(decodeURIComponent).join("/"),
      ...(hasVersion && { version: decodeURIComponent(written.slice(at + 1)) }),
    };
  } catch {
    return undefined;
  }
}
