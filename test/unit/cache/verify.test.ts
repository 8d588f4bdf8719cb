import { describe, expect, it } from "vitest";
import { parseBuilds } from "../../../cache/verify.ts";

function program(directory: string) {
  return { provider: "p", module: "m", directory, goModule: "." };
}

const compile = (name: string) =>
  `/usr/local/go/pkg/tool/linux_amd64/compile -o $WORK/b001/_pkg_.a -trimpath "$WORK/b001=>" -p ${name} -complete -pack ./main.go`;

const hit = (directory: string) =>
  `kiln-build first 0 100.0 102.5 ${directory}\nkiln-build second 0 102.5 103.0 ${directory}\n`;

describe("parseBuilds", () => {
  it("passes programs that compiled nothing, with the time of both builds", () => {
    const text = hit("m/aws/vpc") + hit("m/gcp/x");
    expect(parseBuilds(text, [program("m/aws/vpc"), program("m/gcp/x")])).toEqual({
      programs: [
        { directory: "m/aws/vpc", compiled: [], firstSeconds: 2.5, secondSeconds: 0.5 },
        { directory: "m/gcp/x", compiled: [], firstSeconds: 2.5, secondSeconds: 0.5 },
      ],
      compileActions: 0,
      passed: true,
    });
  });

  it("names what was compiled, once and sorted, and main packages by their directory", () => {
    const text = [
      "kiln-build first 0 1 2 m/aws/vpc",
      compile("main"),
      compile("net/http"),
      compile("example.com/aws/ec2"),
      "kiln-build second 0 2 3 m/aws/vpc",
      compile("main"),
      "kiln-build first 0 3 4 m/gcp/x",
      compile("main"),
      "kiln-build second 0 4 5 m/gcp/x",
    ].join("\n");
    const { programs, compileActions, passed } = parseBuilds(text, [program("m/aws/vpc"), program("m/gcp/x")]);
    expect(programs.map(({ compiled }) => compiled)).toEqual([
      ["example.com/aws/ec2", "main of m/aws/vpc", "net/http"],
      ["main of m/gcp/x"],
    ]);
    expect(compileActions).toBe(4);
    expect(passed).toBe(false);
  });

  it("sees a package that only the second build compiled", () => {
    const text = `kiln-build first 0 1 2 m\nkiln-build second 0 2 3 m\n${compile("fmt")}\n`;
    expect(parseBuilds(text, [program("m")])).toMatchObject({ compileActions: 1, passed: false });
  });

  it("does not pass a build that failed, though it compiled nothing", () => {
    const text = [
      "kiln-build first 1 1 2 m",
      "kiln-error main.go:3:2: cannot find module providing package example.com/x",
      "kiln-error   and more",
      hit("n"),
    ].join("\n");
    expect(parseBuilds(text, [program("m"), program("n")])).toMatchObject({
      programs: [
        {
          directory: "m",
          error: "go build exited with 1\nmain.go:3:2: cannot find module providing package example.com/x\n  and more",
        },
        { directory: "n" },
      ],
      compileActions: 0,
      passed: false,
    });
  });

  it("takes a directory with spaces as it is", () => {
    expect(parseBuilds(hit("m/a b/c"), [program("m/a b/c")]).passed).toBe(true);
  });

  it.each([
    ["nothing at all", ""],
    ["another program only", hit("m/gcp/x")],
    ["compile lines of nobody", compile("fmt")],
    ["the first of two builds only", "kiln-build first 0 1 2 m/aws/vpc\n"],
  ])("throws rather than take a program for warm that printed %s", (_, text) => {
    expect(() => parseBuilds(text, [program("m/aws/vpc")])).toThrow(/the build of m\/aws\/vpc/);
  });
});
