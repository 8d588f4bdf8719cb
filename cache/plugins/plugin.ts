import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import { moduleFiles } from "../closure.ts";
import { closureOf, type Graph } from "../graph.ts";
import type { Program } from "../programs.ts";
import { RepositoryModules, type ModuleFolder } from "./repository-modules.ts";

/**
 * Where every kiln image has Pulumi's plugins: PULUMI_HOME/plugins is a link to it, and a volume may be mounted there.
 */
export const PLUGIN_PATH = "/var/cache/pulumi-plugins";

/** The label in which a warm image says how its plugins come: `none`, `layer` or `volume`. */
export const PLUGINS_LABEL = "dev.kiln.plugins";

/** The label that lists the plugins inside: `aws@7.12.0,gcp@9.6.0`. */
export const BAKED_PLUGINS_LABEL = "dev.kiln.plugins.baked";

/** A resource plugin of Pulumi, as an SDK asks for it. */
export interface Plugin {
  readonly name: string;
  /** Semantic version without a leading `v`. */
  readonly version: string;
  /** Where the SDK says that it is, instead of Pulumi's own servers. */
  readonly server?: string;
}

/** A plugin, and the providers (folders of programs) whose programs import its SDK. */
export interface NeededPlugin extends Plugin {
  readonly providers: readonly string[];
}

/** What an SDK's `pulumi-plugin.json` says (pulumi/pulumi, sdk/go/common/resource/plugin). */
interface PluginDocument {
  readonly resource?: boolean;
  readonly name?: string;
  readonly version?: string;
  readonly server?: string;
}

/** Pulumi's rule for names, which here become parts of paths and addresses. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** `name@version`, as people write it. */
export function pluginLabel({ name, version }: Plugin): string {
  return `${name}@${version}`;
}

/** The folder of an installed plugin below Pulumi's plugin folder. */
export function pluginFolder({ name, version }: Plugin): string {
  return `resource-${name}-v${version}`;
}

/** The file of a plugin's release for a platform such as `linux-amd64`, the same on every server. */
export function archiveName({ name, version }: Plugin, platform: string): string {
  return `pulumi-resource-${name}-v${version}-${platform}.tar.gz`;
}

/**
 * The plugin of a Go module, `path@version`, by the rules of pulumi-language-go, or undefined where it is no SDK of
 * one. Throws a KilnError where the SDK's document names what cannot be a plugin.
 */
export function pluginOf(goModule: string, document: PluginDocument | undefined): Plugin | undefined {
  const at = goModule.lastIndexOf("@");
  const [modulePath, moduleVersion] = [goModule.slice(0, at), goModule.slice(at + 1)];
  // Old SDKs have no document. Pulumi takes every `pulumi-…` repository for one, its own tools included; an SDK is
  // below sdk/.
  const legacy = /^github\.com\/pulumi\/pulumi-([^/]+)\/sdk(\/|$)/.exec(modulePath)?.[1];
  if (document === undefined ? legacy === undefined : document.resource !== true) return undefined;
  const name = textOr(document?.name, legacy ?? /^[^/]+\/[^/]+\/[^/-]*-([^/]+)/.exec(modulePath)?.[1] ?? "");
  const version = releaseVersion(textOr(document?.version, moduleVersion));
  if (!NAME.test(name) || version === undefined || !VERSION.test(version)) {
    throw new KilnError(
      "failed",
      `${named(goModule)} asks for a plugin ${JSON.stringify({ name, version })}, which is none`,
      {
        mend: "Use a released version of that SDK, or set kiln:image.plugins to none or volume.",
      },
    );
  }
  return { name, version, ...(document?.server === undefined ? {} : { server: document.server }) };
}

function textOr(text: string | undefined, otherwise: string): string {
  return text === undefined || text === "" ? otherwise : text;
}

/**
 * The release that a module's version belongs to: a commit after v1.2.3, `v1.2.4-0.<time>-<commit>`, still uses plugin
 * 1.2.3.
 */
function releaseVersion(version: string): string | undefined {
  const bare = version.replace(/^v/, "").replace(/\+incompatible$/, "");
  const commit = /^(\d+)\.(\d+)\.(\d+)-(?:.*[.-])?\d{14}-[0-9a-f]{12}$/.exec(bare);
  if (commit === null) return bare;
  const [major = 0, minor = 0, patch = 0] = commit.slice(1).map(Number);
  if (major + minor + patch === 0) return undefined;
  return `${major}.${minor}.${Math.max(0, patch - 1)}`;
}

/**
 * The plugins that programs of a build graph import SDKs of, sorted by name and version, from the SDKs' trees in a
 * GOMODCACHE, or in the repository at `source` for what is vendored or replaced by a directory. What go.mod names and no
 * program imports is none of them. Throws a KilnError that names an SDK of which no plugin can be told.
 */
export async function readNeededPlugins(
  graph: Graph,
  programs: readonly Program[],
  goModCache: string,
  source: string,
): Promise<readonly NeededPlugin[]> {
  const held = await RepositoryModules.of(source, programs);
  const users = new Map<string, ModuleFolder & { readonly providers: Set<string> }>();
  for (const [provider, members] of Map.groupBy(programs, (program) => program.provider)) {
    const roots = members.flatMap((program) => graph.roots.get(program.directory) ?? []);
    for (const name of closureOf(graph.packages, roots)) {
      const goModule = graph.packages.get(name)?.goModule;
      const found = goModule === undefined ? await heldModule(held, name) : cachedModule(goModCache, goModule);
      if (found === undefined) continue;
      const known = users.get(found.folder) ?? { ...found, providers: new Set() };
      known.providers.add(provider);
      users.set(found.folder, known);
    }
  }
  const needed = new Map<string, Plugin & { readonly providers: Set<string> }>();
  for (const { providers, ...module } of users.values()) {
    const plugin = pluginOf(module.goModule, await readPluginDocument(module.folder));
    if (plugin === undefined) {
      requireNoSdk(module);
      continue;
    }
    const known = needed.get(pluginLabel(plugin)) ?? { ...plugin, providers: new Set() };
    for (const provider of providers) known.providers.add(provider);
    needed.set(pluginLabel(plugin), known);
  }
  return [...needed]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, plugin]) => ({ ...plugin, providers: [...plugin.providers].sort() }));
}

function cachedModule(goModCache: string, goModule: string): ModuleFolder {
  return { goModule, folder: path.join(goModCache, moduleFiles(goModule).tree) };
}

/** The module of a package that the repository holds: a graph knows such a package by its directory. */
async function heldModule(held: RepositoryModules, key: string): Promise<ModuleFolder | undefined> {
  return key.startsWith("./") ? held.moduleOf(key) : undefined;
}

/**
 * Throws for a vendored module that has the name of an SDK and not the document: `go mod vendor` leaves that out where no
 * program imports its folder.
 */
function requireNoSdk({ goModule, folder, vendored }: ModuleFolder): void {
  if (vendored !== true || !/\/pulumi-[^/@]+(?:-sdk|\/sdk)(?:\/|@)/.test(goModule)) return;
  throw new KilnError(
    "failed",
    `${named(goModule)} in ${folder} has no pulumi-plugin.json, so its plugin is not known`,
    {
      mend: "Let Go fetch that SDK (take it out of the vendor folder), or set kiln:image.plugins to none or volume.",
    },
  );
}

/** A module as messages name it: without the sign where nothing names its version. */
function named(goModule: string): string {
  return goModule.replace(/@$/, "");
}

/**
 * An SDK's document, at the places where pulumi-language-go looks for it: the module, `go/`, and one folder below
 * either.
 */
export async function readPluginDocument(module: string): Promise<PluginDocument | undefined> {
  const below = async (folder: string) =>
    (await readdir(path.join(module, folder), { withFileTypes: true }).catch(() => []))
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(folder, entry.name))
      .sort();
  for (const folder of ["", "go", ...(await below("go")), ...(await below(""))]) {
    const file = path.join(module, folder, "pulumi-plugin.json");
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    try {
      return JSON.parse(text) as PluginDocument;
    } catch (cause) {
      throw new KilnError("failed", `${file} is not JSON: ${messageOf(cause)}`, {
        mend: "Delete that module's folder, so that Go fetches it again.",
        cause,
      });
    }
  }
  return undefined;
}
