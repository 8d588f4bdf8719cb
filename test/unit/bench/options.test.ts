import path from "node:path";
import { describe, expect, it } from "vitest";
import { helpText, parseOptions } from "../../../bench/options.ts";
import { KilnError } from "../../../errors.ts";

const project = { root: "/checkout", figures: ["warm_wall", "ship", "aged"] };
const parse = (...argv: readonly string[]) => parseOptions(argv, project);

describe("parseOptions", () => {
  it("compares the examples, with every figure, in the work folder of the checkout", () => {
    expect(parse()).toEqual({
      source: "/checkout",
      pattern: "examples/modules/{provider}/{module}",
      providers: [],
      allowFailed: [],
      figures: project.figures,
      work: "/checkout/.kiln/bench",
      fresh: false,
      json: undefined,
    });
  });

  it("takes providers and figures with commas or repeated, and shows figures in the table's order", () => {
    const options = parse("--provider", "aws,gcp", "--provider", "azure", "--figures", "aged,warm_wall");
    expect(options).toMatchObject({ providers: ["aws", "gcp", "azure"], figures: ["warm_wall", "aged"] });
  });

  it("makes paths absolute, and leaves the address of a repository alone", () => {
    const named = parse("--source", "repo", "--modules", "{provider}/{module}", "--work", "w", "--json", "out.json");
    expect(named).toMatchObject({
      source: path.resolve("repo"),
      work: path.resolve("w"),
      json: path.resolve("out.json"),
    });
    const address = "https://git.example.com/owner/repo#0123abc:modules";
    expect(parse("--source", address, "--modules", "{provider}/{module}")).toMatchObject({ source: address });
  });

  it("asks for the pattern of a source, and names a figure that there is not with those that there are", () => {
    expect(() => parse("--source", "repo")).toThrow(/--source says nothing of where/);
    expect(() => parse("--figures", "warm_wall,speed")).toThrow(/names speed, which is no figure/);
    expect(() => parse("--figures", "")).toThrow(/names nothing/);
    const thrown = (() => {
      try {
        parse("--figures", "speed");
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(KilnError);
    expect(thrown).toMatchObject({ kind: "usage", mend: "Choose some of: warm_wall, ship, aged." });
  });

  it("refuses what it does not know", () => {
    expect(() => parse("--shards", "8")).toThrow(/--shards/);
    expect(() => parse("examples")).toThrow(KilnError);
  });

  it("explains itself, every figure named", () => {
    expect(parse("--help")).toBe("help");
    const help = helpText(project);
    for (const figure of project.figures) expect(help).toContain(figure);
    expect(help).toContain("--fresh");
  });
});
