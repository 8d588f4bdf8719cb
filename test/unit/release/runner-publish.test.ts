import { beforeEach, describe, expect, it, vi } from "vitest";
import { silent } from "../../../progress.ts";
import { OCI } from "../../../registry/client.ts";
import { runnerBuildTag, runnerRelease } from "../../../release/runner-image.ts";
import { publishRunner, requireLabels } from "../../../release/runner-publish.ts";
import { BASE_DIGEST_LABEL } from "../../../release/runner-readiness.ts";
import type { RunnerRecord } from "../../../release/runner-record.ts";
import { parseRunnerTag } from "../../../release/runner-tag.ts";
import { readTagHistory } from "../../../release/tag-history.ts";
import { readPackageLists } from "../../../release/supply/package-list.ts";
import { goModule } from "../../../release/supply/package.ts";
import { useMemory } from "../../support/memory-client.ts";
import { MemoryRegistry } from "../../support/memory-registry.ts";

const recorded = vi.hoisted((): { repository: string; digest: string; record: unknown }[] => []);
let registry: MemoryRegistry;

vi.mock("../../../registry/client.ts", async (original) =>
  (await import("../../support/memory-client.ts")).clientInMemory(original),
);
vi.mock("../../../release/runner-record.ts", () => ({
  attachRunnerRecord: (_: unknown, image: { repository: string; digest: string }, record: unknown) => {
    recorded.push({ ...image, record });
    return Promise.resolve();
  },
  readRunnerRecords: (_: unknown, { repository, digest }: { repository: string; digest: string }) =>
    Promise.resolve(
      recorded
        .filter((one) => one.repository === repository && one.digest === digest)
        .map(({ record }) => record)
        .reverse(),
    ),
}));

const [PRIMARY, MIRROR] = ["localhost:5181/kiln", "localhost:5182/kiln"] as const;
const REGISTRIES = { production: [PRIMARY, MIRROR], preproduction: ["localhost:5183/kiln"] };
const GOLANG = `${PRIMARY}/runner-pulumi-golang`;
const MIRRORED = `${MIRROR}/runner-pulumi-golang`;
const TOOL = goModule("github.com/acme/tool@v1.2.3", "usr/local/bin/tool");
const readPackages = () => Promise.resolve([TOOL]);
const NOW = new Date("2026-11-22T09:00:00Z");

const labelsOf = (version: string) => ({
  "org.opencontainers.image.version": version,
  "dev.kiln.language.name": "golang",
  "dev.kiln.language.variant": "slim",
});

/** Pushes an image of a version; `content` tells two builds of one version apart. */
function push(version: string, content = "first", repository = GOLANG, labels = {}, architecture = "amd64"): string {
  const config = {
    ...{ architecture, os: "linux", rootfs: { type: "layers", diff_ids: [content] } },
    config: { Labels: { ...labelsOf(version), ...labels } },
  };
  const blob = registry.putBlob(repository, JSON.stringify(config));
  return registry.putManifest(repository, { schemaVersion: 2, mediaType: OCI.manifest, config: blob, layers: [] });
}

function publish(tag: string, digest: string | readonly string[], { allowOlder = false, repository = GOLANG } = {}) {
  const release = runnerRelease(parseRunnerTag(tag), {
    registries: REGISTRIES,
    languages: ["golang"],
    variants: ["slim"],
  });
  const [target] = release.targets;
  if (target === undefined) throw new Error("no target");
  const images = [digest].flat().map((one) => ({ repository, digest: one }));
  return publishRunner({
    client: registry.client,
    release,
    target,
    images,
    allowOlder,
    now: NOW,
    baseDigest: undefined,
    version: "0.1.0",
    readPackages,
    progress: silent,
  });
}

const tagsOf = (repository: string) => Object.fromEntries(registry.repository(repository).tags);
const recordsOf = (repository: string) =>
  recorded.filter((one) => one.repository === repository).map(({ record }) => record as RunnerRecord);

beforeEach(() => {
  registry = new MemoryRegistry();
  useMemory(registry);
  recorded.length = 0;
});

describe("publishing a language runner", () => {
  it("sets the moving tag and an immutable one, in the registry and in the mirror", async () => {
    const digest = push("3.253.0");
    const { buildTag, moves } = await publish("v3.253.0", digest);
    expect(buildTag).toBe(runnerBuildTag(parseRunnerTag("v3.253.0").version, "slim", digest));
    for (const repository of [GOLANG, MIRRORED]) {
      expect(tagsOf(repository)).toEqual({ "v3.253.0": digest, [buildTag]: digest });
      expect(moves[repository]).toEqual({ kind: "new", digest });
    }
    const named = (tag: string) => registry.writes.findIndex((write) => write.endsWith(tag));
    expect(named(`${GOLANG}:${buildTag}`)).toBeLessThan(named(`${GOLANG}:v3.253.0`));
  });

  it("attaches the list of its packages before a tag names it, and takes it to the mirror", async () => {
    const digest = push("3.253.0");
    const { packageLists } = await publish("v3.253.0", digest);
    const attached = registry.writes.findIndex((write) => write.startsWith("push "));
    expect(attached).toBeGreaterThanOrEqual(0);
    expect(attached).toBeLessThan(registry.writes.findIndex((write) => write.startsWith("tag ")));
    for (const repository of [GOLANG, MIRRORED]) {
      const lists = await readPackageLists(registry.client, { repository, digest });
      expect(lists.map((list) => [list.digest, list.packages])).toEqual([[packageLists[digest], [TOOL]]]);
    }
  });

  it("records the commit that the images were built of, and refuses those of two commits", async () => {
    const labels = (revision: string) => ({ "org.opencontainers.image.revision": revision });
    await publish("v3.253.0", push("3.253.0", "a", GOLANG, labels("c1")));
    expect(recordsOf(GOLANG).map(({ revision }) => revision)).toEqual(["c1"]);
    await publish("v3.252.0", push("3.252.0", "a", GOLANG, labels("")));
    expect(recordsOf(GOLANG).at(-1)).not.toHaveProperty("revision");
    const two = [push("3.254.0", "a", GOLANG, labels("c1")), push("3.254.0", "b", GOLANG, labels("c2"), "arm64")];
    await expect(publish("v3.254.0", two)).rejects.toThrow("not of one commit: linux/amd64 of c1, linux/arm64 of c2");
    expect(tagsOf(GOLANG)).not.toHaveProperty("v3.254.0");
  });

  it("refuses an index of images that stand on two bases, on this machine too", async () => {
    const labels = (digit: string) => ({ [BASE_DIGEST_LABEL]: `sha256:${digit.repeat(64)}` });
    const two = [push("3.253.0", "a", GOLANG, labels("a")), push("3.253.0", "b", GOLANG, labels("b"), "arm64")];
    await expect(publish("v3.253.0", two)).rejects.toThrow("the images are not of one base: linux/amd64 of sha256:aaa");
    expect(tagsOf(GOLANG)).toEqual({});
  });

  it("a second time changes nothing and records nothing", async () => {
    const digest = push("3.253.0");
    await publish("v3.253.0", digest);
    const before = recorded.length;
    const { moves } = await publish("v3.253.0", digest);
    expect(moves[GOLANG]?.kind).toBe("unchanged");
    expect(recorded).toHaveLength(before);
  });

  it("records an unchanged image anew where no record names its commit, or its tag, and keeps what it replaced", async () => {
    const first = push("3.253.0");
    await publish("v3.253.0", first);
    const digest = push("3.253.0", "a", GOLANG, { "org.opencontainers.image.revision": "c1" });
    await publish("v3.253.0", digest);
    // As one that was written before records named their commit; the mirror has lost its own.
    for (const [index, one] of recorded.entries()) {
      recorded[index] = { ...one, record: { ...(one.record as RunnerRecord), revision: undefined } };
    }
    recorded.splice(
      recorded.findIndex((one) => one.repository === MIRRORED && one.digest === digest),
      1,
    );
    const before = recorded.length;
    const { moves } = await publish("v3.253.0", digest);
    expect([moves[GOLANG]?.kind, recorded.length]).toEqual(["unchanged", before + 2]);
    for (const repository of [GOLANG, MIRRORED]) {
      expect(recordsOf(repository).at(-1)).toMatchObject({ ...{ move: "unchanged", revision: "c1", digest } });
    }
    await publish("v3.253.0", digest);
    expect(recorded).toHaveLength(before + 2);
    const history = await readTagHistory(registry.client, { repository: GOLANG, imageTag: "v3.253.0" });
    expect(history.map((record) => [record.move, record.digest])).toEqual([
      ["unchanged", digest],
      ["replaced", digest],
      ["new", first],
    ]);
  });

  it("of a version anew records the digest that it replaces, which its build tag names still", async () => {
    const first = push("3.253.0");
    const { buildTag: before } = await publish("v3.253.0", first);
    const second = push("3.253.0", "second");
    const { moves } = await publish("v3.253.0", second);
    expect(moves[GOLANG]).toEqual({ kind: "replaced", digest: second, replaces: first });
    expect(tagsOf(GOLANG)).toMatchObject({ "v3.253.0": second, [before]: first });
    expect(recordsOf(GOLANG).at(-1)).toMatchObject({
      ...{ release: "v3.253.0", imageTag: "v3.253.0", digest: second, replaces: first, move: "replaced" },
      at: "2026-11-22T09:00:00.000Z",
    });
  });

  it("never lets latest go back in any registry, and then changes none, unless told to", async () => {
    const newer = push("3.253.0");
    await publish("latest-v3.253.0", newer);
    // The registry itself has lost it: the mirror knows.
    registry.repository(GOLANG).tags.delete("latest");
    const older = push("3.252.0");
    const before = tagsOf(GOLANG);
    await expect(publish("latest-v3.252.0", older)).rejects.toMatchObject({ kind: "difference" });
    expect(tagsOf(GOLANG)).toEqual(before);
    expect(tagsOf(MIRRORED).latest).toBe(newer);
    const { moves } = await publish("latest-v3.252.0", older, { allowOlder: true });
    expect(moves[MIRRORED]).toEqual({ kind: "moved back", digest: older, replaces: newer });
    expect(tagsOf(MIRRORED).latest).toBe(older);
  });

  it("goes on where a mirror was down", async () => {
    const digest = push("3.253.0");
    registry.down.add("localhost:5182");
    await expect(publish("v3.253.0", digest)).rejects.toMatchObject({ kind: "unreachable" });
    expect(tagsOf(GOLANG)).toEqual({});
    registry.down.clear();
    await publish("v3.253.0", digest);
    expect(tagsOf(MIRRORED)["v3.253.0"]).toBe(digest);
  });

  it("refuses an image of another version or repository, and a build tag that somebody moved", async () => {
    await expect(publish("v3.254.0", push("3.253.0"))).rejects.toThrow(
      "has 3.253.0 as its org.opencontainers.image.version",
    );
    const elsewhere = push("3.253.0", "first", MIRRORED);
    await expect(publish("v3.253.0", elsewhere, { repository: MIRRORED })).rejects.toThrow(`is not in ${GOLANG}`);
    const digest = push("3.253.0");
    const other = push("3.253.0", "other");
    const buildTag = runnerBuildTag(parseRunnerTag("v3.253.0").version, "slim", digest);
    registry.repository(GOLANG).tags.set(buildTag, other);
    await expect(publish("v3.253.0", digest)).rejects.toThrow(`${GOLANG}:${buildTag} is ${other}`);
  });
});

describe("the labels of an image that leaves this machine", () => {
  const release = parseRunnerTag("v3.253.0");
  const target = { language: "golang", variant: "slim" } as const;
  const [PINNED, OTHER] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
  const OFFICIAL = { "dev.kiln.language.loopback-hosts": "false" };
  const on = (digest: string) => ({ ...OFFICIAL, [BASE_DIGEST_LABEL]: digest });
  const check =
    (labels: Readonly<Record<string, string>>, { isAtHome = false, baseDigest = PINNED } = {}) =>
    () => {
      const wanted = { release, target, base: { baseDigest }, isAtHome };
      requireLabels("i", { ...labelsOf("3.253.0"), ...labels }, wanted);
    };

  it("tell of official hosts", () => {
    expect(check(on(PINNED))).not.toThrow();
    expect(check({ ...on(PINNED), "dev.kiln.language.loopback-hosts": "true" })).toThrow("does not leave this machine");
    expect(check({ [BASE_DIGEST_LABEL]: PINNED })).toThrow("does not leave this machine");
    expect(check({ "dev.kiln.language.loopback-hosts": "true" }, { isAtHome: true })).not.toThrow();
  });

  it("tell of the base that the release names by digest, and of no other", () => {
    expect(check(on(OTHER))).toThrow(`i stands on the base ${OTHER}, not on ${PINNED}`);
    expect(check(OFFICIAL)).toThrow(`i stands on the base of no digest, not on ${PINNED}`);
    expect(check(on(OTHER), { isAtHome: true })).not.toThrow();
  });
});
