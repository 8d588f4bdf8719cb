import { describe, expect, it } from "vitest";
import { blamed, shortFault } from "../../../../cache/multi-call/reach.ts";

const programAt = (directory: string) => ({
  program: { provider: "aws", module: directory, directory: `m/${directory}`, goModule: "m" },
  importPath: `example.com/m/${directory}`,
  modulePath: "example.com/m",
  debug: [],
});

const members = ["bucket", "bucket/nested", "bucket-policy", "queue"].map(programAt);

const PANIC = `program flag redefined: name
panic: program flag redefined: name

goroutine 1 [running]:
flag.(*FlagSet).Var(0xc0000, {0x1, 0x2}, {0x3, 0x4})
	/usr/local/go/src/flag/flag.go:1028 +0x2a5
flag.String(...)
	flag/flag.go:730
example.com/m/queue.init()
	example.com/m/queue/main.go:9 +0x45
`;

describe("blamed", () => {
  const nameOf = (output: string) => blamed(output, members)?.program.module;

  it.each([
    ["the package of a panic", PANIC, "queue"],
    ["the heading of a compiler's message", "# example.com/m/bucket\nm/bucket/main.go:3:1: undefined: x\n", "bucket"],
    ["a package below a program's", "example.com/m/bucket/module.init.0()\n", "bucket"],
    ["the inner of two nested ones", "example.com/m/bucket/nested.init.0()\n", "bucket/nested"],
    ["a file without -trimpath", "\t/mnt/source/m/bucket-policy/main.go:12 +0x1d\n", "bucket-policy"],
    ["a name that begins as another", "example.com/m/bucket-policy.init()\n", "bucket-policy"],
    ["nothing of theirs", "github.com/other/example.com/m/queue2.init()\nexample.com/m/lib.init()\n", undefined],
  ])("names %s", (_, output, expected) => {
    expect(nameOf(output)).toBe(expected);
  });
});

describe("shortFault", () => {
  it("gives the line of a panic", () => {
    expect(shortFault(PANIC)).toBe("panic: program flag redefined: name");
  });

  it("gives the last lines of anything else, without headings", () => {
    expect(shortFault("# example.com/m/queue\nmain.go:3:1: undefined: x\n\n")).toBe("main.go:3:1: undefined: x");
  });
});
