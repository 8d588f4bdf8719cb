import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it, vi } from "vitest";
import { localCommands } from "../../../cli/local.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const here = vi.hoisted(() => ({ project: "", work: "", state: "", cache: "" }));
vi.mock("../../../toolchain/places.ts", () => ({ places: () => here }));
vi.mock("../../../toolchain/docker-engine.ts", () => ({
  findEngine: () => Promise.resolve(undefined),
  stopEngine: () => Promise.resolve(false),
}));

it("down removes all that up makes in the work folder, fetched sources and plugins among it, and nothing else", async () => {
  const home = await temporaryDirectory();
  Object.assign(here, { project: home, work: path.join(home, "work"), state: path.join(home, "state"), cache: home });
  await mkdir(path.join(home, "stacks"));
  await writeFile(path.join(home, "stacks/Pulumi.local.yaml"), "config:\n  kiln:registry: localhost:5180\n");
  for (const folder of ["bake", "layers", "plugins", "sources", "store", "tools-image", "test-store"]) {
    await mkdir(path.join(here.work, folder), { recursive: true });
    await writeFile(path.join(here.work, folder, "file"), "");
  }
  const down = localCommands.find(({ name }) => name === "down");
  await down?.run({ values: {}, positionals: [], progress: silent });
  expect(await readdir(here.work)).toEqual(["test-store"]);
});
