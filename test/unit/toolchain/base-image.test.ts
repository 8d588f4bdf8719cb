import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { readyBaseImage } from "../../../toolchain/base-image.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const DEFAULT = "docker.io/library/debian:bookworm-slim";
const LOCAL = "kiln-base:bookworm";

let home: string;

beforeEach(async () => {
  home = await temporaryDirectory();
});

/** Asks for a base image of an engine that holds some images and can pull some others; notes what was said and called. */
async function ready(reference: string, holds: readonly string[], pulls: readonly string[] = []) {
  const docker = path.join(home, "docker");
  await writeFile(path.join(home, "images"), [...holds, ""].join("\n"));
  await writeFile(path.join(home, "registry"), [...pulls, ""].join("\n"));
  const text = `#!/bin/sh
echo "$*" >> ${home}/calls
for last; do :; done
case "$1" in
  image) grep -qxF "$last" ${home}/images && echo '[{"RootFS":{"Layers":["sha256:1"]}}]' ;;
  pull) grep -xF "$last" ${home}/registry >> ${home}/images || { echo "no such host" >&2; exit 1; } ;;
esac
`;
  await writeFile(docker, text);
  await chmod(docker, 0o755);
  const notes: string[] = [];
  const progress = { step: () => undefined, update: () => undefined, note: (line: string) => notes.push(line) };
  const places = { project: home, work: home, cache: home, state: home };
  const engine = { docker, host: undefined, managed: false };
  const base = await readyBaseImage({ engine, reference, progress, places });
  return { reference: base.reference, notes, calls: await readFile(path.join(home, "calls"), "utf8") };
}

test("an image that is in the engine is used as it is, without a pull", async () => {
  const { reference, notes, calls } = await ready("ghcr.io/o/base:1", ["ghcr.io/o/base:1", LOCAL]);
  expect(reference).toBe("ghcr.io/o/base:1");
  expect(notes).toEqual([]);
  expect(calls).not.toContain("pull");
});

test.each([DEFAULT, "ghcr.io/o/base:1"])("%s is pulled, although the local base is there", async (wanted) => {
  const { reference, notes } = await ready(wanted, [LOCAL], [wanted]);
  expect(reference).toBe(wanted);
  expect(notes).toEqual([]);
});

test("where the default cannot be pulled the local base stands in, and says so each time", async () => {
  for (let runs = 0; runs < 2; runs++) {
    const { reference, notes } = await ready(DEFAULT, [LOCAL]);
    expect(reference).toBe(LOCAL);
    expect(notes).toEqual([`${DEFAULT} cannot be pulled (no such host); using ${LOCAL}, built from Debian packages`]);
  }
});

test("no other image is replaced by the local base", async () => {
  await expect(ready("ghcr.io/o/base:1", [LOCAL])).rejects.toMatchObject({
    kind: "unreachable",
    message: "cannot pull the base image ghcr.io/o/base:1: no such host",
    mend: expect.stringContaining("docker load") as string,
  });
});
