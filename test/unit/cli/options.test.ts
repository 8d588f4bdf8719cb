import { describe, expect, it } from "vitest";
import { noArguments, oneArgument, optional, repeated, required } from "../../../cli/options.ts";

const values = { stack: "dev", empty: "", json: true, provider: ["aws", "gcp"] };

describe("options", () => {
  it.each([
    ["stack", "dev"],
    ["empty", ""],
    ["json", undefined],
    ["provider", undefined],
    ["none", undefined],
  ])("optional %s is %j", (name, value) => {
    expect(optional(values, name)).toBe(value);
  });

  it("requires a value that says something, and names the option", () => {
    expect(required(values, "stack")).toBe("dev");
    for (const name of ["empty", "none", "json"]) {
      expect(() => required(values, name)).toThrow(
        expect.objectContaining({ kind: "usage", message: `--${name} is missing` }),
      );
    }
  });

  it("gives all values of an option that may be repeated", () => {
    expect(repeated(values, "provider")).toEqual(["aws", "gcp"]);
    expect(repeated(values, "stack")).toEqual([]);
    expect(repeated(values, "none")).toEqual([]);
  });

  it("gives the one argument of a command, and refuses none and more", () => {
    expect(oneArgument(["here"], "DIR")).toBe("here");
    for (const [given, message] of [
      [[], "DIR is missing"],
      [[""], "DIR is missing"],
      [["a", "b"], '"b" is one argument too many'],
    ] as const) {
      expect(() => oneArgument(given, "DIR")).toThrow(expect.objectContaining({ kind: "usage", message }));
    }
  });

  it("refuses an argument that nobody asked for", () => {
    noArguments([]);
    expect(() => {
      noArguments(["extra", "more"]);
    }).toThrow(expect.objectContaining({ kind: "usage", message: '"extra" is one argument too many' }));
  });
});
