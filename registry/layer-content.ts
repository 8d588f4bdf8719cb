import { createReadStream } from "node:fs";
import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";

/** Writes a layer's file, unpacked as its media type says, into an archive's reader. */
export function readLayerInto(file: string, mediaType: string, archive: NodeJS.WritableStream): Promise<void> {
  const compressed = createReadStream(file, { highWaterMark: 1 << 20 });
  const decompress = decompressor(mediaType);
  return decompress ? pipeline(compressed, decompress, archive) : pipeline(compressed, archive);
}

function decompressor(mediaType: string): Transform | undefined {
  if (mediaType.endsWith("gzip")) return createGunzip();
  return mediaType.endsWith("zstd") ? createZstdDecompress() : undefined;
}
