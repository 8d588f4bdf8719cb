import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  JOB_IMAGES,
  readJobVersions,
  unpinnedDownloads,
  versionArguments,
  type JobVersions,
} from "../../../../execution/job/image-versions.ts";
import { jobImageTag } from "../../../../execution/job/job-image.ts";

const versions = await readJobVersions(path.join(import.meta.dirname, "../../../.."));

describe("the versions of job images", () => {
  it("names what of an image has no checksum for a platform", () => {
    const sum = "a".repeat(64);
    const some: JobVersions = {
      ...versions,
      powershell: { version: "7.5.3", sha256: { amd64: sum, arm64: null } },
      pester: { version: "5.7.1", sha256: { all: sum } },
      kubectl: { version: "1.34.2", sha256: { amd64: null, arm64: sum } },
      oc: { version: "4.20.4", sha256: { amd64: sum } },
    };
    expect(unpinnedDownloads(some, "base", "linux/amd64")).toEqual([]);
    expect(unpinnedDownloads(some, "powershell", "linux/amd64")).toEqual([]);
    expect(unpinnedDownloads(some, "powershell", "linux/arm64")).toEqual(["powershell"]);
    expect(unpinnedDownloads(some, "kubernetes", "linux/amd64")).toEqual(["kubectl"]);
    expect(unpinnedDownloads(some, "kubernetes", "linux/arm64")).toEqual(["powershell", "oc"]);
  });

  it("has the checksums of what every image is made of", () => {
    for (const platform of ["linux/amd64", "linux/arm64"]) {
      expect(unpinnedDownloads(versions, "base", platform)).toEqual([]);
      expect(unpinnedDownloads(versions, "python", platform)).toEqual([]);
    }
  });

  it("becomes build arguments, empty where there is no checksum", () => {
    const args = versionArguments(versions);
    expect(args).toMatchObject({ POWERSHELL_VERSION: "7.5.3", PESTER_SHA256: "", IMAGE_VERSION: versions.version });
    expect(Object.keys(args)).toContain("KUBECTL_ARM64_SHA256");
  });

  it("throws where there is no list", async () => {
    await expect(readJobVersions("/no/such/folder")).rejects.toThrow("versions.json cannot be read");
  });
});

describe("the name of a job image in the engine", () => {
  it("is another one for every image, platform and part", () => {
    const tags = [
      ...JOB_IMAGES.map((image) => jobImageTag(image, "linux/amd64", ["a"])),
      jobImageTag("base", "linux/arm64", ["a"]),
      jobImageTag("base", "linux/amd64", ["b"]),
    ];
    expect(new Set(tags).size).toBe(tags.length);
    expect(tags[0]).toMatch(/^kiln-job-base:[0-9a-f]{16}-amd64$/);
  });
});
