import { stackFile } from "../settings.ts";
import { isLocalStack } from "../toolchain/local-stacks.ts";

/** One file that differs between two commits. A rename has both names. */
export interface ChangedFile {
  readonly path: string;
  /** The name that it had before, where that was another. */
  readonly before?: string;
  readonly deleted: boolean;
}

/** A stack that has a file in stacks/. */
export interface KnownStack {
  readonly name: string;
  /**
   * The folders that its own docker builds see, beside those of every stack: any file there may change what is built. An empty
   * one is the whole checkout, as a standalone image has it.
   */
  readonly contexts: readonly string[];
}

export interface TouchedStack {
  readonly stack: string;
  /** One sentence for a person: the file that touches it, and why. */
  readonly reason: string;
}

export interface Touched {
  readonly stacks: readonly TouchedStack[];
  /** Stacks whose file is gone: nothing can be previewed, and their resources may be there still. */
  readonly deleted: readonly string[];
}

/** Why a change of these files, or of anything in these folders, may change what a stack's program does. */
const PROGRAM: Readonly<Record<string, readonly string[]>> = {
  // What index.ts imports: a unit test compares this table with the imports. `components/` and such count as a whole.
  "is part of the program": [
    ...["index.ts", "settings.ts", "errors.ts", "progress.ts", "components/", "runners/", "settings/"],
    ...["cache/contract.ts", "cache/document.ts", "cache/lanes.ts", "cache/program-delivery.ts"],
    ...["cache/store-layout.ts", "registry/client.ts", "registry/compose.ts", "registry/image-reference.ts"],
    ...[
      "execution/job/image-versions.ts",
      "execution/language/build-plan.ts",
      "execution/language/catalogue-reading.ts",
    ],
    ...["execution/language/catalogue.ts", "execution/language/pulumi-release.ts"],
    ...["registry/public-ecr.ts", "registry/repository-names.ts", "release/publisher.ts", "release/runner-catalog.ts"],
    ...["release/runner-image.ts", "release/runner-registries.ts", "release/tag-rules.ts", "release/version.ts"],
    ...["release/watch/policy.ts", "release/watch/source.ts", "release/watch/version-range.ts"],
    ...["toolchain/build-from-proxy.ts", "toolchain/line-reader.ts"],
    ...["toolchain/download.ts", "toolchain/executables.ts", "toolchain/go-toolchain.ts", "toolchain/lock.ts"],
    ...["toolchain/network.mjs", "toolchain/pins.json", "toolchain/pins.ts", "toolchain/places.ts"],
    ...["toolchain/platforms.ts", "toolchain/process.ts", "toolchain/resolve.ts", "toolchain/unzip.ts"],
  ],
  "is what an image of every stack is built from": ["images/actions-runner/", "images/iac-runner/"],
  "is what the program reads": [
    ...["images/job-runner/versions.json", "images/pulumi-runner/languages.json"],
    ...["images/pulumi-runner/registries.json", "images/pulumi-runner/watch.yaml"],
  ],
  "is what the program is run with": [
    ...["Pulumi.yaml", "package.json", "package-lock.json", "tsconfig.json", ".nvmrc"],
    ".github/workflows/preview.yml",
  ],
};

/**
 * What no stack's program reads; some of it a bake does, whose result is a digest in the stack's own file. A file that stands in
 * neither table touches every stack: better once too often.
 */
const UNRELATED: readonly string[] = [
  ...[".ci/", ".github/", "bench/", "cache/", "cli/", "docs/", "examples/", "execution/", "registry/", "release/"],
  ...["test/", "toolchain/", "images/iac-module/", "images/job-runner/", "images/programs/", "images/pulumi-runner/"],
  ...["images/release-watcher/", "renovate.json"],
  ...["stacks/plugins.lock.json", ".editorconfig", ".gitignore", ".prettierignore", ".prettierrc.json"],
  ...["LICENSE", "Makefile", "eslint.config.js", "vitest.config.ts"],
];

/**
 * The stacks that a change may touch, each with the reason, and those whose file it deletes. `local` and its like are this machine's
 * and never among them. With `follow`, only those stacks count what they share: every other counts for its own file alone. Pure.
 */
export function touchedStacks(
  changes: readonly ChangedFile[],
  stacks: readonly KnownStack[],
  { follow }: { readonly follow?: readonly string[] } = {},
): Touched {
  const names = changes.flatMap(({ path, before }) => (before === undefined ? [path] : [path, before]));
  const shared = names.flatMap((name) => {
    const why = reasonOf(name);
    return why === undefined ? [] : [`${name} ${why}`];
  });
  const touched = stacks.flatMap(({ name: stack, contexts }): TouchedStack[] => {
    if (isLocalStack(stack)) return [];
    const own = names.filter((name) => name === stackFile(stack)).map((name) => `${name} is its own file`);
    const alone = follow !== undefined && !follow.includes(stack);
    const context = names
      .filter((name) => contexts.some((folder) => name.startsWith(folder)))
      .map((name) => `${name} is in the context of its docker build`);
    const [reason, ...others] = alone ? own : [...own, ...shared, ...context];
    if (reason === undefined) return [];
    // A file may be there for two reasons: files are counted, not reasons.
    const more = new Set(others.map(fileIn).filter((file) => file !== fileIn(reason))).size;
    return [{ stack, reason: more === 0 ? reason : `${reason}, and ${more} more` }];
  });
  return { stacks: touched, deleted: deletedStacks(changes, stacks) };
}

const fileIn = (reason: string) => reason.slice(0, reason.indexOf(" is "));

function deletedStacks(changes: readonly ChangedFile[], stacks: readonly KnownStack[]): readonly string[] {
  const gone = changes.flatMap(({ path, before, deleted }) => (deleted ? [path] : (before ?? [])));
  const names = gone.flatMap((path) => /^stacks\/Pulumi\.([\w-]+)\.yaml$/.exec(path)?.[1] ?? []);
  return names.filter((name) => !isLocalStack(name) && !stacks.some((stack) => stack.name === name)).sort();
}

/** Why a file touches every stack; nothing where it touches none, or one alone. */
function reasonOf(file: string): string | undefined {
  if (file.endsWith(".md") || /^stacks\/Pulumi\.[\w-]+\.yaml$/.test(file)) return undefined;
  for (const [why, places] of Object.entries(PROGRAM)) {
    if (isAmong(file, places)) return why;
  }
  return isAmong(file, UNRELATED) ? undefined : "is known to no rule";
}

function isAmong(file: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith("/") ? file.startsWith(place) : file === place));
}

/** The files and folders that the rules take for the program's own code. */
export const PROGRAM_PLACES: readonly string[] = PROGRAM["is part of the program"] ?? [];
