import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseAllDocuments } from "yaml";
import type { RecordedResource } from "./mocks.ts";

/**
 * Comparing our Kubernetes objects with what the official charts render:
 *
 *     const theirs = readGolden("controller.rendered.yaml");       // undefined, and a printed line, where it is missing
 *     it.skipIf(theirs === undefined)("…", () => {
 *       expectGolden(manifestsOf(recorded), theirs ?? [], { 'Role/x: metadata.labels["helm.sh/chart"]': "no Helm here" });
 *     });
 */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** One place where two objects differ. A side that has nothing there is undefined. */
export interface Difference {
  /** As in `Role/x: rules[/pods].verbs[get]`: quoted brackets hold a key of a map, the others what names a list's entry. */
  readonly path: string;
  readonly ours: unknown;
  readonly theirs: unknown;
}

/** Paths, in which `*` stands for any text, each with the reason why we differ there. */
export type AllowedDifferences = Readonly<Record<string, string>>;

export interface CompareOptions {
  /** `Kind/name` of theirs to the name that ours has. Names inside the objects are compared as they are. */
  readonly renames?: Readonly<Record<string, string>>;
}

const PROJECT = path.join(import.meta.dirname, "../..");

/** Where renderings stand: those of this project, then those that are handed around beside the checkout. */
const FOLDERS = ["test/fixtures/arc-0.14.2", "../shared/golden/arc-0.14.2"];

/** The file of that name among the golden files, or undefined and a printed line where this machine has none. */
export function goldenFile(name: string): string | undefined {
  const file = FOLDERS.map((folder) => path.join(PROJECT, folder, name)).find((candidate) => existsSync(candidate));
  if (file === undefined) console.warn(`skipped: ${name} is in none of ${FOLDERS.join(", ")}`);
  return file;
}

/** The folders of golden files that this machine lacks, each with a printed line: what is in them is compared nowhere here. */
export function missingGoldenFolders(): readonly string[] {
  const missing = FOLDERS.filter((folder) => !existsSync(path.join(PROJECT, folder)));
  for (const folder of missing) console.warn(`skipped: whether every golden file is there, because ${folder} is not`);
  return missing;
}

/** The objects of a rendering, or undefined and a printed line where this machine has none. */
export function readGolden(name: string): readonly Manifest[] | undefined {
  const file = goldenFile(name);
  if (file === undefined) return undefined;
  const documents = parseAllDocuments(readFileSync(file, "utf8"));
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => document.toJS() as Manifest | null).filter((object) => object !== null);
}

/** The Kubernetes objects among the resources that a program registered. */
export function manifestsOf(recorded: readonly RecordedResource[]): readonly Manifest[] {
  return recorded
    .filter(({ type }) => type.startsWith("kubernetes:"))
    .map(({ inputs }) => inputs as unknown as Manifest);
}

/**
 * Every difference between two sets of objects, matched by kind, namespace and name. A null counts as nothing, as it does
 * for an API server. Entries of lists are matched by what names them, so that one more entry is one difference.
 */
export function differences(
  ours: readonly Manifest[],
  theirs: readonly Manifest[],
  { renames = {} }: CompareOptions = {},
): readonly Difference[] {
  const ourNameOf = ({ kind, metadata }: Manifest) => renames[`${kind}/${metadata.name}`] ?? metadata.name;
  const our = keyed(ours, (object) => identity(object, object.metadata.name));
  const their = keyed(theirs, (object) => identity(object, ourNameOf(object)));
  return unionOf(our, their).flatMap((key) => {
    const [mine, other] = [our.get(key), their.get(key)];
    const object = mine ?? other;
    if (object === undefined) return [];
    const title = `${object.kind}/${mine === undefined ? object.metadata.name : mine.metadata.name}`;
    if (mine === undefined || other === undefined) return [{ path: title, ours: mine, theirs: other }];
    return within(`${title}: `, mine, other);
  });
}

/**
 * Throws where a difference is not in the table, and where an entry of the table is no difference (any more): what is
 * tolerated is exactly what there is.
 */
export function expectGolden(
  ours: readonly Manifest[],
  theirs: readonly Manifest[],
  allowed: AllowedDifferences,
  options: CompareOptions = {},
): void {
  const found = differences(ours, theirs, options);
  const entries = Object.keys(allowed).map((pattern) => ({ pattern, matches: matcherOf(pattern) }));
  const unlisted = found.filter(({ path: at }) => !entries.some(({ matches }) => matches(at)));
  const unused = entries.filter(({ matches }) => !found.some(({ path: at }) => matches(at)));
  if (unlisted.length + unused.length === 0) return;
  throw new Error(
    [
      ...unlisted.map((difference) => `not in the table: ${shown(difference)}`),
      ...unused.map(({ pattern }) => `in the table, but no difference: ${pattern}`),
    ].join("\n"),
  );
}

/** The differences and their reasons, as a table for people. */
export function explained(found: readonly Difference[], allowed: AllowedDifferences): readonly string[] {
  const entries = Object.entries(allowed).map(([pattern, reason]) => ({ matches: matcherOf(pattern), reason }));
  return found.map(
    (difference) => `${shown(difference)} | ${entries.find(({ matches }) => matches(difference.path))?.reason ?? "?"}`,
  );
}

function shown({ path: at, ours, theirs }: Difference): string {
  const side = (value: unknown) => (value === undefined ? "-" : JSON.stringify(value));
  return `${at} | ours ${side(ours)} | theirs ${side(theirs)}`;
}

function matcherOf(pattern: string): (at: string) => boolean {
  const literal = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  const expression = new RegExp(`^${literal.join(".*")}$`, "s");
  return (at) => expression.test(at);
}

function identity({ kind, metadata }: Manifest, name: string): string {
  return [kind, metadata.namespace ?? "", name].join("/");
}

function keyed<T>(entries: readonly T[], keyOf: (entry: T) => string): Map<string, T> {
  const map = new Map<string, T>();
  for (const entry of entries) {
    const key = keyOf(entry);
    if (map.has(key)) throw new Error(`two objects are ${key}`);
    map.set(key, entry);
  }
  return map;
}

/** The differences below one place, of which both sides have something unless the place itself is one. */
function within(at: string, ours: unknown, theirs: unknown): readonly Difference[] {
  const [mine, other] = [ours ?? undefined, theirs ?? undefined];
  if (isMap(mine) && isMap(other)) {
    return unionOf(mine, other).flatMap((key) => within(at + memberPath(at, key), mine[key], other[key]));
  }
  if (Array.isArray(mine) && Array.isArray(other)) return withinLists(at, mine, other);
  return mine === other ? [] : [{ path: at, ours: mine, theirs: other }];
}

function withinLists(at: string, ours: readonly unknown[], theirs: readonly unknown[]): readonly Difference[] {
  const naming = NAMINGS.find((nameOf) => [ours, theirs].every((list) => namesUniquely(list, nameOf)));
  const keyOf = naming ?? ((_: unknown, index: number) => String(index));
  const our = new Map(ours.map((entry, index) => [String(keyOf(entry, index)), entry]));
  const their = new Map(theirs.map((entry, index) => [String(keyOf(entry, index)), entry]));
  const shared = [...our.keys()].filter((key) => their.has(key));
  const theirOrder = [...their.keys()].filter((key) => our.has(key));
  const moved = shared.join("\n") !== theirOrder.join("\n");
  return [
    ...unionOf(our, their).flatMap((key) => within(`${at}[${key}]`, our.get(key), their.get(key))),
    ...(moved ? [{ path: `${at} (order)`, ours: shared, theirs: theirOrder }] : []),
  ];
}

/** What may name the entries of a list, the most telling first: mounts by path, rules by resource, scalars by themselves. */
const NAMINGS: readonly ((entry: unknown, index: number) => string | undefined)[] = [
  (entry) => textIn(entry, "mountPath"),
  (entry) => textIn(entry, "name"),
  (entry) =>
    isMap(entry) && "resources" in entry ? `${listed(entry.apiGroups)}/${listed(entry.resources)}` : undefined,
  (entry) => (isMap(entry) || Array.isArray(entry) ? undefined : String(entry)),
];

function namesUniquely(list: readonly unknown[], nameOf: (entry: unknown, index: number) => string | undefined) {
  const names = list.map(nameOf);
  return names.every((name) => name !== undefined) && new Set(names).size === names.length;
}

function textIn(entry: unknown, key: string): string | undefined {
  const value = isMap(entry) ? entry[key] : undefined;
  return typeof value === "string" ? value : undefined;
}

function listed(value: unknown): string {
  return Array.isArray(value) ? value.join(",") : "";
}

function memberPath(at: string, key: string): string {
  if (!/^[A-Za-z_]\w*$/.test(key)) return `["${key}"]`;
  return at.endsWith(": ") ? key : `.${key}`;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unionOf(ours: object, theirs: object): readonly string[] {
  const keysOf = (side: object) => (side instanceof Map ? [...(side.keys() as Iterable<string>)] : Object.keys(side));
  return [...new Set([...keysOf(ours), ...keysOf(theirs)])];
}
