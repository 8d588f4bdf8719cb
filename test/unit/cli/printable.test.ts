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
])("%j is shown as %j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("a cell is one line", () => {
  expect(printableLine("a\n+  create  b\tc")).toBe("a\u240a+  create  b\u2409c");
});
