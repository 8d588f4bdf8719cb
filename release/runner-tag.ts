import { KilnError } from "../errors.ts";
import { isTag } from "../registry/image-reference.ts";
import { parseVersion, type Version } from "./version.ts";

/** Where images of a tag go: to try them, or for everybody. */
export type RunnerEnvironment = "preproduction" | "production";

/** What a tag asks for: an image to try, the newest for everybody, or one version for everybody. */
export type RunnerChannel = "dev" | "latest" | "version";

/** What stands before the version of each channel's Git tags. */
const PREFIXES: Readonly<Record<RunnerChannel, string>> = { dev: "dev-v", latest: "latest-v", version: "v" };

/** The longest that follows `v1.2.3` in an image tag: `-tools-` and twelve digits (runner-image.ts). */
const LONGEST_ENDING = "-tools-0123456789ab";

/** A release of the Pulumi language runners, by its Git tag (contracts: Tags). */
export interface RunnerTag {
  /** The Git tag: `dev-v3.253.0`. */
  readonly tag: string;
  readonly channel: RunnerChannel;
  readonly environment: RunnerEnvironment;
  /** Of the Pulumi that is inside. */
  readonly version: Version;
  /** The image tag that the release sets, without a variant: `v3.253.0`, or `latest`. */
  readonly imageTag: string;
}

/** The release that a Git tag stands for. Throws a usage error that says what is wrong with any other text. */
export function parseRunnerTag(text: string): RunnerTag {
  const found = runnerTagOf(text);
  if (found !== undefined) return found;
  throw new KilnError("usage", `${JSON.stringify(text)} is no tag of a language runner: ${faultOf(text)}`, {
    mend: "Push v1.2.3, latest-v1.2.3 or dev-v1.2.3, where 1.2.3 is the version of Pulumi.",
  });
}

/** The release that a Git tag stands for; nothing for any other text. */
export function runnerTagOf(text: string): RunnerTag | undefined {
  const channel = channelOf(text);
  const version = channel && parseVersion(text.slice(PREFIXES[channel].length));
  if (channel === undefined || version === undefined || version.prerelease.length > 0) return undefined;
  if (!isTag(`v${version.text}${LONGEST_ENDING}`)) return undefined;
  const environment = channel === "dev" ? "preproduction" : "production";
  return { tag: text, channel, environment, version, imageTag: channel === "latest" ? "latest" : `v${version.text}` };
}

/** The Git tag by which a version of Pulumi is released to a channel: what `parseRunnerTag` reads. */
export function formatRunnerTag(channel: RunnerChannel, version: string): string {
  return parseRunnerTag(`${PREFIXES[channel]}${version}`).tag;
}

function channelOf(text: string): RunnerChannel | undefined {
  const channels: readonly RunnerChannel[] = ["dev", "latest", "version"];
  return channels.find((channel) => text.startsWith(PREFIXES[channel]));
}

/** What is wrong with a text that is no such tag, as one clause. */
function faultOf(text: string): string {
  if (text === "") return "it is empty";
  if (/\s/.test(text)) return "it has a blank in it";
  if (text.startsWith("refs/")) return "it is a whole reference: leave refs/tags/ away";
  const channel = channelOf(text);
  return channel === undefined ? faultOfPrefix(text) : faultOfVersion(text.slice(PREFIXES[channel].length));
}

function faultOfPrefix(text: string): string {
  const lower = text.toLowerCase();
  const meant = channelOf(lower);
  if (meant !== undefined) return `it has capitals in ${text.slice(0, PREFIXES[meant].length)}`;
  if (/^(?:dev-|latest-)?\d/.test(lower)) return "it lacks the v before its version";
  if (/^(?:dev|latest)[-_.]?v?$/.test(lower)) return "it has no version";
  const [, before] = /^(.*?)[-_/.]?v\d/.exec(lower) ?? [];
  return before === undefined
    ? "it does not begin with v, latest-v or dev-v"
    : `${JSON.stringify(text.slice(0, before.length))} is no channel: there are latest and dev, and v alone`;
}

function faultOfVersion(version: string): string {
  if (version === "") return "it has no version";
  if (version.includes("+")) return "it has build metadata, and an image tag has no plus sign";
  if (/^\d+(?:\.\d+)?(?:-|$)/.test(version)) return `${version} has not three numbers`;
  if (/^(?:\d+\.)*0\d/.test(version)) return `${version} has a number that begins with 0`;
  const parsed = parseVersion(version);
  if (parsed === undefined) return `${JSON.stringify(version)} is no semantic version`;
  if (parsed.prerelease.length > 0) return `${version} is a pre-release, and runners are made of releases alone`;
  return "it is longer than an image tag can be, which is 128 characters";
}
