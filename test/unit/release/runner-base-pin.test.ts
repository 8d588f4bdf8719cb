import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { CATALOGUE_FILE } from "../../../execution/language/catalogue-reading.ts";
import { pinnedCatalogue, pinRunnerBase } from "../../../release/runner-base-pin.ts";
import { PROJECT } from "../../support/checkout.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const [OLD, NEW] = [`sha256:${"0".repeat(64)}`, `sha256:${"1".repeat(64)}`];
const catalogue = await readFile(path.join(PROJECT, CATALOGUE_FILE), "utf8");
const unpinned = catalogue.replace(/"digest": "sha256:[0-9a-f]+"/, '"digest": null');

let project: string;
let file: string;

beforeEach(async () => {
  project = await temporaryDirectory();
  file = path.join(project, CATALOGUE_FILE);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, unpinned);
});

/** Pins against a registry that answers as `script` says, and notes what it was asked. */
async function pin(script: string, { write = true, mirror }: { write?: boolean; mirror?: string } = {}) {
  const regctl = path.join(project, "regctl");
  await writeFile(regctl, `#!/bin/sh\necho "$@" >> ${project}/calls\n${script}\n`, { mode: 0o755 });
  return pinRunnerBase(project, { client: { regctl }, mirror, write });
}

const text = () => readFile(file, "utf8");
const calls = () => readFile(path.join(project, "calls"), "utf8");

describe("the base of language runners", () => {
  it("gets the digest that its tag stands for, and nothing else changes", async () => {
    const image = "docker.io/library/debian:bookworm-slim";
    expect(await pin(`echo ${NEW}`)).toEqual({ image, before: null, digest: NEW });
    expect(await calls()).toBe(`manifest head ${image}\n`);
    expect(await text()).toBe(unpinned.replace('"digest": null', `"digest": "${NEW}"`));
    expect(await pin(`echo ${OLD}`)).toMatchObject({ before: NEW, digest: OLD });
    expect(await text()).toBe(unpinned.replace('"digest": null', `"digest": "${OLD}"`));
    expect(await readdir(path.dirname(file))).toEqual(["languages.json"]);
  });

  it("is asked of the mirror of Docker Hub where there is one", async () => {
    await pin(`echo ${NEW}`, { mirror: "mirror.example.com" });
    expect(await calls()).toMatch(/ mirror\.example\.com\/\S*debian:bookworm-slim$/m);
  });

  it("is only looked at where nothing shall be written", async () => {
    expect(await pin(`echo ${NEW}`, { write: false })).toMatchObject({ before: null, digest: NEW });
    expect(await text()).toBe(unpinned);
  });

  it.each([
    ["dial tcp: lookup docker.io: no such host", "unreachable", "cannot be looked up: the registry docker.io does not"],
    ["manifest unknown", "usage", "there is no docker.io/library/debian:bookworm-slim"],
  ])("stays as it was where the registry says %j", async (said, kind, message) => {
    const error = { kind, message: expect.stringContaining(message) as string };
    await expect(pin(`echo '${said}' >&2; exit 1`)).rejects.toMatchObject(error);
    expect(await text()).toBe(unpinned);
  });

  it("takes nothing that is no digest", async () => {
    await expect(pin("echo '<html>'")).rejects.toMatchObject({ kind: "usage" });
    expect(await text()).toBe(unpinned);
    expect(() => pinnedCatalogue("{}", NEW)).toThrow(CATALOGUE_FILE);
  });
});
