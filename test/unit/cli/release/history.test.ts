import { describe, expect, it } from "vitest";
import {
  deploymentsText,
  historyCommand,
  historyText,
  rollbackText,
  type HistoryEntry,
} from "../../../../cli/release/history.ts";
import { silent } from "../../../../progress.ts";
import type { Deployment } from "../../../../release/deployments.ts";
import type { Rollback } from "../../../../release/rollback.ts";

const FILE = "stacks/Pulumi.prod.yaml";
const WARM = "ghcr.io/acme/infra/base-images/iac-runner-warm";
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

const entry: HistoryEntry = {
  ...{ warmImage: `${WARM}@${digest("a")}`, commit: "a".repeat(40), subject: "Promote 1.2.3" },
  ...{ since: "2026-02-01T12:00:00+01:00", authored: "2026-01-31T23:30:00-01:00" },
};

describe("historyText", () => {
  it("is a table with times in UTC, the newest first, and says of uncommitted changes", () => {
    const tags = [`${WARM.slice(0, -5)}:v1.2.3`, `${WARM.slice(0, -5)}:latest`];
    const before = { ...entry, warmImage: `${WARM}@${digest("b")}`, commit: "b".repeat(40), subject: "Bake" };
    const entries: readonly HistoryEntry[] = [
      { ...entry, state: { registry: "verified", tags } },
      { ...before, since: "2026-01-01T00:00:00Z", until: entry.since, state: { registry: "gone", tags: [] } },
    ];
    expect(historyText(FILE, entries, true).split("\n")).toEqual([
      "since             until             image                registry  release        commit   written           subject",
      "2026-02-01 11:00  now               sha256:aaaaaaaaaaaa  verified  v1.2.3 latest  aaaaaaa  2026-02-01 00:30  Promote 1.2.3",
      "2026-01-01 00:00  2026-02-01 11:00  sha256:bbbbbbbbbbbb  gone                     bbbbbbb  2026-02-01 00:30  Bake",
      `${FILE} has changes that are not committed: they are not listed`,
    ]);
  });

  it("says where there is nothing yet", () => {
    expect(historyText(FILE, [], false)).toBe(`${FILE} has named no warm image so far`);
  });
});

describe("deploymentsText", () => {
  const running: Deployment = {
    ...{ kind: "update", result: "in-progress", started: "2026-02-01T11:00:10Z" },
    ...{ commit: "a".repeat(40), dirty: false, message: "" },
  };
  const up: Deployment = {
    ...{ ...running, result: "succeeded", ended: "2026-02-01T11:02:00Z" },
    ...{ warmImage: `${WARM}@${digest("a")}`, message: "Promote 1.2.3\n\nmore" },
  };
  const text = (...deployments: readonly Deployment[]) => deploymentsText("prod", deployments).split("\n");

  it("is a line for each update, with when it ended, its image and its commit", () => {
    expect(text(running, { ...up, dirty: true, result: "failed" }, { ...up, kind: "destroy" })).toEqual([
      "when              what     result       image                commit                message",
      "2026-02-01 11:00  up       in-progress                       aaaaaaa",
      "2026-02-01 11:02  up       failed       sha256:aaaaaaaaaaaa  aaaaaaa with changes  Promote 1.2.3",
      "2026-02-01 11:02  destroy  succeeded    sha256:aaaaaaaaaaaa  aaaaaaa               Promote 1.2.3",
    ]);
  });

  it("says where there was none", () => {
    expect(text()).toEqual(["stack prod was not brought up in the operations that its backend remembers"]);
  });
});

describe("rollbackText", () => {
  const done: Rollback = {
    ...{ stack: "prod", warmImage: `${WARM}@${digest("a")}`, before: `${WARM}@${digest("b")}`, record: digest("c") },
    ...{ from: entry, programs: 12, dryRun: false, unchanged: false },
  };

  it("says what the file says now, what it said, where that is from, and what to do next", () => {
    expect(rollbackText(done).split("\n")).toEqual([
      `warm image  ${WARM}@${digest("a")}`,
      `was         ${WARM}@${digest("b")}`,
      "named at    aaaaaaa, 2026-02-01 11:00: Promote 1.2.3",
      `verified    12 programs; record ${digest("c")}`,
      `wrote ${FILE}: commit it, then \`pulumi up -s prod\``,
    ]);
  });

  it.each<[Partial<Rollback>, string]>([
    [{ dryRun: true }, `dry run: ${FILE} is as it was`],
    [{ unchanged: true }, "no changes"],
  ])("ends otherwise where nothing was written", (fields, ending) => {
    expect(
      rollbackText({ ...done, ...fields })
        .split("\n")
        .at(-1),
    ).toBe(ending);
  });
});

describe("kiln release history", () => {
  it.each<[Readonly<Record<string, string>>, string]>([
    [{}, "--stack is missing"],
    [{ stack: "nowhere" }, "there is no stacks/Pulumi.nowhere.yaml"],
    [{ stack: "local", limit: "0" }, "--limit 0 is no number of images"],
    [{ stack: "local", limit: "all" }, "--limit all is no number of images"],
  ])("refuses %j", async (values, said) => {
    const attempt = historyCommand.run({ values, positionals: [], progress: silent });
    await expect(attempt).rejects.toMatchObject({ kind: "usage", message: said });
  });
});
