import { Transform, type TransformCallback } from "node:stream";
import { crc32 } from "node:zlib";

/** The most that one stored block of DEFLATE holds (RFC 1951, 3.2.4). */
const BLOCK_BYTES = 65_535;

/** No name, no time, of no particular system (RFC 1952). */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/**
 * A gzip member that stores its bytes as they are: for what is compressed already. Its blocks do not depend on how the
 * bytes arrive, as those of zlib's level 0 do, so equal bytes give equal members.
 */
export class StoredGzip extends Transform {
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #filled = 0;
  #checksum = 0;
  #size = 0;

  constructor() {
    super();
    this.push(HEADER);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#checksum = crc32(chunk, this.#checksum);
    this.#size += chunk.length;
    for (let at = 0; at < chunk.length;) {
      if (this.#filled === BLOCK_BYTES) this.#pushBlock(false);
      const copied = chunk.copy(this.#block, this.#filled, at);
      this.#filled += copied;
      at += copied;
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#pushBlock(true);
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.#checksum, 0);
    trailer.writeUInt32LE(this.#size % 2 ** 32, 4);
    this.push(trailer);
    done();
  }

  #pushBlock(last: boolean): void {
    const head = Buffer.from([last ? 1 : 0, 0, 0, 0, 0]);
    head.writeUInt16LE(this.#filled, 1);
    head.writeUInt16LE(BLOCK_BYTES - this.#filled, 3);
    this.push(head);
    this.push(Buffer.from(this.#block.subarray(0, this.#filled)));
    this.#filled = 0;
  }
}
