import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runnerTagOf } from "../../../../release/runner-tag.ts";
import { compareVersions } from "../../../../release/version.ts";
import { decide, tagsToLookUp, type Known } from "../../../../release/watch/decision.ts";
import { AFTER, NOW, HOUR, known, found } from "./watch-world.ts";

describe("decisions", () => {
  // Few versions, so that tags, images and releases often meet.
  const version = fc.constantFrom("3.249.0", "3.252.0", "3.252.1", "3.253.0", "3.253.1", "3.254.0");
  const upstream = fc.record({
    name: fc.oneof(
      { weight: 6, arbitrary: version },
      {
        weight: 1,
        arbitrary: fc.oneof(
          version.map((text) => `v${text}-rc.1`),
          fc.string(),
        ),
      },
    ),
    published: fc.integer({ min: NOW - 200 * HOUR, max: NOW }),
    withdrawn: fc.constantFrom(...Array<undefined>(9).fill(undefined), "yanked"),
  });
  const someTags = fc.array(
    fc.tuple(fc.constantFrom("dev-v", "v", "latest-v"), version).map((parts) => parts.join("")),
  );
  const finding = fc.record({
    missing: fc.constantFrom([], [], ["a:v1"]),
    fault: fc.constant(undefined),
    begun: fc.option(fc.integer({ min: NOW - 200 * HOUR, max: NOW }), { nil: undefined }),
    since: fc.option(fc.integer({ min: NOW - 200 * HOUR, max: NOW }), { nil: undefined }),
    attempt: fc.constantFrom(undefined, 1, 2),
    commit: fc.constant("c".repeat(40)),
    object: fc.constant("0".repeat(40)),
  });
  const world = fc
    .record({ releases: fc.array(upstream), names: someTags, finding })
    .map(({ releases, names, finding: one }) => {
      const clean = releases.map(({ withdrawn, ...rest }) => ({
        ...rest,
        ...(withdrawn === undefined ? {} : { withdrawn }),
      }));
      const tags = [...new Set(names)];
      const findings = new Map(tagsToLookUp(tags, AFTER).map((name) => [name, one]));
      return known(clean, { tags, findings });
    });

  const pushes = (one: Known) => decide(one, AFTER).versions.flatMap(({ tags }) => tags);

  it("push no tag that is there but in its place, none twice, and only tags of the grammar", () => {
    fc.assert(
      fc.property(world, (one) => {
        const pushed = pushes(one);
        expect(new Set(pushed.map(({ name }) => name)).size).toBe(pushed.length);
        for (const { name, instead } of pushed) {
          expect(one.tags.includes(name)).toBe(instead !== undefined);
          expect(runnerTagOf(name)).toBeDefined();
        }
      }),
    );
  });

  it("are made once: after a push the same knowledge asks for nothing more", () => {
    fc.assert(
      fc.property(world, (one) => {
        const pushed = pushes(one);
        const tags = [...new Set([...one.tags, ...pushed.map(({ name }) => name)])];
        // What was begun now has no images yet, and what was begun before still has its own.
        const findings = new Map(
          tagsToLookUp(tags, AFTER).map((name) => {
            const known = pushed.some((tag) => tag.name === name) ? undefined : one.findings.get(name);
            return [name, known ?? found(0, ["a:v1"])];
          }),
        );
        const again = decide({ ...one, tags, findings }, AFTER).versions;
        const left = again.flatMap(({ tags: wanted }) => wanted);
        // Of more versions than one run begins or pushes again, the next run takes the others.
        const twice = new Set(pushed.map(({ name }) => name));
        expect(
          left.filter(({ name, instead }) => twice.has(name) || !(name.startsWith("dev-v") || instead !== undefined)),
        ).toEqual([]);
      }),
    );
  });

  it("push nothing for production, and nothing again there, while a source is silent", () => {
    fc.assert(
      fc.property(world, (one) => {
        const readings = [...one.readings, { source: "pypi", fault: "away" }];
        const names = pushes({ ...one, readings }).map(({ name }) => name);
        expect(names.filter((name) => !name.startsWith("dev-v"))).toEqual([]);
      }),
    );
  });

  it("take no tag away that is older than twice the patience", () => {
    fc.assert(
      fc.property(world, (one) => {
        for (const { name, instead } of pushes(one)) {
          if (instead === undefined) continue;
          const age = (NOW - (one.findings.get(name)?.begun ?? -Infinity)) / HOUR;
          expect(age).toBeLessThan(name.startsWith("dev-v") ? 12 : 144);
        }
      }),
    );
  });

  it("push no tag more than the first time and its retries", () => {
    fc.assert(
      fc.property(world, (one) => {
        for (const { attempt } of pushes(one)) expect(attempt).toBeLessThanOrEqual(AFTER.retries + 1);
      }),
    );
  });

  it("never take latest below what production has, and begin no more than asked for", () => {
    fc.assert(
      fc.property(world, (one) => {
        const names = pushes(one).map(({ name }) => runnerTagOf(name));
        const production = one.tags.flatMap((name) => {
          const tag = runnerTagOf(name);
          return tag !== undefined && tag.channel !== "dev" ? [tag.version] : [];
        });
        // One that is pushed again was the highest when it was pushed first.
        const latest = names.filter((tag) => tag?.channel === "latest" && !one.tags.includes(tag.tag));
        expect(latest.length).toBeLessThanOrEqual(1);
        for (const tag of latest) {
          for (const other of production) expect(tag && compareVersions(tag.version, other)).toBeGreaterThanOrEqual(0);
        }
        const begun = pushes(one).filter(({ name, instead }) => name.startsWith("dev-v") || instead !== undefined);
        const versions = new Set(begun.map(({ name }) => runnerTagOf(name)?.version.text));
        expect(versions.size).toBeLessThanOrEqual(AFTER.backfill);
      }),
    );
  });
});
