import fc from "fast-check";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readStackSettings, writeWarmImage } from "../../../release/stack-file.ts";

const [ONE, TWO] = ["1", "2"].map((digit) => `localhost:5180/kiln/iac-runner-warm@sha256:${digit.repeat(64)}`);

let project: string;
let file: string;

beforeEach(async () => {
  project = await mkdtemp(path.join(tmpdir(), "kiln-stacks-"));
  await mkdir(path.join(project, "stacks"));
  file = path.join(project, "stacks/Pulumi.dev.yaml");
  return () => rm(project, { recursive: true });
});

const text = () => readFile(file, "utf8");

const BEFORE = `# Who keeps this stack's secrets: see stacks/README.md.

encryptionsalt: v1:abc   # spaced on purpose


config:
    # The registry.
    kiln:registry: 'localhost:5180'   # quoted
    kiln:image: {tag: v1,  dockerfile: merged}
`;
const AFTER = `    # more to come

    other:list:
    - 1
    -   2
environment:
  - a   # last
`;

describe("writeWarmImage", () => {
  it("adds, replaces and removes one line, and leaves every other byte as it is", async () => {
    await writeFile(file, BEFORE + AFTER);
    await writeWarmImage(project, "dev", ONE);
    const added = await text();
    expect(added.split("\n").filter((line) => line !== `    kiln:warmImage: ${ONE}`)).toEqual(
      (BEFORE + AFTER).split("\n"),
    );
    await writeWarmImage(project, "dev", TWO);
    expect(await text()).toBe(added.replace(ONE ?? "", TWO ?? ""));
    await writeWarmImage(project, "dev", undefined);
    expect(await text()).toBe(BEFORE + AFTER);
    expect(await readdir(path.join(project, "stacks"))).toEqual(["Pulumi.dev.yaml"]);
  });

  it("keeps what stands behind the image on its line, and quotes around other values", async () => {
    await writeFile(file, `${BEFORE}    kiln:warmImage:   "${ONE}"  # baked on Monday\n${AFTER}`);
    await writeWarmImage(project, "dev", TWO);
    expect(await text()).toBe(`${BEFORE}    kiln:warmImage:   ${TWO}  # baked on Monday\n${AFTER}`);
  });

  it.each<[string, string]>([
    ["no config", "encryptionsalt: v1:abc\n"],
    ["an empty config", "encryptionsalt: v1:abc\nconfig:\n"],
    ["a config of comments only", "config:\n  # kiln:registry: ghcr.io/a/b\n"],
    ["a config in braces", "config: {kiln:registry: localhost:5180}\n"],
    ["empty braces", "config: {}\n"],
    ["nothing", ""],
    ["no end of line", "config:\n  kiln:registry: localhost:5180"],
    ["lines as Windows ends them", "config:\r\n  kiln:registry: localhost:5180\r\n"],
    ["an image without a value", "config:\n  kiln:registry: localhost:5180\n  kiln:warmImage:\n"],
  ])("writes into a file with %s, which stays what it was otherwise", async (_, before) => {
    await writeFile(file, before);
    const was = (parse(before) ?? {}) as { config?: Record<string, unknown> | null };
    await writeWarmImage(project, "dev", ONE);
    expect(parse(await text())).toEqual({ ...was, config: { ...was.config, "kiln:warmImage": ONE } });
    await writeWarmImage(project, "dev", undefined);
    const { config, ...rest } = parse(await text()) as { config?: Record<string, unknown> | null };
    const { config: configBefore, ...others } = was;
    expect(rest).toEqual(others);
    const kept = Object.entries(configBefore ?? {}).filter(([key]) => key !== "kiln:warmImage");
    expect(config ?? {}).toEqual(Object.fromEntries(kept));
  });

  it("does not touch a file that says so already", async () => {
    await writeFile(file, "config: {kiln:warmImage:   x}");
    await writeWarmImage(project, "dev", "x");
    expect(await text()).toBe("config: {kiln:warmImage:   x}");
    await writeFile(file, BEFORE);
    await writeWarmImage(project, "dev", undefined);
    expect(await text()).toBe(BEFORE);
  });

  it("keeps every other key of any file, line by line", async () => {
    const key = fc.stringMatching(/^[a-z]{1,6}:[a-z]{1,6}$/).filter((name) => name !== "kiln:warmImage");
    const value = fc.oneof(
      fc.constantFrom("a", "'b'", '"c"', "[1,  2]", "{x: 1}", "|\n    line\n    line", "\n    deep: 1\n    more:   2"),
      fc.nat().map(String),
    );
    const line = fc.tuple(key, value, fc.constantFrom("", "  # why", "\n\n  # below"));
    const lines = fc.uniqueArray(line, { minLength: 1, maxLength: 5, selector: ([name]) => name });
    await fc.assert(
      fc.asyncProperty(lines, fc.constantFrom("", "# last\n", "z: 1\n"), async (entries, tail) => {
        const body = entries.map(([name, of, more]) => `  ${name}: ${of}${of.includes("\n") ? "" : more}\n`).join("");
        const before = `config:\n${body}${tail}`;
        await writeFile(file, before);
        await writeWarmImage(project, "dev", ONE);
        const was = parse(before) as { config: object };
        expect(parse(await text())).toEqual({ ...was, config: { ...was.config, "kiln:warmImage": ONE } });
        await writeWarmImage(project, "dev", undefined);
        expect(await text()).toBe(before);
      }),
      { numRuns: 60 },
    );
  });

  it("names the file that is missing", async () => {
    await expect(writeWarmImage(project, "prod", ONE)).rejects.toMatchObject({
      kind: "usage",
      message: "there is no stacks/Pulumi.prod.yaml",
      mend: expect.stringContaining("stacks/README.md") as string,
    });
  });

  it("leaves a file alone that is no YAML", async () => {
    await writeFile(file, "config:\n  a: [1\nb");
    await expect(writeWarmImage(project, "dev", ONE)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/^stacks\/Pulumi\.dev\.yaml is not YAML: .*line/) as string,
    });
    expect(await text()).toBe("config:\n  a: [1\nb");
  });
});

describe("readStackSettings", () => {
  it("reads kiln's own keys", async () => {
    await writeFile(file, `config:\n  kiln:registry: localhost:5180\n  kiln:warmImage: ${ONE}\n  aws:region: x\n`);
    const settings = await readStackSettings(project, "dev");
    expect(settings).toMatchObject({ stack: "dev", registry: "localhost:5180", warmImage: ONE });
  });

  it.each(["", "config:\n", "# nothing\n"])("says what a file lacks: %j", async (before) => {
    await writeFile(file, before);
    await expect(readStackSettings(project, "dev")).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("kiln:registry is not set") as string,
    });
  });
});
