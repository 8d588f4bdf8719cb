import { createHash } from "node:crypto";
import type { Answer, OutputKind } from "./entries.ts";

/** One piece of work of Go's, with all that it leaves in the cache. */
export interface Unit {
  readonly action: string;
  readonly kind: OutputKind;
  /** Actions under which Go keeps what else it learns from the same work: what the compiler printed, which files it read. */
  readonly notes: readonly string[];
}

/** What cmd/go/internal/work keeps beside an action's output. */
const NOTES = ["stdout", "srcfiles", "link-stdout"];

/** The action ID of a note of an action (Subkey in cmd/go/internal/cache/hash.go). */
export function subkey(action: string, description: string): string {
  return createHash("sha256").update("subkey:").update(Buffer.from(action, "hex")).update(description).digest("hex");
}

/** The units of a cache's actions, sorted by action. A note whose work is not there is a unit of its own. */
export function unitsOf(actions: ReadonlyMap<string, Pick<Answer, "kind">>): readonly Unit[] {
  const owned = new Set<string>();
  const notesOf = new Map<string, readonly string[]>();
  for (const [action, { kind }] of actions) {
    if (kind !== "package") continue;
    const notes = NOTES.map((name) => subkey(action, name)).filter((note) => actions.has(note));
    notesOf.set(action, notes);
    for (const note of notes) owned.add(note);
  }
  return [...actions]
    .filter(([action]) => !owned.has(action))
    .map(([action, { kind }]) => ({ action, kind, notes: notesOf.get(action) ?? [] }))
    .sort((a, b) => (a.action < b.action ? -1 : 1));
}
