import path from "node:path";
import { describe, expect, it } from "vitest";
import { unaccepted } from "../../../../execution/module/lint-acceptance.ts";
import { lintDockerfiles } from "../../../../execution/module/lint-files.ts";
import { lintDockerfile } from "../../../../execution/module/lint.ts";

const BASE = `FROM docker.io/library/debian:12@sha256:${"0".repeat(64)}\n`;
const found = (text: string) =>
  unaccepted(text, lintDockerfile(text)).map(({ code, line, message }) => `${line} ${code} ${message}`);

describe("unaccepted", () => {
  it.each<[string, string, readonly string[]]>([
    ["a finding that nobody accepts", "RUN sudo true", ["2 DL3004 a build is root already"]],
    ["one that is accepted right above", "# accepted DL3004: sudo is a stub here\nRUN sudo true", []],
    ["one below other comments", "# accepted DL3004: a stub\n# why it runs\nRUN sudo true", []],
    ["two at once", "# accepted DL3004, DL4006: a stub\nRUN sudo a | b", []],
    [
      "one above another instruction",
      "# accepted DL3004: a stub\nRUN true\nRUN sudo true",
      ["2 KM007 DL3004 is accepted, and is not there: take it out", "4 DL3004 a build is root already"],
    ],
    [
      "an acceptance without a reason",
      "# accepted DL3004:\nRUN sudo true",
      ["2 KM007 DL3004 is accepted without a reason"],
    ],
    ["one without anything", "# accepted DL3004\nRUN sudo true", ["2 KM007 DL3004 is accepted without a reason"]],
    [
      "one that was mended",
      "# accepted DL3004: a stub\nRUN true",
      ["2 KM007 DL3004 is accepted, and is not there: take it out"],
    ],
    [
      "one at the end of the file",
      "RUN true\n# accepted DL3004: a stub",
      ["3 KM007 DL3004 is accepted, and is not there: take it out"],
    ],
    ["words that only look like it", "# accepted: DL3004\nRUN true", []],
  ])("%s", (_, instructions, expected) => {
    expect(found(`${BASE}${instructions}\n`.replace(/\n$/, "\nUSER 1\n"))).toEqual(expected);
  });
});

describe("the Dockerfiles of images/", () => {
  it("have nothing that is not accepted with a reason", async () => {
    const { files, findings } = await lintDockerfiles(path.join(import.meta.dirname, "../../../../images"));
    expect(files).toEqual([
      "actions-runner/Dockerfile",
      "iac-module/stand-ins/Dockerfile",
      "iac-runner/Dockerfile",
      "iac-runner/Dockerfile.merged",
      "job-runner/Dockerfile",
      "pulumi-runner/Dockerfile",
      "release-watcher/Dockerfile",
    ]);
    expect(findings).toEqual([]);
  });
});
