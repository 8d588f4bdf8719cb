import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredManifest } from "../../../registry/stored-manifest.ts";
import type { Root } from "../../../release/reachable.ts";
import { registryTag } from "../../../release/registry-tag.ts";
import { retentionPlan, type RetentionQuestion } from "../../../release/retention.ts";
import { digest, hex, HOUR, layerTag, manifest, NOW, RUNNER, WARM } from "../../support/stored-manifests.ts";

const root = (name: string): Root => ({ repository: WARM, digest: digest(name), reason: `${name} is named` });

describe("a plan", () => {
  const names = Array.from({ length: 14 }, (_, index) => `m${index}`);
  const name = fc.constantFrom(...names);
  const layers = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { maxLength: 3 });
  const tag = fc.oneof(
    fc.constantFrom("v1.2.3", "latest", "nightly", "1.2.3", `inputs-${hex("i")}`, `verified-aws-${hex("v")}`),
    fc.constantFrom(
      layerTag("a"),
      layerTag("b"),
      `base-${hex("b").slice(0, 16)}`,
      `promoted-${hex("p")}`,
      `shard-1-${hex("s")}`,
    ),
    name.map((of) => digest(of).replace(":", "-")),
    name.map((of) => `${digest(of).replace(":", "-")}.sig`),
  );
  /** Manifests of two repositories; a manifest refers only to earlier ones, as digests make sure. */
  const graphs = fc
    .array(
      fc.record({
        repository: fc.constantFrom(WARM, WARM, RUNNER),
        tags: fc.uniqueArray(tag, { maxLength: 2 }),
        children: fc.array(fc.nat(), { maxLength: 2 }),
        layers,
        subject: fc.option(fc.nat(), { nil: undefined }),
      }),
      { minLength: 1, maxLength: names.length },
    )
    .map((all) =>
      all.map(({ repository, tags, children, layers: own, subject }, index) => {
        const earlier = (number: number) => digest(names[number % Math.max(index, 1)] ?? "");
        return manifest(names[index] ?? "", {
          ...{ repository, tags, layers: children.length > 0 ? [] : own },
          children: index === 0 ? [] : children.map(earlier),
          ...(subject === undefined || index === 0 ? {} : { subject: earlier(subject) }),
        });
      }),
    );
  const roots = fc.uniqueArray(name, { maxLength: 4 }).map((all) => all.map((one) => root(one)));
  const ages = fc.array(fc.option(fc.integer({ min: 0, max: 48 }), { nil: undefined }), {
    minLength: names.length,
    maxLength: names.length,
  });
  const questions = fc.record({ manifests: graphs, roots, ages }).map(({ manifests, roots: named, ages: hours }) => ({
    ...{ manifests, roots: named, repositories: [WARM, RUNNER] },
    since: ({ digest: found }: StoredManifest) => {
      const age = hours[names.findIndex((one) => digest(one) === found)];
      return age === undefined ? undefined : NOW - age * HOUR;
    },
  }));
  const of = (question: Omit<RetentionQuestion, "now" | "graceMs"> & Partial<RetentionQuestion>) =>
    retentionPlan({ now: NOW, graceMs: 24 * HOUR, ...question });
  const key = ({ repository, digest: found }: Pick<StoredManifest, "repository" | "digest">) =>
    `${repository}@${found}`;

  it("has each manifest once, on one side", () => {
    fc.assert(
      fc.property(questions, (question) => {
        const { keep, remove } = of(question);
        expect([...keep, ...remove].map(key).sort()).toEqual(question.manifests.map(key).sort());
      }),
    );
  });

  it("never deletes what anything that stays leads to, nor what is named, foreign or young", () => {
    fc.assert(
      fc.property(questions, (question) => {
        const { keep, remove } = of(question);
        const [kept, doomed] = [new Set(keep.map(key)), new Set(remove.map(key))];
        const stays = question.manifests.filter((one) => kept.has(key(one)));
        const held = new Set(stays.flatMap((one) => one.layers));
        for (const one of question.manifests.filter((each) => doomed.has(key(each)))) {
          const { repository, digest: found, subject, tags, layers: own } = one;
          const above = stays.filter((each) => each.repository === repository);
          const subjects = tags.flatMap((each) => {
            const known = registryTag(each);
            return known.kind === "attached" ? [known.subject] : [];
          });
          expect(above.flatMap(({ children }) => children)).not.toContain(found);
          for (const named of [...subjects, ...(subject === undefined ? [] : [subject])]) {
            expect(above.map((each) => each.digest)).not.toContain(named);
          }
          expect(question.roots.map((each) => each.digest)).not.toContain(found);
          expect(tags.map((each) => registryTag(each).kind)).not.toEqual(expect.arrayContaining(["foreign"]));
          expect(tags.map((each) => registryTag(each).kind)).not.toEqual(expect.arrayContaining(["release"]));
          expect(NOW - (question.since(one) ?? NOW)).toBeGreaterThanOrEqual(24 * HOUR);
          const isLayer = tags.some((each) => registryTag(each).kind === "layer") && one.children.length === 0;
          if (isLayer && own.length > 0) expect(own.every((layer) => held.has(layer))).toBe(false);
        }
      }),
    );
  });

  it("never keeps less for more roots, or for a longer grace", () => {
    fc.assert(
      fc.property(questions, roots, fc.nat({ max: 72 }), fc.nat({ max: 72 }), (question, more, hours, longer) => {
        const [graceMs, longerMs] = [hours * HOUR, (hours + longer) * HOUR];
        const before = of({ ...question, graceMs }).keep.map(key);
        const after = of({ ...question, graceMs: longerMs, roots: [...more, ...question.roots] }).keep.map(key);
        expect(after).toEqual(expect.arrayContaining(before));
      }),
    );
  });

  it("has nothing left to do once it is carried out, and keeps what it kept", () => {
    fc.assert(
      fc.property(questions, (question) => {
        const first = of(question);
        const gone = new Set(first.remove.map(key));
        const second = of({ ...question, manifests: question.manifests.filter((one) => !gone.has(key(one))) });
        expect(second.remove).toEqual([]);
        expect(second.keep.map(key)).toEqual(first.keep.map(key));
      }),
    );
  });

  it("can stop anywhere: what is left can be found from what its parts and referrers belong to", () => {
    fc.assert(
      fc.property(questions, (question) => {
        const { remove } = of({ ...question, graceMs: 0 });
        const position = new Map(remove.map((one, index) => [key(one), index]));
        const leadsTo = (from: string, to: string, seen = new Set<string>()): boolean => {
          const one = remove[position.get(from) ?? -1];
          if (one === undefined || seen.has(from)) return false;
          seen.add(from);
          const next = one.after.map((found) => `${one.repository}@${found}`);
          return next.includes(to) || next.some((found) => leadsTo(found, to, seen));
        };
        for (const one of remove) {
          for (const before of one.after.map((found) => `${one.repository}@${found}`)) {
            // What is attached by tag to its own part has no order; digests alone allow no circle.
            if (!leadsTo(before, key(one))) expect(position.get(before)).toBeLessThan(position.get(key(one)) ?? -1);
          }
        }
      }),
    );
  });
});
