import { expect, test } from "vitest";
import { printable, printableLine } from "../../../cli/printable.ts";

test.each([
  ["plain, ünïcödé, 日本\ttab", "plain, ünïcödé, 日本\ttab"],
  ["\u001b[2J", "\u241b[2J"],
  ["\u001b]52;c;eA==\u0007", "\u241b]52;c;eA==\u2407"],
  ["over\rwritten\b", "over\u240dwritten\u2408"],
  ["\u009b31m\u007f", "\ufffd31m\u2421"],
  ["a\u202eb\u2066c", "a\ufffdb\ufffdc"],
  ["two\nlines", "two\nlines"],
  ["a\n::add-mask::b\n \u00a0::error file=c::d::e", "a\n\u2237add-mask::b\n \u00a0\u2237error file=c::d::e"],
  ["a ##[add-mask]b", "a \uff03#[add-mask]b"],
  ["\u0085::debug::x", "\ufffd::debug::x"],
  ["::1\nstd::vector a::b\n## [x]", "::1\nstd::vector a::b\n## [x]"],
])("%j is shown as %j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("a cell is one line", () => {
  expect(printableLine("a\n+  create  b\tc")).toBe("a\u240a+  create  b\u2409c");
  expect(printableLine("::error::a\n::b::c ##[d]")).toBe("\u2237error::a\u240a::b::c \uff03#[d]");
});
