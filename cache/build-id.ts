import { open } from "node:fs/promises";

/** Go looks for the note no further into a file than this (readELF in cmd/internal/buildid). */
const HEAD_BYTES = 32 * 1024;

/**
 * The build ID in the head of a little-endian ELF file, such as `action/main action/main content/content` of a program;
 * undefined where it has none. It is the text of an ELF note of the owner `Go` and type 4.
 */
export function buildIdOf(head: Buffer): string | undefined {
  for (let at = head.indexOf(OWNER); at >= 0; at = head.indexOf(OWNER, at + 1)) {
    if (at < 12 || head.readUInt32LE(at - 12) !== OWNER.length || head.readUInt32LE(at - 4) !== NOTE_TYPE) continue;
    const size = head.readUInt32LE(at - 8);
    const text = head.subarray(at + OWNER.length, at + OWNER.length + size);
    if (size > 0 && text.length === size) return text.toString("latin1");
  }
  return undefined;
}

const OWNER = Buffer.from("Go\0\0");
const NOTE_TYPE = 4;

/** Reads the build ID of a program. */
export async function readBuildId(file: string): Promise<string | undefined> {
  const opened = await open(file);
  try {
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buildIdOf(buffer.subarray(0, bytesRead));
  } finally {
    await opened.close();
  }
}

/** How a build ID spells an action: the first 120 bits of its hash in base64 (HashToString in cmd/internal/buildid). */
export function actionText(action: string): string {
  return Buffer.from(action, "hex").subarray(0, 15).toString("base64url");
}
