import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROGRAM_PLACES, touchedStacks, type ChangedFile } from "../../../release/touched-stacks.ts";

const PROJECT = path.join(import.meta.dirname, "../../..");
const STACKS = ["dev", "local", "prod", "staging"].map((name) => ({ name, contexts: [] }));
const changed = (...paths: string[]): ChangedFile[] => paths.map((file) => ({ path: file, deleted: false }));
const names = (changes: readonly ChangedFile[]) => touchedStacks(changes, STACKS).stacks.map(({ stack }) => stack);
const ALL = ["dev", "prod", "staging"];

describe("touchedStacks", () => {
  it.each<[string, readonly string[]]>([
    ["stacks/Pulumi.dev.yaml", ["dev"]],
    ["stacks/Pulumi.local.yaml", []],
    ["index.ts", ALL],
    ["settings.ts", ALL],
    ["settings/zone.ts", ALL],
    ["components/runner-image.ts", ALL],
    ["runners/preflight.ts", ALL],
    ["registry/repository-names.ts", ALL],
    ["registry/copy.ts", []],
    ["cache/contract.ts", ALL],
    ["cache/bake.ts", []],
    ["execution/docker.ts", []],
    ["release/tag-rules.ts", ALL],
    ["release/promote.ts", []],
    ["toolchain/pins.json", ALL],
    ["toolchain/doctor.ts", []],
    ["images/iac-runner/Dockerfile.merged", ALL],
    ["images/actions-runner/check-freshness.mjs", ALL],
    ["images/actions-runner/README.md", []],
    ["images/programs/entrypoint/main.go", []],
    ["images/iac-module/bases.json", []],
    ["images/pulumi-runner/languages.json", ALL],
    ["images/pulumi-runner/Dockerfile", []],
    ["images/job-runner/versions.json", ALL],
    ["images/of-tomorrow/Dockerfile", ALL],
    ["package.json", ALL],
    ["package-lock.json", ALL],
    ["Pulumi.yaml", ALL],
    ["tsconfig.json", ALL],
    [".nvmrc", ALL],
    [".github/workflows/preview.yml", ALL],
    [".github/workflows/drift.yml", []],
    ["docs/promotion.md", []],
    ["README.md", []],
    ["test/unit/settings.test.ts", []],
    ["bench/main.ts", []],
    ["examples/modules/aws/vpc/main.go", []],
    ["cli/main.ts", []],
    ["stacks/README.md", []],
    ["stacks/plugins.lock.json", []],
    ["stacks/something.else", ALL],
    ["of-tomorrow/file.ts", ALL],
    ["of-tomorrow.ts", ALL],
    // Not the file of a stack, and no rule knows it.
    ["elsewhere/stacks/Pulumi.dev.yaml", ALL],
  ])("%s touches %j", (file, stacks) => {
    expect(names(changed(file))).toEqual(stacks);
  });

  it("says the file and why, a stack's own file first, and how many files more", () => {
    const changes = changed("settings.ts", "images/iac-runner/Dockerfile", "docs/a.md", "stacks/Pulumi.dev.yaml");
    expect(touchedStacks(changes, STACKS).stacks).toEqual([
      { stack: "dev", reason: "stacks/Pulumi.dev.yaml is its own file, and 2 more" },
      { stack: "prod", reason: "settings.ts is part of the program, and 1 more" },
      { stack: "staging", reason: "settings.ts is part of the program, and 1 more" },
    ]);
  });

  it("counts both names of a rename", () => {
    const renamed = (before: string, to: string): ChangedFile[] => [{ path: to, before, deleted: false }];
    expect(names(renamed("components/a.ts", "docs/a.ts"))).toEqual(ALL);
    expect(names(renamed("docs/a.ts", "components/a.ts"))).toEqual(ALL);
    expect(names(renamed("docs/a.ts", "test/a.ts"))).toEqual([]);
    const moved = touchedStacks(renamed("stacks/Pulumi.test.yaml", "stacks/Pulumi.dev.yaml"), STACKS);
    expect(moved).toEqual({
      stacks: [{ stack: "dev", reason: "stacks/Pulumi.dev.yaml is its own file" }],
      deleted: ["test"],
    });
  });

  it("reports a stack whose file is deleted, and not one that has a file again", () => {
    const changes = ["test", "dev", "local"].map((name) => ({ path: `stacks/Pulumi.${name}.yaml`, deleted: true }));
    expect(touchedStacks(changes, STACKS).deleted).toEqual(["test"]);
  });

  it("lets every file touch a stack whose image is built from the whole checkout", () => {
    const stacks = [...STACKS, { name: "alone", contexts: [""] }];
    expect(touchedStacks(changed("examples/modules/aws/vpc/main.go"), stacks).stacks).toEqual([
      { stack: "alone", reason: "examples/modules/aws/vpc/main.go is in the context of its docker build" },
    ]);
  });

  it("lets what a stack's own images are built from touch that stack alone", () => {
    const stacks = [...STACKS, { name: "runners", contexts: ["images/pulumi-runner/"] }];
    const { stacks: touched } = touchedStacks(
      changed("images/pulumi-runner/Dockerfile", "images/job-runner/x"),
      stacks,
    );
    expect(touched).toEqual([
      { stack: "runners", reason: "images/pulumi-runner/Dockerfile is in the context of its docker build" },
    ]);
  });

  it("lets only the stacks that follow count what stacks share", () => {
    const changes = changed("settings.ts", "stacks/Pulumi.prod.yaml");
    const { stacks } = touchedStacks(changes, STACKS, { follow: ["dev"] });
    expect(stacks.map(({ stack }) => stack)).toEqual(["dev", "prod"]);
    expect(touchedStacks(changed("settings.ts"), STACKS, { follow: ["dev"] }).stacks).toHaveLength(1);
  });

  it("touches no fewer stacks where more files change, and never local", () => {
    const file = fc.constantFrom("settings.ts", "docs/a.md", "stacks/Pulumi.dev.yaml", "stacks/Pulumi.local.yaml", "x");
    fc.assert(
      fc.property(fc.array(file), fc.array(file), (some, more) => {
        const all = names(changed(...some, ...more));
        expect(all).toEqual(expect.arrayContaining(names(changed(...some))));
        expect(all).not.toContain("local");
      }),
    );
  });
});

/** Folders that the table names as a whole. */
const WHOLE = PROGRAM_PLACES.filter((place) => place.endsWith("/"));

describe("the table of the program's own files", () => {
  const imported = importsOf("index.ts");

  it("has all that index.ts imports", () => {
    expect(imported.size).toBeGreaterThan(100);
    const missing = [...imported].filter((file) => names(changed(file)).length === 0);
    expect(missing).toEqual([]);
  });

  it("has nothing that index.ts does not import", () => {
    const named = PROGRAM_PLACES.filter((place) => !place.endsWith("/"));
    expect(named.filter((file) => !imported.has(file))).toEqual([]);
    for (const folder of WHOLE) expect([...imported].some((file) => file.startsWith(folder))).toBe(true);
  });
});

/** Every file of the checkout that a program loads when it starts at one: types are stripped, so what is a type alone is not. */
function importsOf(start: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = [start];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    expect(existsSync(path.join(PROJECT, file)), file).toBe(true);
    seen.add(file);
    if (!/\.m?[jt]s$/.test(file)) continue;
    const text = readFileSync(path.join(PROJECT, file), "utf8");
    const found = text.matchAll(
      /^(?:import|export)(?! type\b)[^;]*?from "(\.{1,2}\/[^"]+)"|^import "(\.{1,2}\/[^"]+)"|import\("(\.{1,2}\/[^"]+)"\)/gm,
    );
    for (const [, one, two, three] of found) {
      waiting.push(path.normalize(path.join(path.dirname(file), one ?? two ?? three ?? "")));
    }
  }
  return seen;
}
