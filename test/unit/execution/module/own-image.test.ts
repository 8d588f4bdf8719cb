import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { buildOwnImage } from "../../../../execution/module/own-image.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

/** A docker that notes its calls, and what came of building a module by its own Dockerfile with it. */
async function built(script: string) {
  const home = await temporaryDirectory();
  const docker = path.join(home, "docker");
  await writeFile(docker, `#!/bin/sh\necho "$@" >> ${home}/calls\n[ $1 = build ] && cat > /dev/null\n${script}\n`);
  await chmod(docker, 0o755);
  const directory = await temporaryDirectory();
  await writeFile(path.join(directory, "Dockerfile"), "FROM scratch\n");
  const notes: string[] = [];
  const frame = {
    ...{ tag: "r/m:1", platform: "linux/amd64", labels: {}, secrets: {} },
    progress: { step: () => undefined, update: () => undefined, note: (text: string) => void notes.push(text) },
  };
  const error = await buildOwnImage({ docker, host: undefined, managed: false }, frame, {
    ...{ directory, entries: [], entrypoint: "kiln-entrypoint:x" },
  }).then(
    () => undefined,
    (thrown: unknown) => thrown as Error,
  );
  const calls = (await readFile(path.join(home, "calls"), "utf8")).trimEnd().split("\n");
  return { calls, notes, error };
}

const REMOVAL = "image rm r/m:1-without-entrypoint";

it("the image without entrypoint has a name between the two builds alone", async () => {
  const { calls, notes, error } = await built("exit 0");
  expect(error).toBeUndefined();
  expect(calls).toHaveLength(3);
  expect(calls[0]).toContain("--tag r/m:1-without-entrypoint ");
  // Beside the module's own, so that neither takes the other's place.
  for (const call of calls.slice(0, 2)) expect(call).toContain("--file .kiln-module/Dockerfile ");
  expect(calls[1]).toMatch(/--tag r\/m:1 .*MODULE_IMAGE=r\/m:1-without-entrypoint/);
  expect(calls[2]).toBe(REMOVAL);
  expect(notes).toEqual([]);
});

it("it goes as well where the second build fails", async () => {
  const { calls, error } = await built('case "$*" in *MODULE_IMAGE*) echo broken >&2; exit 1 ;; esac; exit 0');
  expect(error?.message).toContain("broken");
  expect(calls.at(-1)).toBe(REMOVAL);
});

it("where the first fails there is none, and nothing is said of it", async () => {
  const { notes, error } = await built('echo "Error: No such image: x" >&2; exit 1');
  expect(error?.message).toContain("docker build of r/m:1-without-entrypoint failed");
  expect(notes).toEqual([]);
});

it("one that cannot be removed is named, and the build counts", async () => {
  const { notes, error } = await built("[ $1 = build ] && exit 0; echo 'in use' >&2; exit 1");
  expect(error).toBeUndefined();
  expect(notes.join()).toContain("r/m:1-without-entrypoint is left in the engine (in use)");
});
