import fc from "fast-check";
import { expect, test } from "vitest";
import { LineReader } from "../../../toolchain/line-reader.ts";

function linesOf(pieces: readonly string[], longest?: number): readonly string[] {
  const lines: string[] = [];
  const reader = new LineReader((line) => lines.push(line), longest);
  for (const piece of pieces) reader.write(piece);
  reader.end();
  return lines;
}

test.each([
  [["a\nb\n"], ["a", "b"]],
  [["a\n\nb"], ["a", "", "b"]],
  [["a\r\nb\rc\n"], ["a", "b", "c"]],
  [
    ["a\r", "\nb"],
    ["a", "b"],
  ],
  [
    ["a\r", "", "\nb"],
    ["a", "b"],
  ],
  [
    ["a\r", "b"],
    ["a", "b"],
  ],
  [
    ["a", "b", "\n", "c"],
    ["ab", "c"],
  ],
  [["a\u2028b\n"], ["a\u2028b"]],
  [[], []],
])("%j is %j", (pieces, lines) => {
  expect(linesOf(pieces)).toEqual(lines);
});

test("a line without end comes in pieces: no program that prints one ends this one", () => {
  expect(linesOf(["abcd", "efg", "h\nijk\n"], 3)).toEqual(["abc", "def", "gh", "ijk"]);
});

test("where pieces are cut makes no difference", () => {
  const piece = fc.string({ unit: fc.constantFrom("a", "\r", "\n") });
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      expect(linesOf(pieces)).toEqual(linesOf([pieces.join("")]));
    }),
  );
});
