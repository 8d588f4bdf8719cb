import { describe, expect, it } from "vitest";
import { usedTag } from "../../../cache/used-tag.ts";
import type { StoredManifest } from "../../../registry/stored-manifest.ts";
import type { Root } from "../../../release/reachable.ts";
import { freedBytes, retentionPlan, type RetentionQuestion } from "../../../release/retention.ts";
import { digest, hex, HOUR, layerTag, manifest, nameOf, NOW, RUNNER, WARM } from "../../support/stored-manifests.ts";

const root = (name: string, reason = `stacks/Pulumi.prod.yaml at ${name}`, repository = WARM): Root => ({
  ...{ repository, digest: digest(name), reason },
});

const plan = (manifests: readonly StoredManifest[], question: Partial<RetentionQuestion> = {}) =>
  retentionPlan({
    ...{ manifests, roots: [], repositories: [WARM], now: NOW, graceMs: 24 * HOUR },
    since: () => NOW - 100 * HOUR,
    ...question,
  });

/** Each manifest that stays with its reason, and the digests that go, by the names of the test. */
function outcome(manifests: readonly StoredManifest[], question: Partial<RetentionQuestion> = {}) {
  const { keep, remove } = plan(manifests, question);
  return {
    keep: Object.fromEntries(keep.map((one) => [nameOf(one.digest), one.reason])) as Readonly<Record<string, string>>,
    remove: remove.map((one) => nameOf(one.digest)),
  };
}

describe("what stays", () => {
  it("is what stacks, releases and others name, each with its reason", () => {
    const manifests = [
      manifest("named"),
      manifest("release", { tags: ["v1.2.3", "latest"] }),
      manifest("theirs", { tags: ["nightly"] }),
      manifest("promoted", { tags: [`promoted-${hex("promoted")}`] }),
      manifest("note", { tags: ["kiln-unused-since"] }),
      manifest("old", { tags: [`inputs-${hex("old")}`, `verified-aws-${hex("old")}`] }),
      manifest("untagged"),
    ];
    const roots = [root("named"), root("promoted", "stacks/Pulumi.dev.yaml at abc1234")];
    expect(outcome(manifests, { roots })).toEqual({
      keep: {
        named: "stacks/Pulumi.prod.yaml at named",
        release: "tag v1.2.3",
        theirs: "tag nightly, which is not kiln's",
        promoted: "stacks/Pulumi.dev.yaml at abc1234",
        note: "kiln's own note",
      },
      remove: ["old", "untagged"],
    });
    expect(plan(manifests, { roots }).foreign).toEqual([`${WARM}:nightly`]);
  });

  it("is what the tag of a stack names, which is kiln's", () => {
    const manifests = [
      manifest("running", { tags: ["dev"] }),
      manifest("released", { tags: ["v1.2.3"] }),
      manifest("old"),
    ];
    const question = { stacks: new Set(["dev", "v1.2.3"]) };
    expect(outcome(manifests, question)).toEqual({
      keep: { running: "tag dev, of that stack", released: "tag v1.2.3" },
      remove: ["old"],
    });
    expect(plan(manifests, question).foreign).toEqual([]);
    expect(plan(manifests).foreign).toEqual([`${WARM}:dev`]);
  });

  it("is what an index lists, what refers to an image, by the API and by tags, and what refers to that", () => {
    const fallback = digest("child").replace(":", "-");
    const manifests = [
      manifest("index", { children: [digest("child"), digest("not there")] }),
      manifest("child"),
      manifest("listed", { subject: digest("child") }),
      manifest("fallback", { tags: [fallback], children: [digest("listed"), digest("signature")] }),
      manifest("signature", { subject: digest("listed") }),
      manifest("cosign", { tags: [`${fallback}.sig`] }),
      manifest("other", { subject: digest("gone") }),
    ];
    const kept = outcome(manifests, { roots: [root("index")] });
    expect(Object.keys(kept.keep).sort()).toEqual(["child", "cosign", "fallback", "index", "listed", "signature"]);
    expect(kept.keep).toMatchObject({ child: `part of ${digest("index").slice(0, 19)}` });
    expect(kept.keep.listed).toMatch(/^(referrer|part) of /);
    expect(kept.keep.cosign).toBe(`attached to ${digest("child").slice(0, 19)}`);
    expect(kept.remove).toEqual(["other"]);
  });

  it("is a tagged layer that an image has, and a base that one begins with", () => {
    const [base, common, aws, old] = ["b", "c", "a", "o"];
    const manifests = [
      manifest("image", { layers: [base, common, aws] }),
      manifest("base", { tags: [`base-${hex("base").slice(0, 16)}`], layers: [base] }),
      manifest("other base", { tags: [`base-${hex("other").slice(0, 16)}`], layers: [base, aws] }),
      manifest("common", { tags: [layerTag("common")], layers: [common] }),
      manifest("aws", { tags: [layerTag("aws")], layers: [aws] }),
      manifest("old", { tags: [layerTag("old")], layers: [old] }),
      manifest("old image", { tags: [`inputs-${hex("x")}`], layers: [base, common, old] }),
      manifest("on aws", { subject: digest("aws") }),
    ];
    const { keep, remove } = outcome(manifests, { roots: [root("image")] });
    const image = digest("image").slice(0, 19);
    expect(keep).toMatchObject({ base: `base of ${image}`, common: `layer of ${image}`, aws: `layer of ${image}` });
    expect(keep["on aws"]).toBe(`referrer of ${digest("aws").slice(0, 19)}`);
    expect(remove).toEqual(["other base", "old", "old image"]);
  });

  it("is a runner image without a tag, in a repository of its own, that was built from a named image", () => {
    const manifests = [
      manifest("warm", { layers: ["b", "c"] }),
      manifest("same layers", { layers: ["b", "c"] }),
      manifest("runner", { repository: RUNNER, layers: ["b", "c"] }),
      manifest("runner index", { repository: RUNNER, children: [digest("runner")] }),
      manifest("old runner", { repository: RUNNER, layers: ["b"] }),
    ];
    const { keep, remove } = outcome(manifests, { roots: [root("warm")], repositories: [WARM, RUNNER] });
    expect(keep.runner).toBe(`built from ${digest("warm").slice(0, 19)}, which stacks/Pulumi.prod.yaml at warm names`);
    expect(Object.keys(keep)).toEqual(["warm", "runner", "runner index"]);
    expect(remove).toEqual(["same layers", "old runner"]);
    expect(outcome(manifests, { roots: [root("warm")], repositories: [RUNNER] }).remove).toEqual(["old runner"]);
  });

  it.each<[string, Partial<StoredManifest>, Partial<RetentionQuestion>]>([
    ["a version", { tags: ["v1.2.3"] }, {}],
    ["latest", { tags: ["latest"] }, {}],
    ["a stack's name", { tags: ["dev"] }, { stacks: new Set(["dev"]) }],
    ["a tag that is not kiln's", { tags: ["nightly"] }, {}],
    ["a stack's file", {}, { roots: [root("runner", "stacks/Pulumi.prod.yaml", RUNNER)] }],
    ["its age", {}, { since: ({ digest: one }) => (one === digest("runner") ? NOW : NOW - 100 * HOUR) }],
  ])("is the warm image below a runner image that stays by %s, and all that it is made of", (_, fields, question) => {
    const manifests = [
      manifest("runner", { repository: RUNNER, layers: ["b", "c"], ...fields }),
      manifest("old runner", { repository: RUNNER, layers: ["b", "o"] }),
      manifest("warm", { layers: ["b", "c"], tags: [`inputs-${hex("warm")}`] }),
      manifest("record", { subject: digest("warm") }),
      manifest("old warm", { layers: ["b", "o"] }),
      manifest("base", { tags: [`base-${hex("base").slice(0, 16)}`], layers: ["b"] }),
      manifest("layer", { tags: [layerTag("layer")], layers: ["c"] }),
      manifest("spare", { tags: [layerTag("spare")], layers: ["o"] }),
    ];
    const bases = new Map([
      [digest("runner"), digest("warm")],
      [digest("old runner"), digest("old warm")],
    ]);
    const { keep, remove } = outcome(manifests, { repositories: [WARM, RUNNER], bases, ...question });
    expect(Object.keys(keep)).toEqual(["runner", "warm", "record", "base", "layer"]);
    // Of one that a stack names it is known by its layers as well.
    expect(keep.warm).toMatch(new RegExp(`^(warm image of|built from) ${digest("runner").slice(0, 19)}`));
    expect(remove).toEqual(["old runner", "old warm", "spare"]);
  });

  it("is the warm image below each image of an index", () => {
    const manifests = [
      manifest("index", { repository: RUNNER, tags: ["v1.0.0"], children: [digest("amd64"), digest("arm64")] }),
      ...["amd64", "arm64"].map((name) => manifest(name, { repository: RUNNER, layers: [name] })),
      ...["warm amd64", "warm arm64", "other"].map((name) => manifest(name, { layers: [name] })),
    ];
    const bases = new Map(["amd64", "arm64"].map((name) => [digest(name), digest(`warm ${name}`)]));
    expect(outcome(manifests, { bases }).remove).toEqual(["other"]);
  });

  it("is what is too young to go, and all that it leads to", () => {
    const manifests = [
      manifest("young", { children: [digest("its part")], tags: [`inputs-${hex("young")}`] }),
      manifest("its part", { layers: ["l"] }),
      manifest("its layer", { layers: ["l"], tags: [layerTag("l")] }),
      manifest("unknown"),
      manifest("old"),
    ];
    const ages = new Map([
      [digest("young"), 23],
      [digest("old"), 25],
    ]);
    const since = ({ digest: found }: StoredManifest) =>
      found === digest("unknown") ? undefined : NOW - (ages.get(found) ?? 100) * HOUR;
    const { keep, remove } = outcome(manifests, { since });
    expect(keep).toMatchObject({ young: "younger than 24 h", unknown: "not known to be unused for 24 h" });
    expect(Object.keys(keep)).toHaveLength(4);
    expect(remove).toEqual(["old"]);
    // Their time counts from now on too, not only once what holds them is gone.
    expect(plan(manifests, { since }).unused).toHaveLength(5);
    expect(outcome(manifests, { since, graceMs: 0 }).remove).toHaveLength(5);
  });
});

describe("what stays for a while", () => {
  const DAY = 24 * HOUR;

  it("is a shard, for a week: the last jobs of a release may wait that long", () => {
    const manifests = [
      manifest("shard", { tags: [`shard-base-${hex("shard")}`] }),
      manifest("its entries", { subject: digest("shard") }),
      manifest("layer", { tags: [layerTag("layer")] }),
    ];
    const after = (days: number, graceMs = DAY) => outcome(manifests, { since: () => NOW - days * DAY, graceMs });
    for (const found of [after(6), after(6, 0)]) {
      expect(found.keep).toEqual({
        shard: "younger than 168 h",
        "its entries": `referrer of ${digest("shard").slice(0, 19)}`,
      });
      expect(found.remove).toEqual(["layer"]);
    }
    expect(after(6, 10 * DAY).remove).toEqual([]);
    expect(after(8).remove).toEqual(["its entries", "shard", "layer"]);
    expect(outcome(manifests, { since: () => undefined, graceMs: 0 }).remove).toEqual(["layer"]);
  });

  it("is what a bake found again, as long as if it were new", () => {
    const tags = (at: number) => [`inputs-${hex("found")}`, usedTag(digest("found"), at)];
    const after = (hours: number, graceMs = DAY) => {
      const manifests = [manifest("found", { tags: tags(NOW - hours * HOUR), layers: ["l"] })];
      return plan([...manifests, manifest("layer", { tags: [layerTag("l")], layers: ["l"] })], { graceMs });
    };
    expect(after(5).keep.map(({ reason }) => reason)).toEqual([
      "younger than 24 h",
      expect.stringContaining("layer of"),
    ]);
    expect(after(5).foreign).toEqual([]);
    // The whole of its day counts, so two days later it is over at the latest.
    expect(after(48).remove.map((one) => nameOf(one.digest))).toEqual(["found", "layer"]);
    expect(after(5, 0).remove).toHaveLength(2);
    // A clock that was a year ahead keeps nothing.
    expect(after(-365 * 24).remove).toHaveLength(2);
  });

  it("loses the tags of its uses in the end, if it stays for another reason", () => {
    const [old, young] = [usedTag(digest("named"), NOW - 72 * HOUR), usedTag(digest("named"), NOW)];
    const gone = manifest("gone", { tags: [usedTag(digest("gone"), NOW - 72 * HOUR)] });
    const found = plan([manifest("named", { tags: [old, young] }), gone], { roots: [root("named")] });
    expect(found.expired).toEqual([{ repository: WARM, tag: old }]);
    expect(found.remove.map((one) => nameOf(one.digest))).toEqual(["gone"]);
  });
});

describe("what goes", () => {
  it("goes deepest first, and says what must be gone before it", () => {
    const fallback = digest("image").replace(":", "-");
    const manifests = [
      manifest("index", { children: [digest("image")] }),
      manifest("image"),
      manifest("fallback", { tags: [fallback], children: [digest("record")] }),
      manifest("record", { subject: digest("image") }),
      manifest("signature", { subject: digest("record") }),
    ];
    expect(outcome(manifests).remove).toEqual(["signature", "record", "fallback", "image", "index"]);
    const image = plan(manifests).remove.find((one) => one.digest === digest("image"));
    expect(image?.after.toSorted()).toEqual([digest("fallback"), digest("record")].sort());
  });

  it("counts the bytes that nothing else has, each once", () => {
    const manifests = [
      manifest("kept", { layers: ["shared"] }),
      manifest("one", { layers: ["shared", "theirs"] }),
      manifest("two", { layers: ["theirs", "own"] }),
      manifest("two", { repository: RUNNER, layers: ["own"] }),
    ];
    const found = plan(manifests, { roots: [root("kept")], repositories: [WARM, RUNNER] });
    expect(found.remove.map(({ bytes }) => bytes)).toEqual([101, 101, 101]);
    expect(freedBytes(found)).toBe(303);
  });
});
