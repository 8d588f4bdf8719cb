import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { writeWhole } from "../../execution/whole-file.ts";
import type { FeedMemory, KeptDocument } from "./feed-client.ts";

/** What this version of kiln keeps: documents that another one digested otherwise are asked for again. */
const FORMAT = "2";

/** Documents kept in a folder, a file each. One that is damaged, or cannot be read or written, is as one that is not there. */
export function folderMemory(folder: string): FeedMemory {
  const fileOf = (address: string) => path.join(folder, `${sha256(address).slice(0, 32)}.json`);
  return {
    async read(address) {
      try {
        const { sum, kept } = JSON.parse(await readFile(fileOf(address), "utf8")) as { sum: unknown; kept: string };
        return sum === sumOf(address, kept) ? (JSON.parse(kept) as KeptDocument) : undefined;
      } catch {
        return undefined;
      }
    },
    async write(address, document) {
      const kept = JSON.stringify(document);
      await writeWhole(fileOf(address), JSON.stringify({ sum: sumOf(address, kept), kept })).catch(() => undefined);
    },
  };
}

function sumOf(address: string, kept: string): string {
  return sha256(`${FORMAT}\n${address}\n${kept}`);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
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
