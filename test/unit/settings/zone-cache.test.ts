import { describe, expect, it } from "vitest";
import { cacheOf } from "../../../settings/zone-cache.ts";

const cache = (value: unknown) => cacheOf({ file: "f", key: "kiln:z.cache", value });

describe("a zone's cache", () => {
  it("is none where nothing is said", () => {
    expect(cache(undefined)).toBeUndefined();
  });

  it("is one of lanes, which its plan completes", () => {
    const given = Object.fromEntries(Object.entries(cache({}) ?? {}).filter(([, value]) => value !== undefined));
    expect(given).toEqual({ at: "f: kiln:z.cache", mode: "lane", retention: "delete", protect: false });
  });

  it("says what its plan asks for", () => {
    const all = {
      ...{ mode: "split", size: "50Gi", storageClass: "fast", accessMode: "ReadWriteOnce", lanes: 2, node: "n1" },
      ...{ localPath: "/srv", snapshot: "s", sourceClaim: "c", buildCacheSize: "20Gi", goProxy: "https://proxy" },
      moduleCache: { storageClass: "nfs", size: "50Gi", accessMode: "ReadWriteMany", locking: true },
      ...{ retention: "retain", protect: true },
      garbageCollection: { schedule: "0 3 * * *", budget: "40Gi", minimumAgeHours: 12 },
    };
    expect(cache(all)).toEqual({ at: "f: kiln:z.cache", ...all });
  });

  it.each([
    [false, false],
    [{}, { schedule: undefined, budget: undefined, minimumAgeHours: undefined }],
    [undefined, undefined],
    [null, undefined],
  ])("is swept as said: %j", (garbageCollection, read) => {
    expect(cache({ garbageCollection })?.garbageCollection).toEqual(read);
  });

  it("leaves the access mode to its plan where the key is left empty", () => {
    expect(cache({ accessMode: null })?.accessMode).toBeUndefined();
    expect(cache({ moduleCache: { accessMode: null } })?.moduleCache).toMatchObject({ accessMode: undefined });
  });

  it.each([
    [{ mode: "lanes" }, 'mode is "lanes", which is none of its values'],
    [{ accessMode: "RWX" }, 'accessMode is "RWX", which is none of its values'],
    [{ moduleCache: { accessMode: "RWO" } }, 'moduleCache.accessMode is "RWO"'],
    [{ moduleCache: { locking: "no" } }, "moduleCache.locking must be true or false"],
    [{ lanes: "two" }, "lanes must be a whole number"],
    [{ retention: "keep" }, 'retention is "keep"'],
    [{ garbageCollection: true }, "garbageCollection must be a map of settings"],
    [{ garbageCollection: { minimumAgeHours: -1 } }, "garbageCollection.minimumAgeHours must be a whole number"],
    [{ lane: 2 }, "lane is not a setting"],
  ])("is refused as %j", (value, message) => {
    expect(() => cache(value)).toThrow(`f: kiln:z.cache.${message}`);
  });
});
