import { describe, expect, it } from "vitest";
import { AGE_DAYS, agedHeader, agedTrim } from "../../../bench/aged-image.ts";

const AGE = AGE_DAYS * 24 * 3600;

describe("agedHeader", () => {
  it("dates an entry back, and leaves the rest of it", () => {
    const header = { name: "go-build/aa", size: 3, mode: 0o644, mtime: new Date(1_700_000_000_000) };
    expect(agedHeader(header)).toEqual({
      ...{ name: "go-build/aa", size: 3, mode: 0o644, mtime: new Date(0) },
      pax: { mtime: String(1_700_000_000 - AGE) },
    });
  });

  it("goes by the extended time, which reaches beyond 2038, and keeps other extended fields", () => {
    const pax = { mtime: "4102444800.5", atime: "1", "SCHILY.xattr.user.a": "b" };
    expect(agedHeader({ name: "x", mtime: new Date(0), pax })).toMatchObject({
      pax: { mtime: String(4_102_444_800.5 - AGE), "SCHILY.xattr.user.a": "b" },
    });
    expect(agedHeader({ name: "x", pax })).not.toHaveProperty("pax.atime");
  });

  it("knows no time before 1970", () => {
    expect(agedHeader({ name: "x", mtime: new Date(1000) })).toMatchObject({ pax: { mtime: "0" } });
  });
});

describe("agedTrim", () => {
  it("dates the day of the last trimming back, and leaves what is no time", () => {
    expect(agedTrim("1700000000\n")).toBe(String(1_700_000_000 - AGE));
    expect(agedTrim("")).toBe("");
    expect(agedTrim("never")).toBe("never");
  });
});
