import type { FeedClient } from "../feed-client.ts";
import type { Source } from "../source.ts";
import { releasedAs, type UpstreamRelease } from "../upstream.ts";
import { compareVersions, parseVersion, type Version } from "../../version.ts";
import { object, text } from "./document.ts";

/**
 * Versions of a module on a Go proxy. What the latest version's go.mod retracts is withdrawn (Go's own rule). When one was
 * published a proxy does not say: its `Time` is that of the commit, which whoever commits may set as they like.
 */
export async function readGoReleases(
  client: FeedClient,
  { address, project }: Source,
): Promise<readonly UpstreamRelease[]> {
  const module = `${address}/${escapedModule(project)}`;
  const read = <Document>(path: string, digest: (text: string) => Document) =>
    client.read({ address: `${module}/${path}`, digest });
  const names = (await read("@v/list", goVersions)) ?? [];
  const latest = await read("@latest", latestVersion);
  const retracted = latest === undefined ? [] : ((await read(`@v/${latest}.mod`, retractions)) ?? []);
  return names.map((name) => {
    const version = releasedAs(name);
    const why = version && retracted.find(({ from, to }) => isBetween(version, from, to));
    return { name, ...(why ? { withdrawn: why.reason } : {}) };
  });
}

/** The latest version that a proxy names. Throws for what is none: it becomes a part of an address. */
function latestVersion(document: string): string {
  const name = text(object(JSON.parse(document)).Version);
  if (releasedAs(name) !== undefined) return name;
  throw new Error("its latest version is none");
}

/** The lines of a proxy's list. */
export function goVersions(list: string): readonly string[] {
  return list
    .split("\n")
    .flatMap((line) => line.trim().split(/\s+/)[0] ?? [])
    .filter((name) => name !== "");
}

/** Versions from one to another that a go.mod retracts, and why. */
export interface Retraction {
  readonly from: Version;
  readonly to: Version;
  readonly reason: string;
}

/** What a go.mod retracts: `retract v1.0.0`, `retract [v1.0.0, v1.9.9] // why`, and blocks of such. */
export function retractions(goMod: string): readonly Retraction[] {
  const found: Retraction[] = [];
  let inside = false;
  for (const line of goMod.split("\n")) {
    const [, code = "", comment = ""] = /^\s*(.*?)\s*(?:\/\/\s*(.*?)\s*)?$/.exec(line) ?? [];
    if (inside && code === ")") inside = false;
    else if (/^retract\s*\($/.test(code)) inside = true;
    else if (inside || /^retract\s/.test(code)) found.push(...retraction(code.replace(/^retract\s+/, ""), comment));
  }
  return found;
}

function retraction(code: string, comment: string): readonly Retraction[] {
  const [first, second] = [...code.matchAll(/v([^\s,\]]+)/g)].map(([, version = ""]) => parseVersion(version));
  const reason = comment === "" ? "retracted" : `retracted: ${comment.slice(0, 200)}`;
  return first === undefined ? [] : [{ from: first, to: second ?? first, reason }];
}

/** Capitals are written with an exclamation mark (https://go.dev/ref/mod#goproxy-protocol). */
function escapedModule(module: string): string {
  return module.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

function isBetween(version: Version, from: Version, to: Version): boolean {
  return compareVersions(version, from) >= 0 && compareVersions(version, to) <= 0;
}
