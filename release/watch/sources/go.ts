import type { FeedClient } from "../feed-client.ts";
import type { Source } from "../source.ts";
import { releasedAs, type UpstreamRelease } from "../upstream.ts";
import { compareVersions, parseVersion, type Version } from "../../version.ts";
import { object, text, time } from "./document.ts";

/** A version's time is a request of its own: so many are made, for the highest versions. */
const DATED = 10;

/** Versions of a module on a Go proxy. What the latest version's go.mod retracts is withdrawn (Go's own rule). */
export async function readGoReleases(
  client: FeedClient,
  { address, project }: Source,
  floor: Version,
): Promise<readonly UpstreamRelease[]> {
  const module = `${address}/${escapedModule(project)}`;
  const read = <Document>(path: string, digest: (text: string) => Document) =>
    client.read({ address: `${module}/${path}`, digest });
  const names = (await read("@v/list", goVersions)) ?? [];
  const latest = await read("@latest", (document) => text(object(JSON.parse(document)).Version));
  const retracted = latest === undefined ? [] : ((await read(`@v/${latest}.mod`, retractions)) ?? []);
  const dated = new Set(highest(names, floor));
  const releases: UpstreamRelease[] = [];
  for (const name of names) {
    const published = dated.has(name)
      ? await read(`@v/${name}.info`, (info) => time(object(JSON.parse(info)).Time))
      : {};
    const version = releasedAs(name);
    const why = version && retracted.find(({ from, to }) => isBetween(version, from, to));
    releases.push({ name, ...published, ...(why ? { withdrawn: why.reason } : {}) });
  }
  return releases;
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

function highest(names: readonly string[], floor: Version): readonly string[] {
  return names
    .flatMap((name) => {
      const version = releasedAs(name);
      return version?.prerelease.length === 0 && compareVersions(version, floor) >= 0 ? [{ name, version }] : [];
    })
    .sort((a, b) => compareVersions(b.version, a.version))
    .slice(0, DATED)
    .map(({ name }) => name);
}

function isBetween(version: Version, from: Version, to: Version): boolean {
  return compareVersions(version, from) >= 0 && compareVersions(version, to) <= 0;
}
