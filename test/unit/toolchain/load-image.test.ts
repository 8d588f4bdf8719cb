import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { loadImage } from "../../../toolchain/load-image.ts";
import { run } from "../../../toolchain/process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

/** Loads one archive into a docker client that keeps what it is given and exits so. */
async function load(code: number) {
  const home = await temporaryDirectory();
  const docker = path.join(home, "docker");
  await writeFile(docker, `#!/bin/sh\ncp "$4" ${home}/given.tar\nexit ${code}\n`);
  await chmod(docker, 0o755);
  const archive = path.join(home, "cache/rootfs.tar");
  await mkdir(path.dirname(archive));
  await writeFile(archive, "the files");
  const engine = { docker, host: undefined, managed: false };
  const image = { reference: "kiln-base:x", platform: "linux/arm64", archive, env: ["PATH=/bin"] };
  const failure = await loadImage(engine, image).catch((error: unknown) => error);
  return { home, failure, left: await readdir(path.dirname(archive)) };
}

test("an engine gets one layer with the platform that is asked for, and the same bytes each time", async () => {
  const { home, failure, left } = await load(0);
  expect(failure).toBeUndefined();
  expect(left).toEqual(["rootfs.tar"]);
  const member = async (name: string) => (await run("tar", ["-xOf", path.join(home, "given.tar"), name])).stdout;
  expect(JSON.parse(await member("manifest.json"))).toEqual([
    { Config: "config.json", RepoTags: ["kiln-base:x"], Layers: ["layer.tar"] },
  ]);
  expect(JSON.parse(await member("config.json"))).toEqual({
    os: "linux",
    architecture: "arm64",
    config: { Env: ["PATH=/bin"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${createHash("sha256").update("the files").digest("hex")}`] },
  });
  expect(await member("layer.tar")).toBe("the files");
  const again = await load(0);
  const config = async (at: string) => (await run("tar", ["-xOf", path.join(at, "given.tar"), "config.json"])).stdout;
  expect(await config(again.home)).toBe(await config(home));
  expect(await readFile(path.join(home, "cache/rootfs.tar"), "utf8")).toBe("the files");
});

test("an engine that takes no image is an error, and nothing is left beside the archive", async () => {
  const { failure, left } = await load(1);
  expect(failure).toMatchObject({ kind: "failed" });
  expect(left).toEqual(["rootfs.tar"]);
});
