import { describe, expect, it } from "vitest";
import { parseBuilds } from "../../../cache/printed-builds.ts";

function program(directory: string) {
  return { provider: "p", module: "m", directory, goModule: "." };
}

const compile = (name: string) =>
  `/usr/local/go/pkg/tool/linux_amd64/compile -o $WORK/b001/_pkg_.a -trimpath "$WORK/b001=>" -p ${name} -complete -pack ./main.go`;

const once = (directory: string) => `kiln-build first 0 100.0 102.5 ${directory}\nkiln-end\n`;
const hit = (directory: string) => `${once(directory)}kiln-build second 0 102.5 103.0 ${directory}\nkiln-end\n`;

describe("parseBuilds", () => {
  it("passes programs that compiled nothing, with the time of each build", () => {
    const text = hit("m/aws/vpc") + once("m/aws/x") + hit("m/gcp/x");
    expect(parseBuilds(text, [program("m/aws/vpc"), program("m/aws/x"), program("m/gcp/x")])).toEqual({
      programs: [
        { directory: "m/aws/vpc", compiled: [], firstSeconds: 2.5, secondSeconds: 0.5 },
        { directory: "m/aws/x", compiled: [], firstSeconds: 2.5 },
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
      "kiln-end",
      "kiln-build second 0 2 3 m/aws/vpc",
      compile("main"),
      "kiln-end",
      "kiln-build first 0 3 4 m/gcp/x",
      compile("main"),
      "kiln-end",
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
    const text = `${once("m")}kiln-build second 0 2 3 m\n${compile("fmt")}\nkiln-end\n`;
    expect(parseBuilds(text, [program("m")])).toMatchObject({ compileActions: 1, passed: false });
  });

  it("does not pass a build that failed, though it compiled nothing", () => {
    const text = [
      "kiln-build first 1 1 2 m",
      "kiln-error main.go:3:2: cannot find module providing package example.com/x",
      "kiln-error   and more",
      "kiln-end",
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

  const stats = (compiled: number) => {
    const counts = { hits: { pack: 1600, own: 2 }, misses: 3, puts: { compile: compiled, index: 0, other: 1 } };
    return `kiln-stats ${JSON.stringify({ ...counts, scratchBytes: 4096 })}`;
  };

  it("says what packed caches served of the first build", () => {
    const text = `kiln-build first 0 1 2 m\n${stats(0)}\nkiln-end\nkiln-build second 0 2 3 m\n${stats(0)}\nkiln-end\n`;
    const { programs, passed } = parseBuilds(text, [program("m")]);
    expect(programs[0]?.served).toEqual({ hits: 1602, misses: 3, compiled: 0, scratchBytes: 4096 });
    expect(passed).toBe(true);
  });

  it("does not pass a build in which a compiled package was kept that Go's text did not show", () => {
    const text = (shown: string) => `kiln-build first 0 1 2 m\n${shown}${stats(1)}\nkiln-end\n`;
    const { programs, passed } = parseBuilds(text(""), [program("m")]);
    expect(programs[0]?.error).toBe("gocache was given 1 compiled packages, Go showed 0");
    expect(passed).toBe(false);
    expect(parseBuilds(text(`${compile("fmt")}\n`), [program("m")]).programs[0]?.error).toBeUndefined();
  });

  it("takes a directory with spaces as it is", () => {
    expect(parseBuilds(hit("m/a b/c"), [program("m/a b/c")]).passed).toBe(true);
  });

  it.each([
    ["nothing at all", ""],
    ["another program only", hit("m/gcp/x")],
    ["compile lines of nobody", compile("fmt")],
    ["a build whose compile lines never came", "kiln-build first 0 1 2 m/aws/vpc\n"],
    ["a second build that broke off", `${once("m/aws/vpc")}kiln-build second 0 2 3 m/aws/vpc\n${compile("fmt")}\n`],
  ])("throws rather than take a program for warm that printed %s", (_, text) => {
    expect(() => parseBuilds(text, [program("m/aws/vpc")])).toThrow(/the build of m\/aws\/vpc/);
  });
});
