import { KilnError } from "../../errors.ts";
import { expressionsIn } from "./expression.ts";

/**
 * A map of a workflow file, read key by key. What nobody has asked for is refused by `end`: a key that kiln does not
 * understand would otherwise do something on GitHub and nothing here.
 */
export class Fields {
  /** Such as `.github/workflows/image.yml: jobs.warm.steps[2] (Warm)`. */
  readonly where: string;
  readonly #map: Readonly<Record<string, unknown>>;
  readonly #asked = new Set<string>();

  constructor(value: unknown, where: string) {
    this.where = where;
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.fault("is no map of keys");
    this.#map = value as Readonly<Record<string, unknown>>;
  }

  get names(): readonly string[] {
    return Object.keys(this.#map);
  }

  has(name: string): boolean {
    this.#asked.add(name);
    return Object.hasOwn(this.#map, name) && this.#map[name] !== null;
  }

  raw(name: string): unknown {
    return this.has(name) ? this.#map[name] : undefined;
  }

  /** A text as it stands, with its expressions read; numbers and truth values become text, as GitHub does it. */
  text(name: string): string | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : this.#scalar(name, value);
  }

  needed(name: string): string {
    const text = this.text(name);
    if (text === undefined || text === "") throw this.fault(`has no ${name}`);
    return text;
  }

  /** A condition, which may stand without `${{ }}`. */
  condition(name: string): string | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const text = typeof value === "boolean" ? String(value) : value;
    if (typeof text !== "string") throw this.fault("is no condition", name);
    this.#checked(name, () => expressionsIn(text, true));
    return text;
  }

  /** A map of texts; empty where there is none. */
  texts(name: string): Readonly<Record<string, string>> {
    if (!this.has(name)) return {};
    const below = this.below(name);
    return Object.fromEntries(below.names.map((key) => [key, below.text(key) ?? ""]));
  }

  /** One text or a list of them. */
  list(name: string): readonly string[] {
    const value = this.raw(name);
    if (value === undefined) return [];
    return (Array.isArray(value) ? value : [value]).map((one: unknown, index) =>
      this.#scalar(`${name}[${index}]`, one),
    );
  }

  below(name: string): Fields {
    return new Fields(this.raw(name) ?? {}, this.at(name));
  }

  /** Reads the value of a text with its expressions, wherever in a tree it stands, and leaves the tree as it is. */
  tree(name: string): unknown {
    const visit = (value: unknown, at: string): void => {
      if (typeof value === "string") this.#checked(at, () => expressionsIn(value));
      else if (typeof value === "object" && value !== null) {
        for (const [key, one] of Object.entries(value)) visit(one, `${at}.${key}`);
      }
    };
    const value = this.raw(name);
    visit(value, name);
    return value;
  }

  /** Marks keys as understood that change nothing on this machine. */
  understood(...names: readonly string[]): void {
    for (const name of names) this.#asked.add(name);
  }

  /** Refuses what was not asked for. */
  end(): void {
    const stray = this.names.find((name) => !this.#asked.has(name));
    if (stray === undefined) return;
    throw this.fault("is not understood", stray, `kiln knows ${[...this.#asked].sort().join(", ")} there.`);
  }

  at(name: string): string {
    return `${this.where}${this.where.endsWith(":") ? " " : "."}${name}`;
  }

  fault(
    what: string,
    name?: string,
    mend = 'Mend the workflow file; GitHub\'s "Workflow syntax" says what it takes.',
  ): KilnError {
    return new KilnError("usage", `${name === undefined ? this.where : this.at(name)} ${what}`, { mend });
  }

  #scalar(name: string, value: unknown): string {
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
      throw this.fault("is no text", name);
    }
    this.#checked(name, () => expressionsIn(String(value)));
    return String(value);
  }

  #checked(name: string, read: () => unknown): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof KilnError)) throw error;
      throw new KilnError("usage", `${this.at(name)}: ${error.message}`, { ...(error.mend && { mend: error.mend }) });
    }
  }
}
