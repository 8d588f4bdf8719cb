import { createHash, type Hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { PassThrough, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack, type Pack } from "tar-stream";
import { StoredGzip } from "./gzip-member.ts";

/** A layer on this machine's disk. */
export interface LayerFile {
  readonly file: string;
  /** `sha256:…` of the compressed bytes, and their count. */
  readonly digest: string;
  readonly size: number;
  /** `sha256:…` of the tar archive inside. */
  readonly diffId: string;
  /** Bytes of the files in it. */
  readonly contentBytes: number;
}

/** Some entries of a layer, one gzip member in its file. */
export interface LayerPart {
  /** Adds the entries, in one order and with fixed times for the same bytes, and returns the bytes of their files. */
  readonly fill: (archive: Pack) => Promise<number>;
  /** Level of gzip; 0 for what is compressed already. */
  readonly level: number;
}

/** Measured on Go archives: level 3 costs half of level 6 for a tenth more bytes. */
const GZIP_LEVEL = 3;

/** Writes a layer's gzipped tar archive, whole or not at all. */
export function writeLayerArchive(file: string, fill: LayerPart["fill"]): Promise<LayerFile> {
  return writeLayerParts(file, [{ fill, level: GZIP_LEVEL }]);
}

/**
 * The same in parts that are compressed differently: one tar archive in several gzip members, which every reader of gzip
 * takes for one stream (RFC 1952, 2.2).
 */
export async function writeLayerParts(file: string, parts: readonly LayerPart[]): Promise<LayerFile> {
  await mkdir(path.dirname(file), { recursive: true });
  const [tarHash, gzipHash] = [createHash("sha256"), createHash("sha256")];
  let [size, contentBytes] = [0, 0];
  try {
    for (const [index, { fill, level }] of parts.entries()) {
      const archive = pack();
      const written = pipeline(
        archive,
        index === parts.length - 1 ? new PassThrough() : withoutEnd(),
        hashing(tarHash),
        level === 0 ? new StoredGzip() : createGzip({ level }),
        hashing(gzipHash, (bytes) => (size += bytes)),
        createWriteStream(`${file}.partial`, { flags: index === 0 ? "w" : "a" }),
      );
      const filled = fill(archive).then((bytes) => {
        contentBytes += bytes;
        archive.finalize();
      });
      await Promise.all([written, filled]).catch(async (error: unknown) => {
        archive.destroy();
        await written.catch(() => undefined);
        throw error;
      });
    }
  } catch (error) {
    await rm(`${file}.partial`, { force: true });
    throw error;
  }
  await rename(`${file}.partial`, file);
  return {
    file,
    digest: `sha256:${gzipHash.digest("hex")}`,
    size,
    diffId: `sha256:${tarHash.digest("hex")}`,
    contentBytes,
  };
}

function hashing(hash: Hash, count?: (bytes: number) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      count?.(chunk.length);
      done(null, chunk);
    },
  });
}

/** The two empty blocks by which an archive ends. */
const END_BYTES = 1024;

/** An archive that another one follows: its end is held back. */
function withoutEnd(): Transform {
  let held = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      held = Buffer.concat([held, chunk]);
      const ready = Math.max(0, held.length - END_BYTES);
      this.push(held.subarray(0, ready));
      held = held.subarray(ready);
      done();
    },
  });
}
