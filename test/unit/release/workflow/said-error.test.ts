import { describe, expect, it } from "vitest";
import { saidError } from "../../../../release/workflow/said-error.ts";

describe("saidError", () => {
  it.each<[string, readonly string[], string | undefined]>([
    ["another program's end", ["npm error code ENOENT", "exited with 1"], undefined],
    ["nothing", [], undefined],
    ["a message", ["==> compiling", "kiln: the disk is full", "      Free space."], "the disk is full"],
    [
      "the programs that it names",
      [
        "kiln: 1 program does not compile:",
        "  aws/bucket: aws/bucket/main.go:3:1: no",
        "      Mend it.",
        "exited with 1",
      ],
      "1 program does not compile: aws/bucket: aws/bucket/main.go:3:1: no",
    ],
    ["the last of several", ["kiln: one", "kiln: two"], "two"],
    [
      "some of many",
      ["kiln: 5 do not:", "  a: 1", "  b: 2", "  c: 3", "  d: 4", "  e: 5"],
      "5 do not: a: 1 b: 2 c: 3 and 2 more",
    ],
  ])("is %s", (_, lines, expected) => {
    expect(saidError(lines)).toBe(expected);
  });
});
