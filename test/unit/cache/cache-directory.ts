import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { moduleFiles } from "../../../cache/closure.ts";
import { buildContract, type BuildContract } from "../../../cache/contract.ts";
import { writeJson, type CacheManifest, type ProviderClosure } from "../../../cache/manifest.ts";
import { withFixedTime } from "../../../cache/store.ts";

export const CONTRACT: BuildContract = buildContract({ go: "1.26.8", pulumi: "3.253.0" }, "amd64");

export const sha256 = (text: string | Buffer) => createHash("sha256").update(text).digest("hex");

/** Names in a GOCACHE of the action and the output of one package. */
export function entriesOf(
  pkg: string,
  content = `archive of ${pkg}`,
): { readonly action: string; readonly output: string } {
  const [action, output] = [sha256(`action ${pkg}`), sha256(content)];
  return { action: `${action.slice(0, 2)}/${action}-a`, output: `${output.slice(0, 2)}/${output}-d` };
}

/** An action entry as Go writes it. */
export function actionEntry(pkg: string, nanoseconds: number | bigint, content = `archive of ${pkg}`): string {
  const size = String(Buffer.byteLength(content)).padStart(20);
  return `v1 ${sha256(`action ${pkg}`)} ${sha256(content)} ${size} ${String(nanoseconds).padStart(20)}\n`;
}

export async function writeText(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** Puts a package's two entries into a GOCACHE and returns their names. */
export async function compile(goBuildCache: string, pkg: string, content?: string): Promise<readonly string[]> {
  const { action, output } = entriesOf(pkg, content);
  await writeText(path.join(goBuildCache, output), content ?? `archive of ${pkg}`);
  await writeText(path.join(goBuildCache, action), actionEntry(pkg, 1_700_000_000_000_000_000n, content));
  return [action, output];
}

/** Puts a Go module's metadata, and its sources, into a GOMODCACHE. */
export async function download(goModCache: string, module: string, sources = true): Promise<void> {
  const { tree, download: stem } = moduleFiles(module);
  await writeText(path.join(goModCache, `${stem}.mod`), `module ${module}\n`);
  await writeText(path.join(goModCache, `${stem}.info`), `{"Version":"${module}"}`);
  await writeText(path.join(goModCache, `${stem}.ziphash`), `h1:${sha256(module)}`);
  if (!sources) return;
  await writeText(path.join(goModCache, tree, "a.go"), `package a // ${module}\n`);
  await writeText(path.join(goModCache, tree, "internal/b.go"), "package internal\n");
}

/** The file of a module, as `download` puts it there, that builds read; the other one they do not. */
export function sourceOf(module: string): string {
  return `${moduleFiles(module).tree}/a.go`;
}

/** The manifest of a cache directory that holds nothing. */
export const EMPTY_MANIFEST: CacheManifest = {
  ...{ version: 2, contract: CONTRACT, delivery: "cache", modules: [], failed: {}, closures: {}, programs: {} },
  ...{ objects: {}, spare: [], goModMetadata: [], counts: { goBuildEntries: 0, goModules: 0, bytes: 0 } },
};

/** What each provider's programs read. */
export type Reads = Readonly<
  Record<string, { readonly packages: readonly string[]; readonly modules: readonly string[] }>
>;

/** Writes a cache directory as `cache warm` does, of these packages and modules. */
export async function writeCache(
  directory: string,
  reads: Reads,
  more: Partial<Omit<CacheManifest, "closures" | "counts" | "version">> = {},
): Promise<CacheManifest> {
  const closures: Record<string, ProviderClosure> = {};
  const objects: Record<string, string> = {};
  for (const [provider, { packages, modules }] of Object.entries(reads)) {
    const goBuild = new Set<string>();
    const goMod = [...new Set(modules)].sort();
    for (const pkg of packages) {
      const [action = "", output = ""] = await compile(path.join(directory, "go-build"), pkg);
      await writeFile(path.join(directory, "go-build", action), withFixedTime(actionEntry(pkg, 1)));
      goBuild.add(action).add(output);
      objects[output] = pkg;
    }
    for (const module of modules) await download(path.join(directory, "go-mod"), module);
    closures[provider] = { goBuild: [...goBuild].sort(), goMod, sources: goMod.map(sourceOf) };
  }
  const goMod = [...new Set(Object.values(closures).flatMap((closure) => closure.goMod))];
  for (const module of more.goModMetadata ?? [])
    if (!goMod.includes(module)) await download(path.join(directory, "go-mod"), module, false);
  const manifest: CacheManifest = {
    ...EMPTY_MANIFEST,
    modules: Object.keys(reads).map((provider) => `m/${provider}/x`),
    objects,
    ...more,
    closures,
    goModMetadata: [...new Set([...goMod, ...(more.goModMetadata ?? [])])].sort(),
    counts: { goBuildEntries: 0, goModules: goMod.length, bytes: 0 },
  };
  await writeJson(path.join(directory, "manifest.json"), manifest);
  return manifest;
}
