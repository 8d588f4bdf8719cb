import { describe, expect, it } from "vitest";
import { parseStarts } from "../../../cache/verify-binaries.ts";

const program = (directory: string) => ({ provider: "p", module: "m", directory, goModule: "." });
const document = (commands: Readonly<Record<string, string>>) => `${JSON.stringify(commands, null, 1)}\n`;
const start = (name: string, code = 0, said = `kiln: ${name} reaches its main`) =>
  `kiln-start ${name} ${code} 10.5 10.56\nkiln-said ${said}\n`;

const COMMANDS = `${document({ "m/aws/x": "aws-x", "m/aws/y": "aws-y" })}${document({ "m/gcp/x": "gcp-x" })}kiln-commands\n`;

describe("parseStarts", () => {
  it("passes programs whose commands reach their own main, with the time of each", () => {
    const text = COMMANDS + start("aws-x") + start("aws-y") + start("gcp-x");
    const { programs, compileActions, passed } = parseStarts(text, [program("m/aws/x"), program("m/gcp/x")]);
    expect([compileActions, passed]).toEqual([0, true]);
    expect(programs.map(({ directory }) => directory)).toEqual(["m/aws/x", "m/gcp/x"]);
    expect(programs[0]?.startSeconds).toBeCloseTo(0.06);
  });

  it.each([
    ["ends with another code", start("aws-x", 2), /aws-x ends with 2 before its main/],
    ["is not there", start("aws-x", 127, "sh: aws-x: not found"), /ends with 127.*not found/],
    ["is another program", start("aws-x", 0, "kiln: aws-y reaches its main"), /aws-y reaches its main/],
  ])("does not pass a command that %s", (_, text, said) => {
    const { programs, passed } = parseStarts(COMMANDS + text, [program("m/aws/x")]);
    expect(programs[0]?.error).toMatch(said);
    expect(passed).toBe(false);
  });

  it("does not pass a program that the image has no command for", () => {
    const { programs, passed } = parseStarts("kiln-commands\n", [program("m/aws/x")]);
    expect([programs[0]?.error, passed]).toEqual(["the image has no command for it", false]);
  });

  it("passes an unproven command that is there, and none that is not", () => {
    const passed = (text: string) => parseStarts(COMMANDS + text, [program("m/aws/x")]).passed;
    expect(passed("kiln-unproven aws-x\n")).toBe(true);
    expect(() => passed("kiln-unproven aws-y\n")).toThrow("the start of aws-x printed nothing");
  });

  it("throws rather than take a program for started of which nothing was printed", () => {
    expect(() => parseStarts(COMMANDS, [program("m/aws/x")])).toThrow("the start of aws-x printed nothing");
  });
});
