import { isMap } from "../cache/document.ts";
import { OCI, pushDocument, pushManifest, readBlobText, type RegistryClient } from "../registry/client.ts";
import { deleteManifest } from "../registry/delete-manifest.ts";
import { readStoredManifest } from "../registry/stored-manifest.ts";
import { NOTE_TAG } from "./registry-tag.ts";

/** Since when manifests of a repository are seen unused: digests with milliseconds since 1970. */
export type UnusedSince = ReadonlyMap<string, number>;

const ARTIFACT_TYPE = "application/vnd.kiln.unused-since.v1+json";

/** Those that are unused still, with the older time; new ones with `now`. What is used again has no time any more. Pure. */
export function unusedSince(before: UnusedSince, unused: readonly string[], now: number): UnusedSince {
  // A clock that was wrong once must not keep something for ever, nor let it go at once.
  return new Map(unused.map((digest) => [digest, Math.min(before.get(digest) ?? now, now)]));
}

/**
 * Reads the note of a repository. Registries do not tell when something was pushed, and dates inside of images are those of
 * their contents: so kiln counts from when it first sees that nothing names it. None where there is no note that it can read.
 */
export async function readUnusedSince(client: RegistryClient, repository: string): Promise<UnusedSince> {
  const note = await readStoredManifest(client, { repository, tag: NOTE_TAG });
  const [document] = note?.layers ?? [];
  return document === undefined ? new Map() : parsedNote(await readBlobText(client, repository, document));
}

/** Writes the note of a repository, and removes the one before; leaves no note where there is nothing to say. */
export async function writeUnusedSince(client: RegistryClient, repository: string, since: UnusedSince): Promise<void> {
  const before = await readStoredManifest(client, { repository, tag: NOTE_TAG });
  const unused = Object.fromEntries([...since].map(([digest, at]) => [digest, new Date(at).toISOString()]));
  const written = since.size === 0 ? undefined : await pushNote(client, repository, { version: 1, unused });
  if (before === undefined || before.digest === written) return;
  await deleteManifest(client, before, written === undefined ? [NOTE_TAG] : []);
}

async function pushNote(client: RegistryClient, repository: string, note: unknown): Promise<string> {
  const config = await pushDocument(client, repository, OCI.empty, "{}");
  const layers = [await pushDocument(client, repository, ARTIFACT_TYPE, JSON.stringify(note))];
  const manifest = { schemaVersion: 2, mediaType: OCI.manifest, artifactType: ARTIFACT_TYPE, config, layers } as const;
  return pushManifest(client, { repository, tag: NOTE_TAG }, manifest);
}

/** What a note says; nothing of what it says wrong, so that its time begins anew. */
export function parsedNote(text: string): UnusedSince {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return new Map();
  }
  const unused = isMap(found) ? found.unused : undefined;
  if (!isMap(unused)) return new Map();
  const times = Object.entries(unused).map(([digest, at]) => [digest, Date.parse(String(at))] as const);
  return new Map(times.filter(([, at]) => !Number.isNaN(at)));
}
