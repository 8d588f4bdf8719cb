import { expect, it } from "vitest";
import { checkVariables, parseCommandFile } from "../../../../release/workflow/command-file.ts";

it("reads lines and blocks", () => {
  const text = 'a=1\nb==x=y\n\njson<<END\n{\n  "k": "END "\n}\nEND\nempty=\r\nnone<<E\nE\n';
  expect(parseCommandFile(text, "GITHUB_OUTPUT")).toEqual({
    ...{ a: "1", b: "=x=y", json: '{\n  "k": "END "\n}', empty: "", none: "" },
  });
});

it("refuses what is neither, and a block without an end", () => {
  expect(() => parseCommandFile("a", "GITHUB_OUTPUT")).toThrow(
    'GITHUB_OUTPUT has the line "a", which is no NAME=VALUE',
  );
  expect(() => parseCommandFile("a<<END\nb", "GITHUB_ENV")).toThrow('GITHUB_ENV has no line "END"');
});

it("does not let a step set what runs the steps after it", () => {
  expect(() => {
    checkVariables(["A", "NODE_OPTIONS"]);
  }).toThrow("sets NODE_OPTIONS");
  expect(() => {
    checkVariables(["GITHUB_SHA"]);
  }).toThrow("sets GITHUB_SHA");
  checkVariables(["A", "PATH"]);
});
