import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { cleanCommand } from "../../../cli/clean.ts";
import { silent } from "../../../progress.ts";
import { thisOwner } from "../../../toolchain/lock.ts";
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
  expect(await readdir(here.work)).toEqual([]);
  expect(await readdir(path.join(home, "volume"))).toEqual(["file"]);
});

it("has nothing to do twice, and leaves the folder itself to those who wait for a lock in it", async () => {
  await put("store");
  await clean();
  expect(await clean()).toMatchObject({ json: { removed: [], left: [] } });
  expect(await readdir(here.work)).toEqual([]);
});

it.each(["release/iac-runner-base-v1.0.0@iac-runner-release.lock", "release/groups/stack-local.lock", "store/lock"])(
  "removes nothing while a process holds %s, and the locks of the dead with all else",
  async (lock) => {
    await put("store", "release", "release/groups");
    const file = path.join(here.work, lock);
    await writeFile(file, JSON.stringify(thisOwner()));
    await expect(clean()).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringContaining(`process ${process.pid} on ${thisOwner().host} works in ${here.work}`) as string,
    });
    expect((await readdir(here.work)).sort()).toEqual(["release", "store"]);
    await writeFile(file, JSON.stringify({ ...thisOwner(), pid: 2 ** 30 }));
    await writeFile(path.join(here.work, "plugins.lock"), "");
    expect(await clean()).toMatchObject({ json: { removed: ["plugins.lock", "release", "store"], left: [] } });
  },
);

it("asks who holds a store that is linked, and nobody of a file that is no lock of kiln's", async () => {
  await mkdir(path.join(home, "volume/go-build"), { recursive: true });
  await put("sources/checkout");
  await writeFile(path.join(here.work, "sources/checkout/flake.lock"), '{"nodes":{}}');
  await symlink(path.join(home, "volume"), path.join(here.work, "store"));
  const lock = path.join(home, "volume/go-build/lock");
  await writeFile(lock, JSON.stringify(thisOwner()));
  await expect(clean()).rejects.toThrow(/it holds store\/go-build\/lock$/);
  await rm(lock);
  expect(await clean()).toMatchObject({ json: { removed: ["sources", "store"], left: [] } });
});
