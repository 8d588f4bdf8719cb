import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { buildCommand, inspectCommand } from "../../../../cli/module/build.ts";
import { silent } from "../../../../progress.ts";

let home: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-module-cli-"));
  await writeFile(path.join(home, "main.tf"), "");
  return () => rm(home, { recursive: true });
});

type Values = Parameters<typeof buildCommand.run>[0]["values"];
const build = (values: Values, positionals = [home]) => buildCommand.run({ values, positionals, progress: silent });
const inspect = (values: Values, positionals = [home]) => inspectCommand.run({ values, positionals, progress: silent });

describe("kiln module inspect", () => {
  it("says what the module is, and prints the Dockerfile alone where that is asked for", async () => {
    const { text, json } = await inspect({});
    expect(text).toMatch(/^kind +opentofu$/m);
    expect(text).toMatch(/^note +no \.terraform\.lock\.hcl/m);
    // One line for all of them, and what to do; not one a stage.
    const { unpinned } = json as { unpinned: readonly string[] };
    const said = text.match(/^.*not pinned.*$/gm) ?? [];
    expect(said).toEqual(
      unpinned.slice(0, 1).map((): unknown => expect.stringMatching(/^bases +not .*`npx kiln module pin`/)),
    );
    expect(json).toMatchObject({ kind: { tool: "opentofu" }, files: ["main.tf"] });
    const alone = await inspect({ dockerfile: true });
    expect(alone.text.startsWith("# Made by kiln for a module of opentofu.")).toBe(true);
    expect(`${alone.text}\n`).toBe((json as { dockerfile: string }).dockerfile);
  });

  it.each([
    [[], "DIR is missing"],
    [["a", "b"], '"b" is one argument too many'],
  ])("wants one directory, not %j", async (positionals, message) => {
    await expect(inspect({}, positionals)).rejects.toMatchObject({ kind: "usage", message });
  });
});

describe("kiln module build", () => {
  it.each([
    [{}, "--tag is missing"],
    [{ tag: "a b" }, '"a b" is not an image reference'],
    [{ tag: "m:1", platform: ["linux/s390x"] }, "--platform linux/s390x is none that kiln builds for"],
    [{ tag: "m:1", dockerfile: "mine" }, "--dockerfile mine is none of its values"],
    [{ tag: "m:1", secret: ["token=abc"] }, "--secret token is no login that builds read"],
    [{ tag: "m:1", secret: ["plain-secret-text"] }, "--secret plain-secret-text is no login that builds read"],
  ])("refuses %j before it looks for an engine", async (values, message) => {
    await expect(build(values)).rejects.toMatchObject({ kind: "usage", message });
  });
});

it("has a line of help for every option", () => {
  for (const command of [inspectCommand, buildCommand]) {
    expect(Object.keys(command.help)).toEqual(Object.keys(command.options));
  }
});
