import { describe, expect, it } from "vitest";
import { requireNoFailures, unexpectedFailures } from "../../../cache/planning.ts";
import { KilnError } from "../../../errors.ts";

const FAILURES = { "m/aws/vpc": "undefined: x", "m/gcp/gke": "syntax error" };

describe("unexpectedFailures", () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ["without a glob", [], ["m/aws/vpc", "m/gcp/gke"]],
    ["with the name of one", ["m/aws/vpc"], ["m/gcp/gke"]],
    ["with a glob", ["m/aws/*"], ["m/gcp/gke"]],
    ["with a glob for all", ["m/**"], []],
    ["with one each", ["m/aws/*", "**/gke"], []],
    ["with a part of a name", ["m/aws"], ["m/aws/vpc", "m/gcp/gke"]],
  ])("%s", (_, globs, directories) => {
    expect(unexpectedFailures(FAILURES, globs).map(([directory]) => directory)).toEqual(directories);
  });
});

describe("requireNoFailures", () => {
  it("accepts none, and those that were allowed for", () => {
    expect(() => {
      requireNoFailures({}, []);
      requireNoFailures(FAILURES, ["**"]);
    }).not.toThrow();
  });

  it.each([
    [["m/gcp/*"], "1 program does not compile:\n  m/aws/vpc: undefined: x"],
    [[], "2 programs do not compile:\n  m/aws/vpc: undefined: x\n  m/gcp/gke: syntax error"],
  ])("names each program with its error, allowed: %j", (allowed, message) => {
    let thrown: unknown;
    try {
      requireNoFailures(FAILURES, allowed);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(KilnError);
    expect(thrown).toMatchObject({
      kind: "failed",
      message,
      mend: expect.stringContaining("--allow-failed") as string,
    });
  });
});
