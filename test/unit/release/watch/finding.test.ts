import { expect, it } from "vitest";
import { attemptIn, tagMessage } from "../../../../release/watch/finding.ts";

it("a tag says how often the watcher has pushed it, and nothing where somebody else did", () => {
  expect([1, 2, 12].map((attempt) => attemptIn(tagMessage("tried for 50 h", attempt)))).toEqual([1, 2, 12]);
  // Tags of before retries.
  expect(attemptIn("Pushed by kiln watch: new: known to github and npm")).toBe(1);
  expect(["by hand", "", "Attempt: 1", "by hand\n\nPushed by kiln watch: x"].map(attemptIn)).toEqual(
    Array(4).fill(undefined),
  );
});
