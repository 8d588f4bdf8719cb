import { KilnError, messageOf } from "../../errors.ts";
import { archiveName, pluginLabel, type Plugin } from "./plugin.ts";

/** Pulumi's own variable for mirrors: `regexp=URL,regexp=URL`. One place to say it, for kiln and for every engine. */
export const MIRRORS_VARIABLE = "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES";

/** An address that takes the place of those that a pattern matches. */
export interface Mirror {
  readonly pattern: RegExp;
  readonly url: string;
}

const GET_PULUMI = "https://get.pulumi.com/releases/plugins";

/**
 * The mirrors of Pulumi's variable. Throws a usage error that names it where it is not of Pulumi's form, and of what it
 * holds nothing: an address may have a login or a token in it.
 */
export function parseMirrors(text: string | undefined): readonly Mirror[] {
  if (text === undefined || text === "") return [];
  return text.split(",").map((pair, index) => {
    const [pattern = "", url = "", ...rest] = pair.split("=");
    if (pattern === "" || url === "" || rest.length > 0) throw wrongMirror(index, "is not of the form regexp=URL");
    try {
      // Go names groups (?P<name>…), JavaScript (?<name>…).
      return { pattern: new RegExp(pattern.replaceAll("(?P<", "(?<")), url };
    } catch (error) {
      throw wrongMirror(index, `has no regular expression: ${messageOf(error).split(": ").at(-1) ?? ""}`);
    }
  });
}

function wrongMirror(index: number, what: string): KilnError {
  return new KilnError("usage", `${MIRRORS_VARIABLE} has a pair, number ${index + 1}, that ${what}`, {
    mend: "Set it to regexp=URL pairs with commas between them, such as ^https://get.pulumi.com=https://mirror.example.com.",
  });
}

/** A server's address without the user and password that a mirror's may hold. */
function withoutLogin(text: string): string {
  return text.replace(/[^/\s]+@/g, "***@");
}

/**
 * Where a plugin's archive for a platform is looked for, in Pulumi's order: the SDK's server where it names one,
 * otherwise GitHub and then get.pulumi.com, each replaced by its mirror. GitHub is asked without its API, which counts
 * requests.
 */
export function archiveUrls(plugin: Plugin, platform: string, mirrors: readonly Mirror[]): readonly string[] {
  const own = plugin.server ?? `github://api.github.com/pulumi/pulumi-${plugin.name}`;
  const mirrored = mirrorOf(own, mirrors);
  if (mirrored !== undefined) return [archiveUrl(mirrored, plugin, platform)];
  const first = archiveUrl(own, plugin, platform);
  return plugin.server === undefined
    ? [first, archiveUrl(mirrorOf(GET_PULUMI, mirrors) ?? GET_PULUMI, plugin, platform)]
    : [first];
}

/**
 * The file of checksums of a plugin's GitHub release; undefined for other servers, and behind a mirror, which would
 * vouch for itself.
 */
export function checksumsUrl(plugin: Plugin, mirrors: readonly Mirror[]): string | undefined {
  const own = plugin.server ?? `github://api.github.com/pulumi/pulumi-${plugin.name}`;
  const github = /^github:\/\/api\.github\.com\/([^/]+)(?:\/([^/]+))?\/?$/.exec(own);
  if (github === null || mirrorOf(own, mirrors) !== undefined) return undefined;
  const repository = github[2] ?? `pulumi-${plugin.name}`;
  const release = `https://github.com/${github[1] ?? ""}/${repository}/releases/download/v${plugin.version}`;
  return `${release}/${encodeURIComponent(`${repository}_${plugin.version}_checksums.txt`)}`;
}

/** The address by which the first matching mirror replaces this one, with `$1`, `${name}` from its pattern's groups. */
function mirrorOf(url: string, mirrors: readonly Mirror[]): string | undefined {
  for (const mirror of mirrors) {
    const match = mirror.pattern.exec(url);
    if (match === null) continue;
    return mirror.url.replace(/\$(?:(\d+)|\{(\w+)\})/g, (all, index: string | undefined, name: string | undefined) =>
      index === undefined ? (match.groups?.[name ?? ""] ?? all) : (match[Number(index)] ?? all),
    );
  }
  return undefined;
}

function archiveUrl(server: string, plugin: Plugin, platform: string): string {
  const archive = encodeURIComponent(archiveName(plugin, platform));
  const [os = "", arch = ""] = platform.split("-");
  const url = URL.parse(server);
  const segments = (url?.pathname ?? "").split("/").filter((segment) => segment !== "");
  if (url?.protocol === "https:" || url?.protocol === "http:") {
    const values: Readonly<Record<string, string>> = { NAME: plugin.name, VERSION: plugin.version, OS: os, ARCH: arch };
    const filled = url.href.replace(/\$%7B(NAME|VERSION|OS|ARCH)%7D/g, (_, name: string) =>
      encodeURIComponent(values[name] ?? ""),
    );
    return `${filled.replace(/\/$/, "")}/${archive}`;
  }
  if (
    url?.protocol === "github:" &&
    url.host === "api.github.com" &&
    (segments.length === 1 || segments.length === 2)
  ) {
    const [owner = "", repository = `pulumi-${plugin.name}`] = segments;
    return `https://github.com/${owner}/${repository}/releases/download/v${plugin.version}/${archive}`;
  }
  if (url?.protocol === "gitlab:" && segments.length === 1) {
    return `https://${url.host}/api/v4/projects/${segments[0] ?? ""}/releases/v${plugin.version}/downloads/${archive}`;
  }
  throw new KilnError(
    "usage",
    `${pluginLabel(plugin)} comes from ${withoutLogin(server)}, where kiln cannot download`,
    {
      mend: `Put ${archiveName(plugin, platform)} into a folder and run \`npx kiln cache plugins --from FOLDER\`, or name a mirror in ${MIRRORS_VARIABLE}.`,
    },
  );
}
