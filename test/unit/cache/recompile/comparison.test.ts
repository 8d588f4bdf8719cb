import { describe, expect, it } from "vitest";
import { actionText } from "../../../../cache/build-id.ts";
import { compareActions } from "../../../../cache/recompile/comparison.ts";
import { kindOf, parseAction, type Answer, type OutputKind } from "../../../../cache/recompile/entries.ts";
import { subkey, unitsOf } from "../../../../cache/recompile/units.ts";
import { actionEntry, sha256 } from "../cache-directory.ts";

const id = (name: string) => sha256(`action ${name}`);
const answers = (entries: Readonly<Record<string, readonly [OutputKind, string]>>): ReadonlyMap<string, Answer> =>
  new Map(Object.entries(entries).map(([name, [kind, output]]) => [id(name), { kind, output }]));

describe("reading entries", () => {
  it("takes an action entry for its own action alone", () => {
    const text = actionEntry("fmt", 1n);
    expect(parseAction(id("fmt"), text)).toEqual({ output: sha256("archive of fmt"), size: 14 });
    expect(parseAction(id("io"), text)).toBeUndefined();
    expect(parseAction(id("fmt"), `${text} `)).toBeUndefined();
  });

  it.each([
    ["!<arch>\n__.PKGDEF", "package"],
    ["\x7fELF\x02\x01", "program"],
    ["go index v2\n", "index"],
    ["./a.go\n", "note"],
    ["", "note"],
  ])("tells what %j is", (beginning, kind) => {
    expect(kindOf(Buffer.from(beginning, "latin1"))).toBe(kind);
  });
});

describe("unitsOf", () => {
  it("puts what Go keeps beside a package with it, and leaves notes of no known work alone", () => {
    const [fmt, stray] = [id("fmt"), subkey(id("gone"), "srcfiles")];
    const [printed, files] = [subkey(fmt, "stdout"), subkey(fmt, "srcfiles")];
    const actions = new Map<string, { kind: OutputKind }>([
      [fmt, { kind: "package" }],
      [printed, { kind: "note" }],
      [files, { kind: "note" }],
      [stray, { kind: "note" }],
    ]);
    expect(unitsOf(actions)).toEqual(
      [
        { action: fmt, kind: "package", notes: [printed, files] },
        { action: stray, kind: "note", notes: [] },
      ].sort((a, b) => (a.action < b.action ? -1 : 1)),
    );
  });

  it("computes subkeys and build ID texts as Go does", () => {
    const action = "0".repeat(64);
    expect(subkey(action, "stdout")).toBe(
      sha256(Buffer.concat([Buffer.from("subkey:"), Buffer.alloc(32), Buffer.from("stdout")])),
    );
    expect(actionText(`${"fb".repeat(15)}${"00".repeat(17)}`)).toBe("-_v7-_v7-_v7-_v7-_v7");
  });
});

describe("compareActions", () => {
  const owners = new Map([
    [actionText(id("fmt")), "fmt"],
    [actionText(id("new")), "example.com/new@v1.0.0"],
  ]);
  const compare = (cached: ReadonlyMap<string, Answer>, made: ReadonlyMap<string, Answer>, wholeModules = true) =>
    compareActions({ cached, made, chosen: unitsOf(cached), wholeModules, owners });

  it("finds nothing where both sides answer the same", () => {
    const same = answers({ fmt: ["package", "a"], idx: ["index", "b"] });
    expect(compare(same, same)).toEqual({ differing: [], unmade: [], missing: [], unchecked: 0 });
  });

  it("names a package whose output is another, with both", () => {
    const found = compare(answers({ fmt: ["package", "forged"] }), answers({ fmt: ["package", "true"] }));
    expect(found.differing).toEqual([
      { action: id("fmt"), of: "fmt", kind: "package", cached: "forged", made: "true" },
    ]);
  });

  it("names notes of a package with it", () => {
    const note = subkey(id("fmt"), "stdout");
    const cached = new Map([...answers({ fmt: ["package", "a"] }), [note, { kind: "note", output: "x" } as const]]);
    const made = new Map([...answers({ fmt: ["package", "a"] }), [note, { kind: "note", output: "y" } as const]]);
    expect(compare(cached, made).differing).toMatchObject([{ action: note, of: "fmt", cached: "x", made: "y" }]);
  });

  it("tells planted actions from missing ones", () => {
    const found = compare(
      answers({ fmt: ["package", "a"], planted: ["package", "b"] }),
      answers({ fmt: ["package", "a"], new: ["package", "c"] }),
    );
    expect(found.unmade).toEqual([{ action: id("planted"), of: undefined, kind: "package" }]);
    expect(found.missing).toEqual([{ action: id("new"), of: "example.com/new@v1.0.0", kind: "package" }]);
  });

  it("compares indexes of whole modules, and counts those that nothing here makes", () => {
    const cached = answers({ mod: ["index", "a"], std: ["index", "b"] });
    const made = answers({ mod: ["index", "forged"] });
    expect(compare(cached, made)).toMatchObject({ differing: [{ cached: "a", made: "forged" }], unchecked: 1 });
    expect(compare(cached, made, false)).toMatchObject({ differing: [], unchecked: 2 });
  });
});
