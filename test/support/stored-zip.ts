import { crc32 } from "node:zlib";

/** A zip of texts by name, stored as they are (APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16). */
export function storedZip(files: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  const listing: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const [title, content] = [Buffer.from(name), Buffer.from(text)];
    // From "version needed" to "extra field length", which both headers have.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(title.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, title, content]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    listing.push(Buffer.concat([Buffer.from("PK\u0001\u0002\u0014\u0000"), common, rest, title]));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(listing);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(listing.length, 4);
  end.writeUInt16LE(listing.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, Buffer.from("PK\u0005\u0006"), end]);
}
