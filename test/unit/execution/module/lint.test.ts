import { describe, expect, it } from "vitest";
import { lintDockerfile, parseDockerfile } from "../../../../execution/module/lint.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;
const FROM = `FROM docker.io/library/debian:12@${DIGEST}\n`;
const codes = (text: string) => lintDockerfile(text).map(({ code }) => code);
/** Findings of one instruction in a file that is right but for it. */
const of = (instruction: string) => codes(`${FROM}${instruction}\nUSER 65532:65532\n`);

describe("parseDockerfile", () => {
  it("joins lines, leaves comments out and keeps the number of the first", () => {
    const text = "# a\nFROM x\n\nrun a \\\n  # between\n  && b \\\n\n  c\nUSER 1\n";
    expect(parseDockerfile(text)).toEqual([
      { line: 2, name: "FROM", text: "x" },
      { line: 4, name: "RUN", text: "a && b" },
      { line: 8, name: "C", text: "" },
      { line: 9, name: "USER", text: "1" },
    ]);
  });
});

describe("lintDockerfile", () => {
  it("finds nothing in a file that is right", () => {
    expect(codes(`${FROM}RUN set -eu; true\nUSER 65532:65532\nENTRYPOINT ["/x"]\n`)).toEqual([]);
  });

  it.each([
    ["FROM debian\nUSER 1", ["DL3006", "KM001"]],
    ["FROM debian:latest\nUSER 1", ["DL3007", "KM001"]],
    ["FROM debian:12\nUSER 1", ["KM001"]],
    [`FROM localhost:5000/debian@${DIGEST}\nUSER 1`, ["DL3006"]],
    ["FROM scratch\nUSER 1", []],
    ["ARG A=debian:12\nFROM ${A}\nUSER 1", ["KM001"]],
    [`ARG A=debian:12@${DIGEST}\nFROM \${A}\nUSER 1`, []],
    ["ARG A\nFROM ${A}\nUSER 1", []],
    ["FROM ${B}\nUSER 1", ["DL3006", "KM001"]],
    [`FROM --platform=linux/amd64 debian:12@${DIGEST} AS one\nFROM one\nUSER 1`, []],
    ["FROM two\nUSER 1", ["DL3006", "KM001"]],
  ])("asks for pinned bases: %s", (text, expected) => {
    expect(codes(text)).toEqual(expected);
  });

  it.each([
    ["USER root", "DL3002"],
    ["USER 0:0", "DL3002"],
    ["USER nonroot", "KM003"],
  ])("wants the last user to be a number other than 0: %s", (user, code) => {
    expect(codes(`${FROM}${user}\n`)).toEqual([code]);
  });

  it.each([
    ["its own", "USER root\nFROM a\nUSER 1\n", []],
    ["that of the stage below", "USER 1\nFROM a\n", []],
    ["that of the stage below it", "USER 1\nFROM a AS b\nFROM b\n", []],
    ["the last of them", "USER 1\nFROM a AS b\nUSER root\nFROM b\n", ["DL3002"]],
    ["a number that an argument gives", "ARG UID=1983\nUSER ${UID}:${UID}\n", []],
    ["root by an argument", "ARG UID=0\nUSER ${UID}\n", ["DL3002"]],
    ["no number that is known", "ARG UID\nUSER ${UID}\n", ["KM003"]],
    ["no other stage's", "USER 1\nFROM scratch\n", ["DL3002"]],
  ])("knows the user of the last stage: %s", (_, text, expected) => {
    expect(codes(`${FROM.replace("\n", " AS a\n")}${text}`)).toEqual(expected);
  });

  it.each([
    ["ARG API_TOKEN", "KM002"],
    ["ARG DB_PASSWORD=x", "KM002"],
    ["ENV A=1 AWS_SECRET_ACCESS_KEY=x", "KM002"],
    ["ENV GITHUB_TOKEN x", "KM002"],
    ["ADD a b", "DL3020"],
    ["COPY --link a b", "KM004"],
    ["WORKDIR app", "DL3000"],
    ["MAINTAINER me", "DL4000"],
    ["CMD run me", "DL3025"],
    ["ENTRYPOINT run me", "DL3025"],
    ["RUN sudo true", "DL3004"],
    ["RUN apt-get -y upgrade", "DL3005"],
    ["RUN apt-get install -y git=1 curl; rm -rf /var/lib/apt/lists/*", "DL3008"],
    ["RUN apt-get install -y git=1", "DL3009"],
    ["RUN a | b", "DL4006"],
    ["RUN chmod 777 /x", "KM006"],
  ])("%s breaks %s", (instruction, code) => {
    expect(of(instruction)).toEqual([code]);
  });

  it("takes what is right for right", () => {
    for (const instruction of [
      "ENV TOKENIZER=1 PATH=/a:${PATH}",
      "ARG KEYBOARD=de",
      "RUN set -o pipefail; a | b",
      "RUN a || b",
      "RUN apt-get install -y --no-install-recommends git=1; rm -rf /var/lib/apt/lists/*",
      "RUN --mount=type=secret,id=token cat /run/secrets/token",
      "COPY --from=x a b",
    ]) {
      expect(of(instruction), instruction).toEqual([]);
    }
  });

  it("finds scripts that are run unchecked, frontends that are fetched, and what stands twice", () => {
    expect(of("RUN set -o pipefail; curl https://x | sh")).toEqual(["KM005"]);
    expect(codes(`# syntax=docker/dockerfile:1\n${FROM}USER 1\n`)).toEqual(["KM004"]);
    expect(codes(`${FROM}USER 1\nENTRYPOINT ["a"]\nENTRYPOINT ["b"]\nCMD ["a"]\nCMD ["b"]\n`)).toEqual([
      "DL4003",
      "DL4004",
    ]);
  });
});
