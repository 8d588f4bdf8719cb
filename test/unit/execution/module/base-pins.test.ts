import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { pinReport } from "../../../../cli/module/pin.ts";
import { pinBases, pinnedBases } from "../../../../execution/module/base-pins.ts";
import { baseReference, isPinned, parseBases } from "../../../../execution/module/bases.ts";
import { silent } from "../../../../progress.ts";
import { PROJECT } from "../../../support/checkout.ts";

const OLD = `sha256:${"0".repeat(64)}`;
const NEW = `sha256:${"1".repeat(64)}`;
const BASES = {
  images: {
    debian: { image: "docker.io/library/debian", tag: "12", digest: null },
    sdk: { image: "mcr.example.com/dotnet/sdk", tag: "9.0", digest: OLD },
  },
  programs: { uv: "1.2.3" },
};

let project: string;
let file: string;

beforeEach(async () => {
  project = await mkdtemp(path.join(tmpdir(), "kiln-pins-"));
  file = path.join(project, "images/iac-module/bases.json");
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(BASES));
  return () => rm(project, { recursive: true });
});

/** A registry client that answers as `script` says, and notes what it was asked. */
async function clientOf(script: string) {
  const regctl = path.join(project, "regctl");
  await writeFile(regctl, `#!/bin/sh\necho "$@" >> ${project}/calls\n${script}\n`);
  await chmod(regctl, 0o755);
  return { regctl };
}

const calls = async () => (await readFile(path.join(project, "calls"), "utf8")).trimEnd().split("\n");
const pin = async (script: string, more: Partial<Parameters<typeof pinBases>[1]> = {}) =>
  pinBases(project, {
    ...{ client: await clientOf(script), names: [], mirror: undefined, write: true, progress: silent },
    ...more,
  });

describe("pinBases", () => {
  it("writes the digest of every tag, of the whole index, and nothing else", async () => {
    const pins = await pin(`echo ${NEW}`);
    expect(pins.map(({ name, before, digest }) => [name, before, digest])).toEqual([
      ["debian", null, NEW],
      ["sdk", OLD, NEW],
    ]);
    expect(await calls()).toEqual([
      "manifest head docker.io/library/debian:12",
      "manifest head mcr.example.com/dotnet/sdk:9.0",
    ]);
    const bases = parseBases(await readFile(file, "utf8"));
    expect(baseReference(bases, "debian")).toBe(`docker.io/library/debian:12@${NEW}`);
    expect(isPinned(baseReference(bases, "sdk"))).toBe(true);
    expect(bases.programs).toEqual(BASES.programs);
    expect(await readdir(path.dirname(file))).toEqual(["bases.json"]);
  });

  it("looks up those that are named, and leaves the others", async () => {
    await pin(`echo ${NEW}`, { names: ["debian", "debian"] });
    expect(await calls()).toHaveLength(1);
    expect(parseBases(await readFile(file, "utf8")).images).toMatchObject({
      debian: { digest: NEW },
      sdk: { digest: OLD },
    });
    await expect(pin("", { names: ["debain"] })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("no image debain") as string,
      mend: "Choose of: debian, sdk.",
    });
  });

  it("asks the mirror of Docker Hub for what is of Docker Hub", async () => {
    const pins = await pin(`echo ${NEW}`, { mirror: "mirror.example.com" });
    expect((await calls())[0]).toMatch(/ mirror\.example\.com\/\S*debian:12$/);
    expect((await calls())[1]).toMatch(/ mcr\.example\.com\/dotnet\/sdk:9\.0$/);
    expect(pins[0]?.image).toBe("docker.io/library/debian:12");
  });

  it("writes nothing where one look-up fails", async () => {
    const script = (fault: string) => `case "$*" in *sdk*) echo '${fault}' >&2; exit 1;; esac; echo ${NEW}`;
    await expect(pin(script("dial tcp: no such host"))).rejects.toMatchObject({ kind: "unreachable" });
    await expect(pin(script("manifest unknown"))).rejects.toMatchObject({
      kind: "usage",
      message: "there is no mcr.example.com/dotnet/sdk:9.0",
      mend: expect.stringContaining('images["sdk"].tag') as string,
    });
    expect(await readFile(file, "utf8")).toBe(JSON.stringify(BASES));
  });

  it("takes nothing that is no digest", async () => {
    await expect(pin("echo '<html>'")).rejects.toMatchObject({ kind: "usage" });
    expect(await readFile(file, "utf8")).toBe(JSON.stringify(BASES));
  });

  it("only looks where nothing shall be written, and writes nothing that is there already", async () => {
    expect(await pin(`echo ${NEW}`, { write: false })).toHaveLength(2);
    expect(await readFile(file, "utf8")).toBe(JSON.stringify(BASES));
    await pin(`echo ${OLD}`, { names: ["sdk"] });
    expect(await readFile(file, "utf8")).toBe(JSON.stringify(BASES));
  });
});

it("the file of this checkout stays one that builds read, with every image pinned", async () => {
  const text = await readFile(path.join(PROJECT, "images/iac-module/bases.json"), "utf8");
  const names = Object.keys(parseBases(text).images);
  const pins = names.map((name) => ({ name, image: name, before: null, digest: NEW }));
  const made = parseBases(pinnedBases(text, pins));
  expect(Object.keys(made.images)).toEqual(names);
  for (const name of names) expect(isPinned(baseReference(made, name))).toBe(true);
});

describe("pinReport", () => {
  const base = { name: "debian", image: "docker.io/library/debian:12", digest: NEW };

  it.each([
    [null, true, /new\nwrote images\/iac-module\/bases\.json/],
    [OLD, true, /was sha256:0+\nwrote/],
    [OLD, false, /1 of 1 differ: `kiln module pin` writes them$/],
    [NEW, true, /as it was\nno changes$/],
  ])("says what %s has become", (before, written, expected) => {
    expect(pinReport([{ ...base, before }], written)).toMatch(expected);
  });
});
