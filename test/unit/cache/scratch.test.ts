import { copyFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it, vi } from "vitest";
import { withScratch } from "../../../cache/scratch.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { CONTRACT } from "./cache-directory.ts";

vi.mock(import("node:fs/promises"), async (original) => {
  const actual = await original();
  return { ...actual, copyFile: vi.fn(actual.copyFile) };
});

async function store() {
  const goBuildCache = path.join(await temporaryDirectory(), "go-build");
  await mkdir(goBuildCache);
  return { contract: CONTRACT, goRoot: "/go", goModCache: "/go-mod", goBuildCache };
}

it("a scratch file has one name here and one where Go sees it, another each time, and is gone at the end", async () => {
  const mounts = await store();
  await withScratch(mounts, async ({ folder, file }) => {
    const [one, two] = [file("log"), file("log")];
    expect(one.outside).not.toBe(two.outside);
    expect(path.dirname(one.outside)).toBe(folder);
    expect(one.inside).toBe(`/var/cache/go-build/${path.relative(mounts.goBuildCache, one.outside)}`);
    await writeFile(one.outside, "x");
  });
  expect(await readdir(mounts.goBuildCache)).toEqual([]);
  await expect(withScratch(mounts, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await readdir(mounts.goBuildCache)).toEqual([]);
});

it("what a run left that was killed is removed, and nothing else of the build cache", async () => {
  const mounts = await store();
  await Promise.all(["kiln-old", "0a"].map((name) => mkdir(path.join(mounts.goBuildCache, name))));
  await writeFile(path.join(mounts.goBuildCache, "kiln-old/program"), "half");
  await withScratch(mounts, async () => {
    expect(await readdir(mounts.goBuildCache)).not.toContain("kiln-old");
  });
  expect(await readdir(mounts.goBuildCache)).toEqual(["0a"]);
});

it("a program is copied to where mounted commands find it and may start it", async () => {
  await withScratch(await store(), async ({ bring, folder }) => {
    vi.mocked(copyFile).mockImplementationOnce((from, to) => writeFile(to, `copy of ${String(from)}`));
    const inside = await bring("/usr/local/share/gocache");
    expect(inside).toMatch(/^\/var\/cache\/go-build\/kiln-\w+\/1-gocache$/);
    const copy = path.join(folder, path.basename(inside));
    expect(await readFile(copy, "utf8")).toBe("copy of /usr/local/share/gocache");
    expect((await stat(copy)).mode & 0o777).toBe(0o755);
  });
});
