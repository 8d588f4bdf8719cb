import fc from "fast-check";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it, test } from "vitest";
import { requestOf, settingsOf } from "../../../../cli/module/assignments.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

describe("--set", () => {
  it("takes texts as they are, and JSON where that is said", () => {
    const given = [
      "version=1.10",
      "n:=3",
      "url=http://a?b=c",
      "empty=",
      "list:=[1,null]",
      "dash=--secret",
      't:="x"',
      "on=true",
    ];
    expect(settingsOf(given)).toEqual({
      version: "1.10",
      n: 3,
      url: "http://a?b=c",
      empty: "",
      list: [1, null],
      dash: "--secret",
      t: "x",
      on: "true",
    });
  });

  it.each([
    ["name", "--set name sets nothing"],
    ["=x", "--set =x sets nothing"],
    ["n:={", "--set n:= is no JSON"],
  ])("%s is refused", (assignment, message) => {
    expect(() => settingsOf([assignment])).toThrow(message);
  });

  it("does not let one value take another's place", () => {
    expect(() => settingsOf(["a=1", "a:=2"])).toThrow("--set gives a twice");
  });

  test("any text and any JSON value comes through", () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (text, value) => {
        expect(settingsOf([`t=${text}`, `j:=${JSON.stringify(value)}`])).toEqual({
          t: text,
          j: JSON.parse(JSON.stringify(value)) as unknown,
        });
      }),
    );
  });
});

describe("--input", () => {
  async function file(content: string): Promise<string> {
    const name = path.join(await temporaryDirectory(), "input.json");
    await writeFile(name, content);
    return name;
  }

  it.each([
    ["an object of inputs", { name: "a", inputs: 3 }, { inputs: { name: "a", inputs: 3 } }],
    ["a request", { inputs: { name: "a" }, stack_name: "s" }, { inputs: { name: "a" }, stack_name: "s" }],
    ["a request without inputs", { action: "apply", run_id: "r" }, { inputs: {}, run_id: "r" }],
  ])("is %s", async (_, document, request) => {
    expect(await requestOf("apply", await file(JSON.stringify(document)), [])).toEqual({ action: "apply", ...request });
  });

  it("yields to --set", async () => {
    const { inputs } = await requestOf("apply", await file('{"a":1,"b":2}'), ["b:=3"]);
    expect(inputs).toEqual({ a: 1, b: 3 });
  });

  it.each([
    ['{"action":"destroy","inputs":{}}', /asks for destroy, the command for apply/],
    ["[1]", /is no JSON object/],
    ["{", /is no JSON/],
    ['{"action":"apply","inputs":[]}', /request\.inputs must be an object/],
  ])("%s is refused", async (content, message) => {
    await expect(requestOf("apply", await file(content), [])).rejects.toThrow(message);
  });

  it("that is not there is an error", async () => {
    await expect(requestOf("apply", "/nowhere/input.json", [])).rejects.toMatchObject({ kind: "usage" });
  });
});
