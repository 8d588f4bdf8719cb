/** What of a go.mod or go.work enters compile actions besides the versions that it asks for. */
export interface GoFile {
  /** The language version of its `go` line, without a patch level, which the compiler is not told. */
  readonly go?: string;
  /** Its `godebug` settings, which enter the main package. Sorted. */
  readonly godebug?: readonly string[];
}

/** What one program was built from. */
export interface ProgramInputs {
  /** The go.mod files of the repository's own packages in it, and the go.work above them. Sorted. */
  readonly goFiles: readonly string[];
  /** Directories of the repository's own packages, each after what it imports. */
  readonly packages: readonly string[];
  /** By module path, the version that is compiled: `v1.2.3`, or what takes its place: `=> ../local`, `=> fork@v1.2.3`. */
  readonly modules: Readonly<Record<string, string>>;
}

/**
 * What programs were built from, as far as it can differ later and is not in the contract. Paths are relative to the
 * source. What programs share is written once.
 */
export interface BuildInputs {
  readonly programs: Readonly<Record<string, ProgramInputs>>;
  readonly goFiles: Readonly<Record<string, GoFile>>;
  /** Of each of the repository's own packages the SHA-256 of every file that the compiler reads, by name. */
  readonly packages: Readonly<Record<string, PackageFiles>>;
}

export type PackageFiles = Readonly<Record<string, string>>;

/** The name under which a vendored package, which nobody edits file by file, has one digest of all its files. */
export const WHOLE_PACKAGE = ".";

/** All inputs in one, keys in order. Where two name the same thing, the later one counts. */
export function uniteInputs(all: readonly BuildInputs[]): BuildInputs {
  const unite = <T>(pick: (inputs: BuildInputs) => Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    sorted(Object.fromEntries(all.flatMap((inputs) => Object.entries(pick(inputs)))));
  return {
    programs: unite((inputs) => inputs.programs),
    goFiles: unite((inputs) => inputs.goFiles),
    packages: unite((inputs) => inputs.packages),
  };
}

/** A record with its keys in order, so that equal content is equal JSON. */
export function sorted<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Where a warm image says what it was warmed from: `<provider>.json`, each in its provider's own layer. */
export const INPUTS_FOLDER = "/usr/local/share/kiln/inputs";

/** What one provider's programs were built from, as its layer carries it: one line of JSON. */
export function inputsLine(provider: string, inputs: BuildInputs): string {
  return `${JSON.stringify({ version: 1, provider, ...inputs })}\n`;
}

/** By provider, what an image's files say that it was warmed from. Lines that are none of kiln's are passed over. */
export function parseInputsLines(text: string): Readonly<Record<string, BuildInputs>> {
  const found: Record<string, BuildInputs> = {};
  for (const line of text.split("\n")) {
    if (!line.startsWith('{"version":1,"provider":')) continue;
    const { provider, ...inputs } = parsedLine(line);
    if (typeof provider !== "string" || inputsFault({ [provider]: inputs }) !== undefined) continue;
    const { programs, goFiles, packages } = inputs as unknown as BuildInputs;
    found[provider] = { programs, goFiles, packages };
  }
  return found;
}

function parsedLine(line: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

/** The inputs of shards in one, by provider; undefined where no shard has any. */
export function mergeInputs(
  shards: readonly (Readonly<Record<string, BuildInputs>> | undefined)[],
): Readonly<Record<string, BuildInputs>> | undefined {
  const entries = shards.flatMap((shard) => Object.entries(shard ?? {}));
  if (shards.every((shard) => shard === undefined)) return undefined;
  const byProvider = Map.groupBy(entries, ([provider]) => provider);
  return sorted(
    Object.fromEntries(
      [...byProvider].map(([provider, parts]) => [provider, uniteInputs(parts.map(([, inputs]) => inputs))]),
    ),
  );
}

/** What is wrong with recorded inputs, or undefined. A provider's name becomes a file's name in a layer. */
export function inputsFault(inputs: unknown): string | undefined {
  if (inputs === undefined) return undefined;
  if (typeof inputs !== "object" || inputs === null) return "its inputs are none";
  for (const [provider, recorded] of Object.entries(inputs)) {
    if (provider.includes("/") || provider.includes("\0")) return `"${provider}" cannot be a provider's name`;
    const { programs, goFiles, packages } = (recorded ?? {}) as Partial<BuildInputs>;
    if ([programs, goFiles, packages].some((part) => typeof part !== "object"))
      return `its inputs of ${provider} are none`;
  }
  return undefined;
}
