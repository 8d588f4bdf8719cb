import { describe, expect, it } from "vitest";
import { pruneCommand, pruneReport } from "../../../../cli/release/prune.ts";
import { silent } from "../../../../progress.ts";
import type { Prune } from "../../../../release/prune.ts";

const WARM = "localhost:5180/kiln/warm";
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const removal = { repository: WARM, digest: digest("b"), tags: ["inputs-1"], bytes: 1_500_000, after: [] };

const done: Prune = {
  ...{ repositories: [WARM, "localhost:5180/kiln/runner"], dryRun: true, foreign: [`${WARM}:nightly`] },
  keep: [{ repository: WARM, digest: digest("a"), tags: [], reason: "stacks/Pulumi.prod.yaml at abc1234" }],
  remove: [
    { ...removal, ageMs: 73 * 3_600_000 },
    { ...removal, digest: digest("c"), tags: [], bytes: 10 },
  ],
  ...{ removed: [], failed: [], skipped: [] },
};

describe("pruneReport", () => {
  it("says on a dry run what stays and why, what would go, and how to let it go", () => {
    expect(pruneReport(done).split("\n")).toEqual([
      WARM,
      "  stays  sha256:aaaaaaaaaaaa               no tag    stacks/Pulumi.prod.yaml at abc1234",
      "  goes   sha256:bbbbbbbbbbbb  1.5 MB  3 d  inputs-1",
      "  goes   sha256:cccccccccccc  10 B         no tag",
      "localhost:5180/kiln/runner",
      "  nothing is there",
      `not kiln's, and therefore left: ${WARM}:nightly`,
      "dry run: manifests: 1 stay, 2 would go with 1.5 MB; --yes deletes them",
    ]);
  });

  it("names two tags of an image that has many, so that the reason stays in sight", () => {
    const keep = [{ repository: WARM, digest: digest("a"), tags: ["a", "b", "c", "d"], reason: "tag a" }];
    expect(pruneReport({ ...done, keep })).toMatch(/a b and 2 more +tag a$/m);
  });

  it("says afterwards what is gone, and names what failed", () => {
    const failed = [{ what: `${WARM}@${digest("c")}`, reason: "no permission" }];
    const report = pruneReport({ ...done, dryRun: false, removed: done.remove.slice(0, 1), failed });
    expect(report).toContain(`not done: ${WARM}@${digest("c")}: no permission\n`);
    expect(report).toMatch(/^ {2}deleted {2}sha256:b{12} /m);
    expect(report).not.toContain("sha256:cccccccccccc  ");
    expect(report.split("\n").at(-1)).toBe(
      "manifests: 1 stay, 1 deleted; their 1.5 MB are freed when the registry next collects its garbage. 1 not done: run the command again",
    );
  });

  it("says which repository is not this project's", () => {
    const report = pruneReport({ ...done, repositories: [], keep: [], remove: [], skipped: ["localhost:5180/theirs"] });
    expect(report).toMatch(
      /^localhost:5180\/theirs: left alone, because no image is there that a stack's file here names$/m,
    );
  });

  it.each([
    [true, "dry run: manifests: 1 stay, none would go"],
    [false, "no changes: manifests: 1 stay"],
  ])("says where there is nothing to do", (dryRun, ending) => {
    expect(
      pruneReport({ ...done, dryRun, remove: [] })
        .split("\n")
        .at(-1),
    ).toBe(ending);
  });
});

describe("kiln release prune", () => {
  const run = (values: Readonly<Record<string, string | boolean | readonly string[]>>) =>
    pruneCommand.run({ values, positionals: [], progress: silent });

  it.each<[string, Readonly<Record<string, string | readonly string[]>>, string]>([
    ["nothing to clean up", {}, "neither --stack nor --repository"],
    ["a tag", { repository: [`${WARM}:latest`] }, "is no repository"],
    ["a digest", { repository: [`${WARM}@${digest("a")}`] }, "is no repository"],
    ["a host", { repository: ["warm"] }, "is no repository"],
    ["days that are no number", { repository: [WARM], "keep-days": "all" }, "--keep-days all is no whole number"],
    ["less than no versions", { repository: [WARM], "keep-last": "-1" }, "--keep-last -1 is no whole number"],
    ["a half hour", { repository: [WARM], "grace-hours": "0.5" }, "--grace-hours 0.5 is no whole number"],
    [
      "a running image of no stack",
      { repository: [WARM], running: [`${WARM}@${digest("a")}`] },
      "does not say which stack",
    ],
    [
      "a running image by its tag",
      { repository: [WARM], running: [`prod=${WARM}:latest`] },
      "does not say which stack",
    ],
    ["a stack that is not there", { stack: ["nowhere"] }, "there is no stacks/Pulumi.nowhere.yaml"],
  ])("refuses %s", async (_, values, said) => {
    const error = { kind: "usage", message: expect.stringContaining(said) as string };
    await expect(run(values)).rejects.toMatchObject(error);
  });
});
