import { createHash } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, expect, it } from "vitest";
import type { Engine } from "../../../toolchain/docker-engine.ts";
import { places } from "../../../toolchain/places.ts";
import { readyProgramImage, type ImageFile } from "../../../toolchain/program-image.ts";

let home: string;
let engine: Engine;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-program-image-"));
  engine = { docker: path.join(home, "docker"), host: undefined, managed: false };
  return () => rm(home, { recursive: true });
});

/** A client whose engine keeps what it loads: config and layer, by whose digests an image is known. */
async function docker(known: 0 | 1): Promise<void> {
  const script = `case $1 in image) exit ${known} ;; load) tar -xOf "$4" config.json layer.tar > ${home}/loaded ;; esac`;
  await writeFile(engine.docker, `#!/bin/sh\n${script}\n`);
  await chmod(engine.docker, 0o755);
}

const at = () => places({ KILN_CACHE_DIR: home, KILN_STATE_DIR: home }, home);
const image = (files: readonly ImageFile[]) =>
  readyProgramImage(engine, { name: "x", platform: "linux/arm64", files }, at());
const loaded = async () =>
  createHash("sha256")
    .update(await readFile(path.join(home, "loaded")))
    .digest("hex");

it("is named after its files, whatever their order and times, and is loaded as that", async () => {
  await docker(1);
  const file = path.join(home, "program");
  await writeFile(file, "bytes");
  const files = [
    { to: "/usr/local/bin/p", file },
    { to: "/etc/t", text: "t" },
  ] as const;
  const first = await image(files);
  const bytes = await loaded();
  expect(first).toMatch(/^x:[0-9a-f]{16}-arm64$/);
  await utimes(file, 1, 1);
  expect(await image([...files].reverse())).toBe(first);
  expect(await loaded()).toBe(bytes);
});

it("is another one for another byte, place or right", async () => {
  await docker(1);
  const file = path.join(home, "program");
  await writeFile(file, "bytes");
  const names = [
    await image([{ to: "/p", file }]),
    await image([{ to: "/q", file }]),
    await image([{ to: "/p", file, mode: 0o644 }]),
  ];
  await writeFile(file, "other");
  names.push(await image([{ to: "/p", file }]), await image([{ to: "/p", text: "other" }]));
  expect(new Set(names).size).toBe(names.length);
});

it("is not made again where the engine has it", async () => {
  await docker(0);
  await image([{ to: "/t", text: "t" }]);
  await expect(loaded()).rejects.toThrow();
});
