import { statfs } from "node:fs/promises";
import path from "node:path";
import { expect, it, vi } from "vitest";
import { requireFreeSpace } from "../../../cache/store.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

vi.mock(import("node:fs/promises"), async (original) => ({ ...(await original()), statfs: vi.fn() }));

/** A store with so many GB free where it stands, and on a volume that is mounted at its build cache. */
function free(store: string, here: number, volume?: number): void {
  vi.mocked(statfs).mockImplementation(((folder: string) => {
    const gigabytes = folder === path.join(store, "go-build") ? volume : here;
    if (gigabytes === undefined) return Promise.reject(new Error("ENOENT"));
    return Promise.resolve({ bavail: gigabytes * 1024, bsize: 1024 ** 2 });
  }) as unknown as typeof statfs);
}

it("counts the volume at the build cache, not what is around it", async () => {
  const store = await temporaryDirectory();
  free(store, 1, 50);
  await expect(requireFreeSpace(store, {})).resolves.toBeUndefined();
  free(store, 50, 1);
  await expect(requireFreeSpace(store, {})).rejects.toThrow(`${store} has 1.0 GB free; warming wants 10.0 GB`);
});

it("counts what is free where the store stands while it has no build cache", async () => {
  const store = await temporaryDirectory();
  free(store, 50);
  await expect(requireFreeSpace(store, {})).resolves.toBeUndefined();
  free(store, 1);
  await expect(requireFreeSpace(store, {})).rejects.toThrow("1.0 GB free");
});
