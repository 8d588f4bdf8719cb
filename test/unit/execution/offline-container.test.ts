import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { runOffline } from "../../../execution/offline-container.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

/** A docker client that notes its calls, prints two lines for `start`, and fails at what `fails` names. */
async function client(fails = "none", removal = ":") {
  const home = await temporaryDirectory();
  const docker = path.join(home, "docker");
  await writeFile(
    docker,
    `#!/bin/sh
echo "$*" >> ${home}/calls
if [ "$1" = ${fails} ]; then echo "it failed" >&2; exit 1; fi
if [ "$1" = start ]; then echo one; echo two; fi
if [ "$1" = rm ]; then ${removal}; fi
`,
  );
  await chmod(docker, 0o755);
  const calls = async () => (await readFile(path.join(home, "calls"), "utf8")).trimEnd().split("\n");
  return { engine: { docker, env: process.env }, calls };
}

const CONTAINER = { image: "r/i@sha256:1", command: ["/bin/sh", "-c", "x"], copy: { from: "/s", to: "/w" } } as const;

test("a container gets its files through the engine, no network and no mount, and is removed", async () => {
  const { engine, calls } = await client();
  const lines: string[] = [];
  const options = { ...CONTAINER, platform: "linux/arm64", onStdoutLine: (line: string) => lines.push(line) };
  expect((await runOffline(engine, options)).stdout).toBe("one\ntwo\n");
  expect(lines).toEqual(["one", "two"]);
  const [create = "", copy, start, remove] = await calls();
  const name = /--name (kiln-verify-\S+)/.exec(create)?.[1] ?? "";
  expect(create).toBe(
    `create --name ${name} --network none --platform linux/arm64 --entrypoint /bin/sh r/i@sha256:1 -c x`,
  );
  expect([copy, start, remove]).toEqual([`cp /s/. ${name}:/w`, `start --attach ${name}`, `rm --force ${name}`]);
});

test.each(["create", "cp", "start"])(
  "a failing %s is an error with what docker said, and leaves no container",
  async (step) => {
    const { engine, calls } = await client(step);
    await expect(runOffline(engine, CONTAINER)).rejects.toThrow("it failed");
    expect((await calls()).at(-1)).toMatch(/^rm --force kiln-verify-/);
  },
);

test.each([
  ["the result", "none"],
  ["the error that docker gave", "start"],
])("an engine that does not remove a container in time does not take the place of %s", async (_, fails) => {
  const { engine } = await client(fails, "sleep 5");
  const running = runOffline(engine, { ...CONTAINER, cleanUpMs: 100 });
  if (fails === "none") expect((await running).stdout).toBe("one\ntwo\n");
  else await expect(running).rejects.toThrow("it failed");
});

test("without files to copy nothing is copied", async () => {
  const { engine, calls } = await client();
  await runOffline(engine, { image: "i", command: ["pulumi", "version"] });
  expect((await calls()).map((call) => call.split(" ")[0])).toEqual(["create", "start", "rm"]);
});
