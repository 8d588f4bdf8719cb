import { beforeEach, describe, expect, it, vi } from "vitest";
import { silent } from "../../../progress.ts";
import { OCI } from "../../../registry/client.ts";
import { jobTargets, parseJobTag, requireJobLabels } from "../../../release/job-image.ts";
import { publishJobImage } from "../../../release/job-publish.ts";
import {
  makeJobRollback,
  parseNamedRelease,
  readJobRollback,
  readJobRollbacks,
} from "../../../release/job-rollback.ts";
import type { RunnerRecord } from "../../../release/runner-record.ts";
import { readTagHistory } from "../../../release/tag-history.ts";
import { useMemory } from "../../support/memory-client.ts";
import { MemoryRegistry } from "../../support/memory-registry.ts";

const recorded = vi.hoisted((): { at: string; record: object }[] => []);
let registry: MemoryRegistry;

vi.mock("../../../registry/client.ts", async (original) =>
  (await import("../../support/memory-client.ts")).clientInMemory(original),
);
vi.mock("../../../release/runner-record.ts", () => ({
  attachRunnerRecord: (_: unknown, { repository, digest }: { repository: string; digest: string }, record: object) => {
    recorded.unshift({ at: `${repository}@${digest}`, record });
    return Promise.resolve();
  },
  readRunnerRecords: (_: unknown, { repository, digest }: { repository: string; digest: string }) =>
    Promise.resolve(recorded.filter(({ at }) => at === `${repository}@${digest}`).map(({ record }) => record)),
}));

vi.mock("../../../release/supply/package-list.ts", () => ({
  attachPackageList: (_: unknown, { digest }: { digest: string }) => Promise.resolve(`list of ${digest}`),
}));

const [PRIMARY, MIRROR] = ["localhost:5181/kiln", "localhost:5182/kiln"] as const;
const [BASE, MIRRORED] = [`${PRIMARY}/job-runner-base`, `${MIRROR}/job-runner-base`];
const START = Date.parse("2026-11-22T09:00:00Z");
let minutes = 0;
/** A minute after the last time that somebody asked. */
const now = () => new Date(START + 60_000 * minutes++);
const [target] = jobTargets([PRIMARY, MIRROR], ["base"]);
if (target === undefined) throw new Error("there is no target");

const labelsOf = (version: string) => ({
  "org.opencontainers.image.version": version,
  "dev.kiln.job.image": "base",
  "dev.kiln.job.powershell": "download-powershell",
});

/** Pushes an image of a version; `content` tells two builds of one version apart. */
function push(version: string, content = "first"): string {
  const rootfs = { type: "layers", diff_ids: [content] };
  const config = { architecture: "amd64", os: "linux", rootfs, config: { Labels: labelsOf(version) } };
  const blob = registry.putBlob(BASE, JSON.stringify(config));
  return registry.putManifest(BASE, { schemaVersion: 2, mediaType: OCI.manifest, config: blob, layers: [] });
}

async function publish(version: string, { content = "first", allowOlder = false } = {}) {
  const digest = push(version, content);
  const release = parseJobTag(`job-runner-v${version}`);
  const { client } = registry;
  const images = [{ repository: BASE, digest }];
  return publishJobImage({
    ...{ client, release, target: target ?? never(), images, allowOlder, now: now(), progress: silent },
    ...{ version: "0.1.0", readPackages: () => Promise.resolve([]) },
  });
}

async function rollBack(to: string) {
  const rollback = await readJobRollback(registry.client, target ?? never(), parseNamedRelease(to));
  await makeJobRollback(registry.client, rollback, { now: now(), progress: silent });
  return rollback;
}

function never(): never {
  throw new Error("there is no target");
}

const tagsOf = (repository: string) => Object.fromEntries(registry.repository(repository).tags);

beforeEach(() => {
  registry = new MemoryRegistry();
  useMemory(registry);
  recorded.length = 0;
  minutes = 0;
});

describe("publishing an image of jobs", () => {
  it("sets the version, latest and an immutable tag, in the registry and in the mirror", async () => {
    const { digest, buildTag, latest, packageLists } = await publish("1.2.3");
    expect(packageLists).toEqual({ [digest]: `list of ${digest}` });
    expect(buildTag).toMatch(/^v1\.2\.3-[0-9a-f]{12}$/);
    for (const repository of [BASE, MIRRORED]) {
      expect(tagsOf(repository)).toEqual({ "v1.2.3": digest, latest: digest, [buildTag]: digest });
      expect(latest?.[repository]).toEqual({ kind: "new", digest });
    }
  });

  it("leaves latest where an old line gets a fix, and by a pre-release, and keeps the old versions", async () => {
    const second = await publish("2.0.0");
    const fix = await publish("1.0.1");
    const next = await publish("3.0.0-rc.1");
    expect([fix.latest, next.latest]).toEqual([undefined, undefined]);
    expect(tagsOf(BASE)).toMatchObject({ latest: second.digest, "v1.0.1": fix.digest, "v3.0.0-rc.1": next.digest });
  });

  it("lets latest go back where that is said, and records it", async () => {
    const second = await publish("2.0.0");
    const first = await publish("1.0.0", { allowOlder: true });
    expect(tagsOf(BASE).latest).toBe(first.digest);
    expect(first.latest?.[BASE]).toEqual({ kind: "moved back", digest: first.digest, replaces: second.digest });
  });

  it("of a version anew keeps what it replaces under its build tag", async () => {
    const old = await publish("1.0.0");
    const anew = await publish("1.0.0", { content: "second" });
    expect(tagsOf(BASE)).toMatchObject({ "v1.0.0": anew.digest, latest: anew.digest, [old.buildTag]: old.digest });
    expect(anew.latest?.[BASE]?.kind).toBe("replaced");
  });
});

describe("going back", () => {
  it("sets latest to an older release in all places, with a record that says what it was", async () => {
    const old = await publish("1.0.0");
    const bad = await publish("1.1.0");
    const { moves } = await rollBack("1.0.0");
    for (const repository of [BASE, MIRRORED]) {
      expect(moves[repository]).toEqual({ kind: "moved back", digest: old.digest, replaces: bad.digest });
      expect(tagsOf(repository)).toMatchObject({ latest: old.digest, "v1.1.0": bad.digest });
    }
    const history = await readTagHistory(registry.client, { repository: BASE, imageTag: "latest" });
    expect(history.map(({ release, move }: RunnerRecord) => [release, move])).toEqual([
      ["job-runner-v1.0.0", "moved back"],
      ["job-runner-v1.1.0", "moved"],
      ["job-runner-v1.0.0", "new"],
    ]);
    expect(history[0]).toMatchObject({ buildTag: old.buildTag, replaces: bad.digest });
    // A fix of the bad line is not the highest that there is; the next release is.
    expect((await publish("1.0.1")).latest).toBeUndefined();
    const next = await publish("1.1.1");
    expect(tagsOf(BASE).latest).toBe(next.digest);
  });

  it("is not undone by a second run of the release that was bad, built anew or not, nor of one before it", async () => {
    for (const version of ["1.1.0", "1.2.0", "1.3.0"]) await publish(version);
    await rollBack("1.2.0");
    const { digest } = await rollBack("1.1.0");
    for (const [version, content] of [
      ["1.3.0", "first"],
      ["1.3.0", "second"],
      ["1.2.0", "first"],
    ] as const) {
      expect((await publish(version, { content })).latest, `${version} ${content}`).toBeUndefined();
    }
    expect([tagsOf(BASE).latest, tagsOf(MIRRORED).latest]).toEqual([digest, digest]);
    // But by name, and then it is as if it had never been set back.
    const again = await publish("1.3.0", { content: "second", allowOlder: true });
    expect(tagsOf(BASE).latest).toBe(again.digest);
    const third = await publish("1.3.0", { content: "third" });
    expect(tagsOf(BASE).latest).toBe(third.digest);
  });

  it("leaves a record of each that the tag named, also of what was there before the first that it came back to", async () => {
    for (const version of ["0.9.0", "1.0.0", "1.1.0"]) await publish(version);
    await rollBack("1.0.0");
    const history = await readTagHistory(registry.client, { repository: BASE, imageTag: "latest" });
    expect(history.map(({ release, move }) => [release, move])).toEqual([
      ["job-runner-v1.0.0", "moved back"],
      ["job-runner-v1.1.0", "moved"],
      ["job-runner-v1.0.0", "moved"],
      ["job-runner-v0.9.0", "new"],
    ]);
  });

  it("takes the tag of one build of a version that was released anew", async () => {
    const old = await publish("1.0.0");
    await publish("1.0.0", { content: "second" });
    await rollBack(old.buildTag);
    expect(tagsOf(BASE).latest).toBe(old.digest);
  });

  it("moves nothing where a place lacks the release, or has another image", async () => {
    await publish("1.0.0");
    const { digest } = await publish("1.1.0");
    await expect(rollBack("0.9.0")).rejects.toMatchObject({
      kind: "difference",
      message: `there is no ${BASE}:v0.9.0`,
    });
    registry.repository(MIRRORED).tags.set("v1.0.0", digest);
    await expect(rollBack("1.0.0")).rejects.toThrow(`${MIRRORED}:v1.0.0 is ${digest}`);
    expect([tagsOf(BASE).latest, tagsOf(MIRRORED).latest]).toEqual([digest, digest]);
    for (const text of ["latest", "v1", "1.0", "v1.0.0 "])
      expect(() => parseNamedRelease(text)).toThrow("is no release");
  });
});

describe("going back with several images", () => {
  const all = jobTargets([PRIMARY, MIRROR], ["base", "kubernetes"]);
  const read = (mayLack: boolean, to: string) =>
    readJobRollbacks(registry.client, { targets: all, mayLack }, parseNamedRelease(to));

  it("leaves those that the release does not have, unless they were named", async () => {
    await publish("1.0.0");
    const { rollbacks, without } = await read(true, "1.0.0");
    expect(rollbacks.map((one) => one.target.image)).toEqual(["base"]);
    expect(without.map(({ image }) => image)).toEqual(["kubernetes"]);
    await expect(read(false, "1.0.0")).rejects.toThrow(`there is no ${PRIMARY}/job-runner-kubernetes:v1.0.0`);
    await expect(read(true, "0.9.0")).rejects.toMatchObject({
      kind: "difference",
      message: "no image of jobs has v0.9.0",
    });
  });

  it("leaves none that a mirror alone has: that is a fault", async () => {
    await publish("1.0.0");
    const mirrored = `${MIRROR}/job-runner-kubernetes`;
    const config = registry.putBlob(mirrored, "{}");
    const manifest = { schemaVersion: 2 as const, mediaType: OCI.manifest, config, layers: [] };
    registry.repository(mirrored).tags.set("v1.0.0", registry.putManifest(mirrored, manifest));
    await expect(read(true, "1.0.0")).rejects.toThrow(`there is no ${PRIMARY}/job-runner-kubernetes:v1.0.0`);
  });
});

describe("an image that is no image of a release", () => {
  const wanted = { version: "1.2.3", image: "base", isAtHome: false } as const;

  it.each([
    [{ "org.opencontainers.image.version": "1.2.2" }, "has 1.2.2 as its org.opencontainers.image.version, not 1.2.3"],
    [{ "dev.kiln.job.image": "python" }, "has python as its dev.kiln.job.image, not base"],
    [{ "dev.kiln.job.powershell": "no-powershell" }, "without PowerShell: it does not leave this machine"],
  ])("is refused: %j", (labels, said) => {
    const all = { ...labelsOf("1.2.3"), ...labels };
    expect(() => {
      requireJobLabels("image", all, wanted);
    }).toThrow(said);
  });

  it("may stay here without PowerShell", () => {
    const labels = { ...labelsOf("1.2.3"), "dev.kiln.job.powershell": "no-powershell" };
    requireJobLabels("image", labels, { ...wanted, isAtHome: true });
    requireJobLabels("image", labelsOf("1.2.3"), wanted);
  });
});
