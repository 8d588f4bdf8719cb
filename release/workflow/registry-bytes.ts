import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { Places } from "../../toolchain/places.ts";
import { bytesByJob, parseAccessLog, uploadedDigest, type Window } from "./access-log.ts";

/**
 * Bytes that jobs moved to and from the loopback registry of this checkout, by its access log and the sizes of its blobs;
 * undefined where it has written no access log in that time.
 */
export async function readRegistryBytes(places: Places, windows: readonly Window[]) {
  const home = path.join(places.state, "registry");
  const text = await readFile(path.join(home, "registry.log"), "utf8").catch(() => "");
  const begin = Math.min(...windows.map(({ startedAt }) => startedAt)) - 1000;
  const log = parseAccessLog(text).filter(({ at }) => at >= begin);
  if (log.length === 0) return undefined;
  const sizes = new Map<string, number>();
  for (const access of log) {
    const digest = uploadedDigest(access);
    if (digest !== undefined) sizes.set(digest, await blobSize(home, digest));
  }
  return bytesByJob(log, windows, (digest) => sizes.get(digest) ?? 0);
}

/** Where the registry's file-system driver keeps a blob. */
async function blobSize(home: string, digest: string): Promise<number> {
  const [algorithm = "", hex = ""] = digest.split(":");
  const blobs = path.join(home, "data/docker/registry/v2/blobs");
  const found = await stat(path.join(blobs, algorithm, hex.slice(0, 2), hex, "data")).catch(() => undefined);
  return found?.size ?? 0;
}
