import { usedUntil } from "../cache/used-tag.ts";
import { isReleasedTag } from "./tags.ts";

/** What a tag of a repository is to kiln. `foreign` is every tag that kiln does not set: it belongs to somebody else. */
export type RegistryTag =
  | { readonly kind: "release" | "layer" | "base" | "build" | "used" | "note" | "foreign" }
  /** Attached to a manifest: the fallback tag of its referrers, or a tag by which older tools attach (`sha256-….sig`). */
  | { readonly kind: "attached"; readonly subject: string };

/** The tag of the note in which kiln keeps since when it sees what nothing names (release/unused-since.ts). */
export const NOTE_TAG = "kiln-unused-since";

/** Tags that mean something by themselves, by the code that sets them; the rest of kiln's follow what they point to. */
const LAYER = /^layer-[a-z0-9.-]*-[0-9a-f]{32}$/;
const BASE = /^base-[0-9a-f]{16}$/;
const BUILD = /^(?:inputs-|promoted-|(?:verified|shard)-[a-z0-9.-]*-)[0-9a-f]{32}$/;
const ATTACHED = /^sha256-([0-9a-f]{64})(?:\.[\w.-]+)?$/;

/** Takes a tag of a repository of kiln's for what it is. Pure. */
export function registryTag(tag: string): RegistryTag {
  const [, subject] = ATTACHED.exec(tag) ?? [];
  if (subject !== undefined) return { kind: "attached", subject: `sha256:${subject}` };
  if (isReleasedTag(tag)) return { kind: "release" };
  if (tag === NOTE_TAG) return { kind: "note" };
  if (usedUntil(tag) !== undefined) return { kind: "used" };
  if (LAYER.test(tag)) return { kind: "layer" };
  if (BASE.test(tag)) return { kind: "base" };
  return { kind: BUILD.test(tag) ? "build" : "foreign" };
}
