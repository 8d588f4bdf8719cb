import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import {
  freshnessOf,
  freshnessWarning,
  REBUILD_AFTER_DAYS,
  REFUSED_AFTER_DAYS,
  releaseOfLabels,
  secondOfAge,
} from "../../../../runners/upkeep/freshness.ts";

const release = { version: "2.337.0", released: "2026-09-15" };
const AT = "stacks/Pulumi.dev.yaml: kiln:actionsRunner.released";
const DAY = 86_400_000;
const after = (days: number, released = release.released) => new Date(Date.parse(released) + days * DAY);

describe("freshnessOf", () => {
  it.each([
    [0, "fresh"],
    [19, "fresh"],
    [19.999, "fresh"],
    [20, "aging"],
    [29.999, "aging"],
    [30, "refused"],
    [400, "refused"],
  ])("%d days after the release is %s", (days, kind) => {
    expect(freshnessOf(release, after(days)).kind).toBe(kind);
  });

  it("says how many days are left, and what to do", () => {
    expect(freshnessOf(release, after(29))).toMatchObject({
      days: 29,
      message: expect.stringMatching(/^runner 2\.337\.0 was released 29 days ago.*in 1 day\. Rebuild/) as string,
    });
  });

  it("of what is not recorded is unknown, and says how to record it", () => {
    expect(freshnessOf(undefined, after(0))).toMatchObject({
      kind: "unknown",
      message: expect.stringContaining("RUNNER_RELEASED") as string,
    });
  });

  it("takes a day that has begun elsewhere, and refuses a later one", () => {
    expect(freshnessOf(release, after(-14 / 24))).toEqual({ kind: "fresh", days: 0 });
    expect(() => freshnessOf(release, after(-1.5))).toThrow("2 days from now");
    expect(() => freshnessOf(release, after(-400))).toThrow(KilnError);
  });

  it.each(["", "2026-9-15", "2026-02-30", "2026-13-01", "yesterday"])("refuses the date %j", (released) => {
    expect(() => freshnessOf({ version: "2.337.0", released }, after(0))).toThrow("is no day");
  });

  it("only gets older as time goes by, whatever the release", () => {
    const order = ["fresh", "aging", "refused"];
    const day = fc.date({ min: new Date("2020-01-01"), max: new Date("2090-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(day, fc.nat(5000), fc.nat(5000), (date, hours, more) => {
        const released = date.toISOString().slice(0, 10);
        const [first, later] = [hours, hours + more].map((count) =>
          freshnessOf({ version: "2.337.0", released }, after(count / 24, released)),
        );
        expect(order.indexOf(later?.kind ?? "")).toBeGreaterThanOrEqual(order.indexOf(first?.kind ?? ""));
      }),
    );
  });
});

describe("freshnessWarning", () => {
  it("is nothing for a fresh runner, a warning for an aging one, a failure that names the place for a refused one", () => {
    expect(freshnessWarning(release, after(REBUILD_AFTER_DAYS - 1), AT)).toBeUndefined();
    expect(freshnessWarning(release, after(REBUILD_AFTER_DAYS), AT)).toMatch(new RegExp(`^${AT}: runner 2`));
    expect(freshnessWarning(undefined, after(0), AT)).toMatch(/not known/);
    expect(() => freshnessWarning(release, after(REFUSED_AFTER_DAYS), AT)).toThrow(
      expect.objectContaining({
        kind: "usage",
        message: expect.stringContaining(`${AT}: runner 2.337.0 was released 30 days ago`) as string,
        mend: expect.stringContaining("newer runner release") as string,
      }) as Error,
    );
  });
});

describe("releaseOfLabels", () => {
  const labels = { "dev.kiln.runner.version": "2.337.0", "dev.kiln.runner.released": "2026-09-15" };

  it("reads what an image records", () => {
    expect(releaseOfLabels({ ...labels, other: "x" })).toEqual(release);
  });

  it.each([
    {},
    { ...labels, "dev.kiln.runner.version": "" },
    { ...labels, "dev.kiln.runner.version": "latest" },
    { ...labels, "dev.kiln.runner.released": "" },
    { ...labels, "dev.kiln.runner.released": "2026-02-30" },
  ])("finds none in %j", (found) => {
    expect(releaseOfLabels(found)).toBeUndefined();
  });
});

it("secondOfAge is the second at which a release changes its kind", () => {
  const second = secondOfAge(release, REBUILD_AFTER_DAYS) ?? 0;
  expect(freshnessOf(release, new Date(second * 1000)).kind).toBe("aging");
  expect(freshnessOf(release, new Date(second * 1000 - 1)).kind).toBe("fresh");
  expect(secondOfAge({ version: "2.337.0", released: "soon" }, 20)).toBeUndefined();
});
