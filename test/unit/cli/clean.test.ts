import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { cleanCommand } from "../../../cli/clean.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const here = vi.hoisted(() => ({ work: "" }));
vi.mock("../../../toolchain/places.ts", () => ({ places: () => here }));

let home: string;
beforeEach(async () => {
  home = await temporaryDirectory();
  here.work = path.join(home, ".kiln");
});

const clean = () => cleanCommand.run({ values: {}, positionals: [], progress: silent });
const put = async (...folders: readonly string[]) => {
  for (const folder of folders) {
    await mkdir(path.join(here.work, folder), { recursive: true });
    await writeFile(path.join(here.work, folder, "file"), "");
  }
};

it("removes what kiln made in the work folder, and nothing else", async () => {
  await put("store", "release", "sbom-a1B2c3", "notes", "sbom-of-mine");
  await writeFile(path.join(here.work, "plan.json"), "{}");
  const left = ["notes", "plan.json", "sbom-of-mine"];
  expect(await clean()).toMatchObject({
    json: { removed: ["release", "sbom-a1B2c3", "store"], left },
    text: expect.stringContaining("left alone, as kiln did not make it: notes, plan.json, sbom-of-mine") as string,
  });
  expect((await readdir(here.work)).sort()).toEqual(left);
});

it("takes away a link to a store elsewhere, and not that store", async () => {
  await mkdir(path.join(home, "volume"));
  await writeFile(path.join(home, "volume/file"), "");
  await put("bake");
  await symlink(path.join(home, "volume"), path.join(here.work, "store"));
  await clean();
  expect((await readdir(home)).sort()).toEqual(["volume"]);
  expect(await readdir(path.join(home, "volume"))).toEqual(["file"]);
});

it("has nothing to do twice", async () => {
  await put("store");
  await clean();
  expect(await clean()).toMatchObject({ json: { removed: [], left: [] } });
  expect(await readdir(home)).toEqual([]);
});
