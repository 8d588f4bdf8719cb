import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import type { Program } from "../programs.ts";

/** A Go module and the folder that holds its files. Its version is empty where nothing names one. */
export interface ModuleFolder {
  readonly goModule: string;
  readonly folder: string;
  /** Whether it stands in a vendor folder, which holds a part of it. */
  readonly vendored?: true;
}

/** The Go modules whose packages a repository holds itself: vendored ones, and those that a directory replaces. */
export class RepositoryModules {
  readonly #source: string;
  /** The folders of the go.mod files that govern programs: modules of the repository's own. */
  readonly #own: readonly string[];
  readonly #governing = new Map<string, Promise<ModuleFolder | undefined>>();
  readonly #vendored = new Map<string, Promise<readonly ModuleFolder[]>>();

  private constructor(source: string, own: readonly string[]) {
    this.#source = source;
    this.#own = own;
  }

  static async of(source: string, programs: readonly Program[]): Promise<RepositoryModules> {
    const root = await realpath(source);
    return new RepositoryModules(root, [...new Set(programs.map(({ goModule }) => path.join(root, goModule)))]);
  }

  /**
   * The module of a package's directory, relative to the source; undefined for the programs' own modules, and where no
   * module has the directory.
   */
  async moduleOf(directory: string): Promise<ModuleFolder | undefined> {
    const absolute = path.join(this.#source, directory);
    const [, root, importPath] = /^(.*\/vendor)\/(.+)$/.exec(absolute) ?? [];
    if (root !== undefined && importPath !== undefined) {
      const listed = remembered(this.#vendored, root, () => readVendored(root));
      const isAbove = ({ folder }: ModuleFolder) => `${absolute}/`.startsWith(`${folder}/`);
      const found = (await listed).filter(isAbove).sort((a, b) => b.folder.length - a.folder.length)[0];
      if (found !== undefined) return found;
    }
    return remembered(this.#governing, absolute, () => this.#governedBy(absolute));
  }

  /** The module of the nearest go.mod above a directory. */
  async #governedBy(directory: string): Promise<ModuleFolder | undefined> {
    if (this.#own.includes(directory)) return undefined;
    const text = await readFile(path.join(directory, "go.mod"), "utf8").catch(() => undefined);
    const name = /^module\s+"?([^\s"]+)/m.exec(text ?? "")?.[1];
    if (name !== undefined) return { goModule: `${name}@${await this.#requiredVersion(name)}`, folder: directory };
    const above = path.dirname(directory);
    return above === directory ? undefined : remembered(this.#governing, above, () => this.#governedBy(above));
  }

  /** The version in which a go.mod of programs requires a module: what Go says of one that a directory replaces. */
  async #requiredVersion(name: string): Promise<string> {
    for (const folder of this.#own) {
      const text = await readFile(path.join(folder, "go.mod"), "utf8").catch(() => "");
      const line = text.split("\n").map((entry) => entry.replace(/^\s*(?:require\s+)?/, "").split(/\s+/));
      const version = line.find(([required, at]) => required === name && at?.startsWith("v"))?.[1];
      if (version !== undefined) return version;
    }
    return "";
  }
}

/** The modules that a vendor folder's modules.txt lists: `# path version`, and what replaces it after an arrow. */
async function readVendored(root: string): Promise<readonly ModuleFolder[]> {
  const text = await readFile(path.join(root, "modules.txt"), "utf8").catch(() => "");
  return [...text.matchAll(/^# (\S+) (v\S+)/gm)].map(([, name = "", version = ""]) => ({
    goModule: `${name}@${version}`,
    folder: path.join(root, name),
    vendored: true,
  }));
}

function remembered<T>(known: Map<string, Promise<T>>, key: string, read: () => Promise<T>): Promise<T> {
  const value = known.get(key) ?? read();
  known.set(key, value);
  return value;
}
