import { describe, expect, it } from "vitest";
import type { FileVersion } from "../../../release/history.ts";
import { pinnedImages, retentionRoots, type StackHistory } from "../../../release/retention-roots.ts";

const DAY = 86_400_000;
const NOW = Date.parse("2026-12-31T00:00:00Z");
const digest = (number: number) => `sha256:${String(number).padStart(64, "0")}`;
const text = (number: number) => `config:\n  kiln:warmImage: localhost:5180/kiln/warm@${digest(number)}\n`;

/** One version for each age in days, the newest first, each naming the image of its age. */
function versions(ages: readonly number[], textOf: (age: number) => string | undefined = text): readonly FileVersion[] {
  return ages.map((age) => {
    const date = new Date(NOW - age * DAY).toISOString();
    return { commit: `${age}`.padStart(40, "c"), committed: date, authored: date, subject: "s", text: textOf(age) };
  });
}

function numbers(history: Partial<StackHistory>, keepDays: number, keepLast: number): readonly number[] {
  const roots = retentionRoots({ stacks: [], here: [], branches: [], ...history }, { now: NOW, keepDays, keepLast });
  return roots.map((root) => Number(root.digest.slice("sha256:".length))).sort((a, b) => a - b);
}

const prod = (all: readonly FileVersion[]) => ({ stacks: [{ file: "stacks/Pulumi.prod.yaml", versions: all }] });

describe("the window of a stack's history", () => {
  it.each<[string, number, number, readonly number[]]>([
    ["days, with the version that was in force as they began", 50, 0, [1, 40, 80]],
    ["the last versions, whatever their age", 0, 3, [1, 40, 80]],
    ["whichever keeps more", 50, 4, [1, 40, 80, 200]],
    ["nothing but the present", 0, 0, [1]],
  ])("is %s", (_, keepDays, keepLast, kept) => {
    expect(numbers(prod(versions([1, 40, 80, 200, 300])), keepDays, keepLast)).toEqual(kept);
  });

  it("counts versions that name something else, not commits", () => {
    const all = versions([1, 2, 3, 4, 5], (age) => (age < 4 ? `# ${age}\n${text(1)}` : text(age)));
    expect(numbers(prod(all), 0, 2)).toEqual([1, 4]);
  });

  it("of a stack that is gone is days alone", () => {
    const all = versions([10, 20, 30], (age) => (age === 10 ? undefined : text(age)));
    expect(numbers(prod(all), 5, 10)).toEqual([]);
    expect(numbers(prod(all), 15, 10)).toEqual([20]);
  });

  it("has what stands here uncommitted, and what branches name", () => {
    const [old] = versions([400]);
    const branches = old === undefined ? [] : [{ ...old, file: "stacks/Pulumi.prod.yaml", branch: "origin/promote" }];
    const here = [{ file: "stacks/Pulumi.dev.yaml", text: text(7) }];
    expect(numbers({ here, branches }, 90, 10)).toEqual([7, 400]);
  });
});

describe("the reason of a root", () => {
  it("is the newest commit that names it, rather than the file as it stands here", () => {
    const stacks = [{ file: "stacks/Pulumi.prod.yaml", versions: versions([1, 2], () => text(5)) }];
    const here = [{ file: "stacks/Pulumi.prod.yaml", text: text(5) }];
    const roots = retentionRoots({ stacks, here, branches: [] }, { now: NOW, keepDays: 90, keepLast: 10 });
    expect(roots).toEqual([
      { repository: "localhost:5180/kiln/warm", digest: digest(5), reason: "stacks/Pulumi.prod.yaml at ccccccc" },
    ]);
  });
});

describe("pinnedImages", () => {
  it("finds every digest with its repository, whatever stands around it", () => {
    const said = `a: {x: "ghcr.io/o/r/w:v1@${digest(1)}"} # was localhost:5180/w@${digest(2)}, ghcr.io/o/r@${digest(3)}0\n`;
    expect(pinnedImages(said)).toEqual([
      { repository: "ghcr.io/o/r/w", digest: digest(1) },
      { repository: "localhost:5180/w", digest: digest(2) },
    ]);
    expect(pinnedImages(undefined)).toEqual([]);
  });
});
