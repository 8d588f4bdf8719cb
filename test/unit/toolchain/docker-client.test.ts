import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { repositoryOf } from "../../../toolchain/base-image.ts";
import { buildKitClient, clientMajor, engineVersion } from "../../../toolchain/docker-client.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

let home: string;

beforeEach(async () => {
  home = await temporaryDirectory();
});

/** A docker command that names its version, and has the buildx plugin or not. */
async function client(directory: string, version: string, buildx: boolean): Promise<string> {
  const file = path.join(home, directory, "docker");
  await mkdir(path.dirname(file), { recursive: true });
  const text = `#!/bin/sh
case "$1" in
  --version) echo "${version}" ;;
  buildx) ${buildx ? "echo buildx" : "exit 1"} ;;
  *) echo "Cannot connect to the Docker daemon" >&2; exit 1 ;;
esac
`;
  await writeFile(file, text);
  await chmod(file, 0o755);
  return file;
}

test("a newer client without buildx is passed over for an older one that has BuildKit inside", async () => {
  await client("bare", "Docker version 28.2.2, build e6534b4", false);
  const old = await client("old", "Docker version 20.10.24+dfsg1, build 297e128", false);
  expect(await buildKitClient({ PATH: `${home}/bare:${home}/old` })).toBe(old);
});

test("a newer client with buildx serves", async () => {
  const full = await client("full", "Docker version 28.2.2, build e6534b4", true);
  await client("old", "Docker version 20.10.24+dfsg1, build 297e128", false);
  expect(await buildKitClient({ PATH: `${home}/full:${home}/old` })).toBe(full);
});

test("another program that is called docker is passed over", async () => {
  await client("podman", "podman version 4.3.1", true);
  const full = await client("full", "Docker version 28.2.2, build e6534b4", true);
  expect(await buildKitClient({ PATH: `${home}/podman:${home}/full` })).toBe(full);
});

test("an engine that does not answer has no version", async () => {
  const file = await client("full", "Docker version 28.2.2, build e6534b4", true);
  expect(await engineVersion(file, {})).toBeUndefined();
});

test.each([
  ["Docker version 20.10.24+dfsg1, build 297e128", 20],
  ["Docker version 28.2.2, build e6534b4", 28],
  ["podman version 4.3.1", undefined],
  ["", undefined],
])("%j is of major version %s", (printed, major) => {
  expect(clientMajor(printed)).toBe(major);
});

test.each([
  ["debian:bookworm-slim", "debian"],
  ["localhost:5180/base@sha256:abc", "localhost:5180/base"],
  ["localhost:5180/base:v1", "localhost:5180/base"],
  ["ghcr.io/o/r:v1@sha256:abc", "ghcr.io/o/r"],
])("the repository of %s is %s", (reference, repository) => {
  expect(repositoryOf(reference)).toBe(repository);
});
