import { expect, it, vi } from "vitest";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { fakeDocker } from "./fake-docker.ts";

// A dozen processes a run: slow where a machine is busy.
vi.setConfig({ testTimeout: 60_000 });

it.each([
  ["create", "docker create failed: no space left"],
  ["cp", "docker cp failed: no space left"],
])("at %s: an error with its words, no container, no lock", async (command, message) => {
  const fake = await fakeDocker();
  const state = { directory: await temporaryDirectory() };
  await fake.fail(command, "no space left");
  await expect(fake.execute({ state })).rejects.toMatchObject({ kind: "failed", message });
  // Where create failed, the name may be another's: only what has the run's own label is removed.
  expect(await fake.calls("rm")).toHaveLength(command === "create" ? 0 : 1);
  await fake.fail(command, undefined);
  expect((await fake.execute({ state })).response.success).toBe(true);
  expect(await fake.containers()).toEqual([]);
});

it("a container that was made although create was cut off is removed", async () => {
  const fake = await fakeDocker();
  await fake.mark("create-dies");
  await expect(fake.execute({ state: { directory: await temporaryDirectory() } })).rejects.toThrow("cut off");
  expect(await fake.containers()).toEqual([]);
});

it("a container that is not removed does not take the place of the result, and is named", async () => {
  const fake = await fakeDocker();
  await fake.fail("rm", "device busy");
  const notes: string[] = [];
  const progress = { step: () => undefined, update: () => undefined, note: (text: string) => notes.push(text) };
  const result = await fake.execute({ progress, state: { directory: await temporaryDirectory() } });
  expect(result.response.success).toBe(true);
  expect(notes.join()).toContain(`docker rm --volumes --force ${result.container.name}`);
});

it("a pull that is refused is an error with the reason", async () => {
  const fake = await fakeDocker();
  const state = { directory: await temporaryDirectory() };
  await expect(fake.execute({ image: "ghcr.io/o/private:1", state })).rejects.toMatchObject({
    kind: "unreachable",
    message: expect.stringContaining("pull access denied") as string,
  });
});
