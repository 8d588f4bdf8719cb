import { createWriteStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { expect, it } from "vitest";
import type { Container } from "../../../../execution/container-run.ts";
import { copyOutput } from "../../../../execution/job/copied-output.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

type Header = Parameters<ReturnType<typeof pack>["entry"]>[0];

/** A container whose output folder is these entries of a tar. */
function holding(entries: readonly (readonly [Header, Buffer])[]): Container {
  const copyOut = async (_folder: string, file: string) => {
    const tar = pack();
    for (const [header, content] of entries) tar.entry(header, content);
    tar.finalize();
    await pipeline(tar, createWriteStream(file));
    return true;
  };
  return { copyOut } as unknown as Container;
}

it("takes files of a container that was killed, no links, and no more than it may", async () => {
  const folder = await temporaryDirectory();
  const container = holding([
    [{ name: "output/", type: "directory" }, Buffer.alloc(0)],
    [{ name: "output/result.json" }, Buffer.from('{"status":"failed"}')],
    [{ name: "output/artifacts/deep/a" }, Buffer.alloc(300_000, 7)],
    [{ name: "output/artifacts/link", type: "symlink", linkname: "/etc/passwd" }, Buffer.alloc(0)],
    [{ name: "output/artifacts/../../owned" }, Buffer.from("x")],
    [{ name: "output/stdout.log" }, Buffer.from("said\n")],
    [{ name: "output/artifacts/large" }, Buffer.alloc(800_000)],
  ]);
  const { result, fault } = await copyOutput(container, folder, 1_000_000);
  expect(result?.status).toBe("failed");
  expect(fault).toContain("more than 1000000 bytes");
  expect((await readdir(folder)).sort()).toEqual(["artifacts", "stdout.log"]);
  expect(await readdir(path.join(folder, "artifacts"))).toEqual(["deep"]);
  expect((await stat(path.join(folder, "artifacts/deep/a"))).size).toBe(300_000);
  expect(await readFile(path.join(folder, "stdout.log"), "utf8")).toBe("said\n");
});

it("reads no result that is larger than one can be", async () => {
  const container = holding([[{ name: "output/result.json" }, Buffer.alloc(17 << 20, " ")]]);
  expect((await copyOutput(container, await temporaryDirectory(), 64 << 20)).result).toBeUndefined();
});
