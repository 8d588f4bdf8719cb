import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { declaredMembers, type Members } from "./declared-types.ts";

/** What a resource takes, and what it has once it exists. */
export interface ResourceTypes {
  readonly inputs: Members;
  readonly outputs: Members;
}

/** The type declarations of an installed Pulumi SDK, read once each. */
export class PackageTypes {
  /** The version of the SDK: that of the official plugin which belongs to it. */
  readonly version: string;
  /** The package as Pulumi knows it, such as `github` for `@pulumi/github`. */
  readonly name: string;
  readonly #directory: string;
  readonly #texts = new Map<string, string | undefined>();
  readonly #members = new Map<string, Members | undefined>();

  constructor(name: string) {
    const manifest = createRequire(import.meta.url).resolve(`@pulumi/${name}/package.json`);
    this.name = name;
    this.#directory = path.dirname(manifest);
    this.version = (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
  }

  /**
   * The types of a resource by its token, such as `github:index/actionsSecret:ActionsSecret`; nothing where the SDK has no
   * such resource.
   */
  resource(token: string): ResourceTypes | undefined {
    const [owner, module = "", type = ""] = token.split(":");
    if (owner !== this.name || !/^[\w./-]+$/.test(module) || module.includes("..")) return undefined;
    const file = this.#file(module.replace(/^index\//, ""));
    if (file === undefined) return undefined;
    const inputs = this.#declared(file, `${type}Args`);
    const outputs = this.#declared(file, type);
    return inputs === undefined || outputs === undefined ? undefined : { inputs, outputs };
  }

  /** The members of an object inside inputs, by its name in `types/input.d.ts`. */
  object(name: string): Members | undefined {
    return this.#declared("types/input.d.ts", name);
  }

  /** Files are mostly named as tokens are: a few in other cases, and a resource `index` is in `index_.d.ts`. */
  #file(module: string): string | undefined {
    const folder = path.dirname(module);
    const name = path.basename(module).toLowerCase();
    const isNamed = (entry: string) => [`${name}.d.ts`, `${name}_.d.ts`].includes(entry.toLowerCase());
    const files = namesIn(path.join(this.#directory, folder)).filter(isNamed);
    // `index.d.ts` only collects the others.
    const file = files.find((entry) => entry.endsWith("_.d.ts")) ?? files[0];
    return file === undefined ? undefined : path.join(folder, file);
  }

  #declared(file: string, name: string): Members | undefined {
    const key = `${file}#${name}`;
    if (!this.#members.has(key)) {
      const source = this.#text(file);
      this.#members.set(key, source === undefined ? undefined : declaredMembers(source, name));
    }
    return this.#members.get(key);
  }

  #text(file: string): string | undefined {
    if (!this.#texts.has(file)) {
      try {
        this.#texts.set(file, readFileSync(path.join(this.#directory, file), "utf8"));
      } catch {
        this.#texts.set(file, undefined);
      }
    }
    return this.#texts.get(file);
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
