import { describe, expect, it } from "vitest";
import { neighbourMinor, neighbourPatches } from "../../../../bench/methods/versions.ts";

describe("neighbourMinor", () => {
  const versions = ["v2.3.9", "v2.4.7", "v2.4.8", "v2.5.0", "v2.5.1", "v2.6.0-alpha.1", "v2.7.0", "v3.0.0"];

  it("is the newest patch of the next minor that was released", () => {
    expect(neighbourMinor("v2.4.8", versions)).toBe("v2.5.1");
    expect(neighbourMinor("v2.5.1", versions)).toBe("v2.7.0");
  });

  it("is one minor back where there is no next one, and never another major", () => {
    expect(neighbourMinor("v2.7.0", versions)).toBe("v2.5.1");
    expect(neighbourMinor("v3.0.0", versions)).toBeUndefined();
    expect(neighbourMinor("v0.0.0-20240101000000-abcdefabcdef", versions)).toBeUndefined();
  });
});

describe("neighbourPatches", () => {
  it("are the next and the one before, where there is one", () => {
    expect(neighbourPatches("1.26.8")).toEqual(["1.26.9", "1.26.7"]);
    expect(neighbourPatches("1.27.0")).toEqual(["1.27.1"]);
    expect(neighbourPatches("1.27rc1")).toEqual([]);
  });
});
