import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { restoreDirectory } from "../../../cache/directory-store.ts";
import { hasEntries } from "../../../cache/store.ts";
import { parseStoreSource } from "../../../cache/store-source.ts";
import { buildContract } from "../../../cache/contract.ts";
import { silent } from "../../../progress.ts";
import { CONTRACT, entriesOf, writeCache } from "./cache-directory.ts";

const MODULE = "example.com/a@v1.0.0";

let home: string;
let [directory, store] = ["", ""];
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-directory-store-"));
  [directory, store] = [path.join(home, "artifact"), path.join(home, "store")];
  await writeCache(directory, { aws: { packages: ["ec2", "s3"], modules: [MODULE] } });
  return () => rm(home, { recursive: true });
});

const restore = (contract = CONTRACT) => restoreDirectory({ directory, store, contract, progress: silent });

describe("restoreDirectory", () => {
  it("gives a store the entries and modules that it lacks, once", async () => {
    expect(await hasEntries(store, new Set(Object.values(entriesOf("ec2"))))).toBe(false);
    expect(await restore()).toEqual({ entries: 2, modules: 1 });
    expect(await hasEntries(store, new Set(Object.values(entriesOf("ec2"))))).toBe(true);
    expect(await readFile(path.join(store, "go-build", entriesOf("s3").output), "utf8")).toBe("archive of s3");
    expect(await readdir(path.join(store, "go-mod", MODULE))).toEqual(["a.go", "internal"]);
    expect(await restore()).toEqual({ entries: 0, modules: 0 });
    expect((await readdir(path.join(store, "go-mod/cache"))).sort()).toEqual(["download"]);
    // What the store does with its files is no matter of the artifact's.
    expect((await readdir(directory)).sort()).toEqual(["go-build", "go-mod", "manifest.json"]);
  });

  it("takes nothing of an artifact that lost an entry on its way", async () => {
    await rm(path.join(directory, "go-build", entriesOf("s3").output));
    await expect(restore()).rejects.toMatchObject({
      kind: "difference",
      message: /lacks 1 of its entries, go-build\//,
    });
    expect(await hasEntries(store, new Set([entriesOf("ec2").output]))).toBe(false);
  });

  it("takes nothing of an artifact with an archive that is not what its name says", async () => {
    await writeFile(path.join(directory, "go-build", entriesOf("s3").output), "archive of s4");
    await expect(restore()).rejects.toMatchObject({ kind: "difference", message: new RegExp(entriesOf("s3").output) });
    expect(await hasEntries(store, new Set([entriesOf("ec2").output]))).toBe(false);
  });

  it("refuses an artifact of another contract", async () => {
    const other = buildContract({ go: "1.26.8", pulumi: "3.253.0" }, "arm64");
    await expect(restore(other)).rejects.toMatchObject({ kind: "usage", message: /warmed differently/ });
  });
});

describe("parseStoreSource", () => {
  it("takes a cache directory for one, and everything else for an image", async () => {
    expect(await parseStoreSource(directory)).toEqual({ kind: "directory", directory });
    expect(await parseStoreSource("ghcr.io/acme/warm:latest")).toMatchObject({ kind: "image" });
    await expect(parseStoreSource(path.join(home, "missing"))).rejects.toMatchObject({ kind: "usage" });
  });
});
