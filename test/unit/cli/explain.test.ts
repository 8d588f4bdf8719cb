import { describe, expect, it } from "vitest";
import type { Explanation } from "../../../cache/explain/explain.ts";
import { explainCommand, outcomeOf } from "../../../cli/cache/explain.ts";
import { silent } from "../../../progress.ts";

const difference = (name: string) => ({
  kind: "file" as const,
  input: name,
  line: `${name} changed since warming: warm again`,
});
const COLD: Explanation = {
  ...{ module: "m/aws/bucket", provider: "aws", warm: false, line: "a.go changed since warming: warm again" },
  ...{ differences: [difference("a.go"), difference("b.go")], compiles: { packages: ["x/a", "x/b"], of: 655 } },
};

describe("outcomeOf", () => {
  it("begins with the one line, then says how much, and what else", () => {
    const { text, exitCode, json } = outcomeOf(COLD);
    expect(text).toBe(
      "a.go changed since warming: warm again\n  up to 2 of 655 packages: x/a, x/b\n  also: b.go changed since warming: warm again",
    );
    expect([exitCode, json]).toEqual([3, COLD]);
  });

  it("exits with 0 where a program is warm", () => {
    const { text, exitCode } = outcomeOf({ ...COLD, warm: true, line: "warm", compiles: { packages: [], of: 655 } });
    expect(text.split("\n")).toEqual([
      "warm",
      ...["a", "b"].map((name) => `  without effect: ${difference(`${name}.go`).line}`),
    ]);
    expect(exitCode).toBeUndefined();
  });

  it("shortens long lists, which --json has whole", () => {
    const packages = Array.from({ length: 20 }, (_, index) => `p${index}`);
    const differences = Array.from({ length: 20 }, (_, index) => difference(`f${index}`));
    const { text } = outcomeOf({ ...COLD, differences, compiles: { packages, of: 655 } });
    expect(text).toContain("p11 and 8 more (--json lists all)");
    expect(text).toContain("also: 8 more differences (--json lists all)");
  });

  it("says that all entries are there, and what Go says instead of a count that it cannot have", () => {
    expect(outcomeOf({ ...COLD, compiles: { packages: [], of: 655 } }).text).toContain(
      "all 655 packages are there all the same",
    );
    const { text } = outcomeOf({ ...COLD, fault: "go: broken\nindeed" });
    expect(text).toContain("\n  Go says: go: broken\n    indeed");
    expect(text).not.toContain("655");
  });
});

describe("kiln cache explain", () => {
  it.each([
    [{}, "either --cache or --image"],
    [{ cache: "a", image: "b", module: "m" }, "either --cache or --image"],
    [{ cache: "a" }, "--module is missing"],
  ])("refuses %j", async (values, said) => {
    await expect(explainCommand.run({ values, positionals: [], progress: silent })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(said) as string,
    });
  });
});
