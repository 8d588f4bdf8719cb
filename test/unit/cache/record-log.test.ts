import { describe, expect, it } from "vitest";
import { entryNames, parseRecordLog } from "../../../cache/record-log.ts";
import { sha256 } from "./cache-directory.ts";

const [A, B, C] = [sha256("a"), sha256("b"), sha256("c")];

describe("parseRecordLog", () => {
  it("has what was found and put, and what was neither", () => {
    const log = parseRecordLog([`hit ${A} ${C} 12`, `miss ${B}`, `miss ${C}`, `put ${B} ${A} 0`, ""].join("\n"));
    expect([...log.entries]).toEqual([
      [A, { output: C, size: 12 }],
      [B, { output: A, size: 0 }],
    ]);
    expect([...log.missed]).toEqual([C]);
    expect(entryNames(log)).toEqual([
      ...[`${A.slice(0, 2)}/${A}-a`, `${C.slice(0, 2)}/${C}-d`, `${B.slice(0, 2)}/${B}-a`, `${A.slice(0, 2)}/${A}-d`],
    ]);
  });

  it.each([`hit ${A}`, `hit ${A} ${B} x`, `miss ../../etc/passwd`, "half", `hit ${A.slice(1)} ${B} 1`])(
    "refuses %j: a closure with a hole is worse than none",
    (line) => {
      expect(() => parseRecordLog(`${line}\n`)).toThrow("not a line of gocache's log");
    },
  );
});
