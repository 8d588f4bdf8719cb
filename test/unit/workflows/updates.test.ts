import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const PROJECT = path.join(import.meta.dirname, "../../..");
const read = (file: string) => readFileSync(path.join(PROJECT, file), "utf8");

interface Manager {
  readonly description: string;
  readonly managerFilePatterns: readonly string[];
  readonly matchStrings: readonly string[];
  readonly depNameTemplate?: string;
  readonly datasourceTemplate: string;
}

const { customManagers: managers } = JSON.parse(read("renovate.json")) as {
  readonly customManagers: readonly Manager[];
};

/** The pattern of a file: `/…/`, as Renovate tells a regular expression from a glob. */
const filePattern = (text: string) => new RegExp(text.slice(1, -1));

/** Where a manager would write a new version: from one character of the file to another. */
function placesIn(file: string): readonly (readonly [number, number])[] {
  const text = read(file);
  return managers
    .filter(({ managerFilePatterns }) => managerFilePatterns.some((pattern) => filePattern(pattern).test(file)))
    .flatMap(({ matchStrings }) => matchStrings.map((pattern) => new RegExp(pattern, "dg")))
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .map(({ indices }) => indices?.groups?.currentValue ?? [0, 0]);
}

/** The lines with a version at which no manager would write another. */
function unmatched(file: string, version: RegExp): readonly string[] {
  const text = read(file);
  const places = placesIn(file);
  return [...text.matchAll(version)]
    .filter(({ index, 0: { length } }) => !places.some(([start, end]) => start <= index && index + length <= end))
    .map(({ index }) => text.slice(text.lastIndexOf("\n", index) + 1, text.indexOf("\n", index)).trim());
}

/** Go's toolchains are all of version v0.0.1. */
const VERSION = /(?<![\d.])(?!0\.0\.1-go)\d+\.\d+\.\d+/g;
const dockerfiles = globSync("images/**/Dockerfile*", { cwd: PROJECT }).filter((file) => !file.endsWith("ignore"));
const workflows = globSync(".github/workflows/*.yml", { cwd: PROJECT });

describe("updates", () => {
  it("reach every version in toolchain/pins.json, but for what another go.mod replaces and the oldest Node", () => {
    const left = unmatched("toolchain/pins.json", VERSION);
    expect(left.filter((line) => !line.includes(" => "))).toEqual(['"minimum": "22.18.0",']);
  });

  it("reach every base and every program of modules", () => {
    expect(unmatched("images/iac-module/bases.json", /(?<="tag": ")[^"]+|(?<=": ")\d[^"]+/g)).toEqual([]);
  });

  it("reach the base and every version of language runners, but for what the base's distribution decides", () => {
    const file = "images/pulumi-runner/languages.json";
    expect(unmatched(file, /(?<="tag": ")[^"]+/g)).toEqual([]);
    const { languages } = JSON.parse(read(file)) as {
      readonly languages: { readonly java: { readonly packages: readonly string[]; readonly programs: object } };
    };
    // Maven is Debian's, so its version is raised with the base's tag.
    expect(languages.java.packages).toContain("maven");
    expect(unmatched(file, VERSION)).toEqual(['"version": "3.8.7",']);
  });

  it("reach every version of jobs, but for the images' own", () => {
    expect(unmatched("images/job-runner/versions.json", VERSION)).toEqual(['"version": "1.0.0",']);
  });

  it.each(dockerfiles)("reach every version in %s", (file) => {
    expect(unmatched(file, /(?<=^ARG \w+_VERSION=)\S+/gm).filter((line) => !line.endsWith('=""'))).toEqual([]);
  });

  it.each(workflows)("reach every version that %s passes on, and each action", (file) => {
    expect(unmatched(file, /(?<=-(?:version|release): v?)\d\S+/g)).toEqual([]);
    const uses = [...read(file).matchAll(/^ +(?:- )?uses: (\S+)(.*)$/gm)].filter(
      ([, name = ""]) => !name.includes("your-org"),
    );
    // A commit with its version behind it: what Renovate and Dependabot raise together.
    for (const [line, name = "", comment] of uses) {
      expect(`${name}${comment ?? ""}`, line).toMatch(/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
  });
});

describe("every pattern", () => {
  it.each(managers)("finds something, and says of what: $description", (manager) => {
    const files = globSync(["toolchain/*.json", "images/**/*", ".github/workflows/*"], { cwd: PROJECT });
    const patterns = manager.managerFilePatterns.map(filePattern);
    const texts = files.filter((file) => patterns.some((pattern) => pattern.test(file))).map(read);
    for (const pattern of manager.matchStrings) {
      expect(
        texts.some((text) => new RegExp(pattern).test(text)),
        pattern,
      ).toBe(true);
      expect(manager.depNameTemplate ?? pattern).toMatch(manager.depNameTemplate === undefined ? /\(\?<depName>/ : /./);
      // Renovate reads them by RE2, which has none of these.
      expect(pattern).not.toMatch(/\(\?[=!]|\(\?<[=!]|\\\d|\\k</);
    }
  });
});
