import { describe, expect, it } from "vitest";
import { parsedNote, unusedSince } from "../../../release/unused-since.ts";

describe("unusedSince", () => {
  it("keeps the older time, begins with now, and forgets what is used", () => {
    const before = new Map([
      ["a", 10],
      ["used again", 10],
      ["of a wrong clock", 99],
    ]);
    expect([...unusedSince(before, ["a", "b", "of a wrong clock"], 20)]).toEqual([
      ["a", 10],
      ["b", 20],
      ["of a wrong clock", 20],
    ]);
  });
});

describe("a note", () => {
  it.each(["", "null", "[]", '{"version":1}', '{"unused":[]}', '{"unused":{"a":"soon","b":null}}'])(
    "that says %j says nothing, so that time begins anew",
    (text) => {
      expect(parsedNote(text).size).toBe(0);
    },
  );

  it("gives its dates", () => {
    expect([...parsedNote('{"version":1,"unused":{"a":"1970-01-01T00:00:01Z","b":"?"}}')]).toEqual([["a", 1000]]);
  });
});
