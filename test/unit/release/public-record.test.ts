import { expect, it } from "vitest";
import { publicRecord, readPublicRecord } from "../../../release/public-record.ts";
import { RUNNER_RECORD } from "../../../release/runner-record.ts";
import type { PublicRepository } from "../../../registry/public-repository.ts";

const [DIGEST, OTHER] = ["a", "b"].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string];
const AT = "2026-11-22T09:00:00.000Z";
const RECORD = { imageTag: "v1.0.0", digest: DIGEST, version: "1.0.0", revision: "c1", at: AT };

it.each<[string, unknown]>([
  ["another tag's", { ...RECORD, imageTag: "latest" }],
  ["another image's", { ...RECORD, digest: OTHER }],
  ["without a version", { ...RECORD, version: 1 }],
  ["without a time", { ...RECORD, at: "soon" }],
  ["a list", [RECORD]],
  ["null", null],
  ["a text", "v1.0.0"],
])("a record that is %s says nothing", (_, document) => {
  expect(publicRecord(document, "v1.0.0", DIGEST)).toBeUndefined();
});

it("a record of before commits were recorded names none", () => {
  const older = { ...RECORD, revision: undefined };
  const since = Date.parse(AT);
  expect(publicRecord(older, "v1.0.0", DIGEST)).toEqual({ version: "1.0.0", revision: undefined, since });
});

/** A repository with one image and these records on it. */
function repository(records: readonly unknown[], { isAbsent = false } = {}): PublicRepository {
  const made = {
    readDigest: () => Promise.resolve(isAbsent ? undefined : DIGEST),
    readReferrers: (_: string, type: string) =>
      Promise.resolve(type === RUNNER_RECORD ? records.map((_record, index) => `m${index}`) : []),
    readManifest: (name: string) => Promise.resolve(name === "m9" ? {} : { layers: [{ digest: name.slice(1) }] }),
    readDocument: (name: string) => Promise.resolve(records[Number(name)]),
  };
  return made as unknown as PublicRepository;
}

it("the newest record of a tag counts: since then the tag names the image", async () => {
  const newer = { ...RECORD, revision: "c2", at: "2026-11-22T10:00:00.000Z" };
  expect(await readPublicRecord(repository([RECORD, newer, { odd: true }, undefined]), "v1.0.0")).toEqual({
    ...{ version: "1.0.0", revision: "c2", since: Date.parse(newer.at) },
  });
});

it("no tag and no record are told apart", async () => {
  expect(await readPublicRecord(repository([RECORD], { isAbsent: true }), "v1.0.0")).toBe("absent");
  expect(await readPublicRecord(repository([]), "v1.0.0")).toBe("unrecorded");
  expect(await readPublicRecord(repository([RECORD]), "v2.0.0")).toBe("unrecorded");
});
