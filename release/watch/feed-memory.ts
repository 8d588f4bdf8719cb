import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { writeWhole } from "../../execution/whole-file.ts";
import type { FeedMemory, KeptDocument } from "./feed-client.ts";

/** Documents kept in a folder, a file each. One that cannot be read or written is as one that is not there. */
export function folderMemory(folder: string): FeedMemory {
  const fileOf = (address: string) =>
    path.join(folder, `${createHash("sha256").update(address).digest("hex").slice(0, 32)}.json`);
  return {
    async read(address) {
      try {
        const kept = JSON.parse(await readFile(fileOf(address), "utf8")) as KeptDocument & { address: string };
        return kept.address === address && typeof kept.etag === "string" ? kept : undefined;
      } catch {
        return undefined;
      }
    },
    async write(address, kept) {
      await writeWhole(fileOf(address), JSON.stringify({ address, ...kept })).catch(() => undefined);
    },
  };
}

/** Documents kept while the process runs. */
export function shortMemory(): FeedMemory {
  const kept = new Map<string, KeptDocument>();
  return {
    read: (address) => Promise.resolve(kept.get(address)),
    write(address, document) {
      kept.set(address, document);
      return Promise.resolve();
    },
  };
}
