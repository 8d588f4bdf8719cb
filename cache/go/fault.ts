import path from "node:path";
import { faultOf, type ListedPackage } from "./list.ts";
import { readText } from "../source-files.ts";

/** What Go says of a module that it could not fetch: a proxy's refusal, a connection that broke off, a clone that failed. */
const UNREACHED = [
  /(?<module>[^\s@]+@[^\s@/:]+)(?:\/go\.mod)?: (?:reading|read|Get|Head) "?(?:https?|file):.*/,
  /(?<module>[^\s@]+@[^\s@/:]+): (?:(?:invalid version: )?git |reading \S+ at revision )[\s\S]*/,
  /(?<module>[^\s@]+@[^\s@/:]+): (?:unrecognized import path|refusing to pass credentials|module lookup disabled)[\s\S]*/,
  /(?<module>[^\s@]+@[^\s@/:]+): .*(?:i\/o timeout|unexpected EOF|connection re(?:fused|set)|no such host|TLS handshake|x509:).*/,
];

/** The same without a version, or without any name: Go has announced the module before. */
const UNREACHED_UNNAMED =
  /^reading \S+ at revision \S+: |^unrecognized import path |^zip: |^no secure protocol found |^module lookup disabled /;

/** A Go module that could not be fetched, and what the network said. */
export interface UnreachedModule {
  /** `path@version`. */
  readonly module: string;
  readonly reason: string;
}

/** The module that a message of Go's says cannot be fetched; undefined where it says something else. */
export function unreachedModule(message: string): UnreachedModule | undefined {
  for (const expression of UNREACHED) {
    const match = expression.exec(message);
    const module = match?.groups?.module;
    if (match && module !== undefined) {
      const reason = match[0].slice(module.length).replace(/^(?:\/go\.mod)?: /, "");
      return { module, reason: withoutUserInfo(reason.trim()) };
    }
  }
  return undefined;
}

/** The module whose fetching failed for a package; `stderr` has the downloads that Go announced. */
export function unreachedModuleOf(entry: ListedPackage, stderr: string): UnreachedModule | undefined {
  const message = entry.Error?.Err.trim() ?? "";
  if (!UNREACHED_UNNAMED.test(message)) return unreachedModule(message);
  const [announced] = [...stderr.matchAll(/^go: downloading (\S+) (\S+)$/gm)]
    .map(([, name = "", version = ""]) => ({ name, module: `${name}@${version}` }))
    .filter(({ name }) => `${entry.ImportPath}/`.startsWith(`${name}/`) || message.includes(` ${name}/go.mod `))
    .sort((a, b) => b.name.length - a.name.length);
  return announced && { module: announced.module, reason: withoutUserInfo(message) };
}

/** One line or more on a module that could not be fetched. */
export function unreachedFault({ module, reason }: UnreachedModule): string {
  return `${module} cannot be fetched: ${reason}`;
}

/** A text without the user and password of the addresses in it. */
export function withoutUserInfo(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^/\s"]+@/gi, "$1…@");
}

/** Every module that a listing of packages could not fetch, each once; standard error counts where it failed as a whole. */
export function unreachedModules(listing: {
  readonly code: number;
  readonly stderr: string;
  readonly packages: readonly ListedPackage[];
}): readonly UnreachedModule[] {
  const { code, stderr, packages } = listing;
  const messages = code === 0 ? [] : stderr.split(/^go: /m);
  const found = [...packages.map((entry) => unreachedModuleOf(entry, stderr)), ...messages.map(unreachedModule)];
  return [...new Map(found.filter((one) => one !== undefined).map((one) => [one.module, one])).values()];
}

/** Why a Go module cannot be read at all: what Go printed, without what it says of its downloads. */
export function listingFault(
  listing: { readonly stderr: string; readonly unreached: readonly UnreachedModule[] },
  goMod: string,
): string {
  const { stderr, unreached } = listing;
  if (unreached[0]) return unreachedFault(unreached[0]);
  const mismatch = checksumMismatch(stderr);
  if (mismatch !== undefined) {
    return `${mismatch} is not what ${goMod.replace(/\.mod$/, ".sum")} says: its checksum differs (somebody changed the module or that line)`;
  }
  if (/cannot find main module|go\.mod file not found/.test(stderr))
    return "no go.mod governs it: add one there or above";
  const said = stderr.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("go: downloading "));
  return withoutUserInfo(`Go cannot read ${goMod}: ${said.slice(0, 6).join("\n    ")}`);
}

function checksumMismatch(text: string): string | undefined {
  return /verifying (\S+@\S+): checksum mismatch/.exec(text)?.[1];
}

/**
 * Why a package cannot be built, in words that name the mend where Go's own do not; `directory` is where its files are read,
 * and `stderr` what Go printed beside the listing.
 */
export async function explainedFault(
  entry: ListedPackage,
  directory: string,
  stderr: string,
): Promise<string | undefined> {
  const fault = faultOf(entry)?.trim();
  if (fault === undefined) return undefined;
  const unreached = unreachedModuleOf(entry, stderr) ?? unreachedModule(fault);
  if (unreached) return unreachedFault(unreached);
  const mismatch = checksumMismatch(fault);
  if (mismatch !== undefined) return `${mismatch} is not what go.sum says: its checksum differs`;
  if (!fault.includes("build constraints exclude all Go files")) return withoutUserInfo(fault);
  return (await excludedFiles(entry.IgnoredGoFiles ?? [], directory)) ?? fault;
}

/** Why build constraints leave nothing of a package: cgo, which the image does not have, or tags that nobody sets. */
async function excludedFiles(names: readonly string[], directory: string): Promise<string | undefined> {
  for (const name of names) {
    const text = await readText(path.join(directory, name));
    if (/^import\s+"C"|^\s+"C"$/m.test(text)) {
      return `${name} needs cgo, and the image has no C compiler (CGO_ENABLED=0): take a package in pure Go, or name the program with --allow-failed`;
    }
    const constraint = /^\/\/go:build (.*)$/m.exec(text)?.[1]?.trim();
    if (constraint !== undefined) {
      return `${name} is built only with "//go:build ${constraint}": name its tags with --tags, or the program with --allow-failed`;
    }
  }
  return undefined;
}
