import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { mirroredReference, readyBaseImage } from "../../../toolchain/base-image.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const DEFAULT = "docker.io/library/debian:bookworm-slim";
const LOCAL = "kiln-base:bookworm";

let home: string;

beforeEach(async () => {
  home = await temporaryDirectory();
});

interface Asked {
  readonly platform?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** As engines from 28 on do: the images that it holds are for every platform. */
  readonly tellsPlatforms?: boolean;
}

/** Asks for a base image of an engine that holds some images, all for amd64, and can pull some others, all for `platform`. */
async function ready(reference: string, holds: readonly string[], pulls: readonly string[] = [], asked: Asked = {}) {
  const { platform = "linux/amd64", env = {}, tellsPlatforms = false } = asked;
  const docker = path.join(home, "docker");
  await writeFile(path.join(home, "images"), [...holds, ""].join("\n"));
  await writeFile(path.join(home, "pulled"), "");
  await writeFile(path.join(home, "registry"), [...pulls, ""].join("\n"));
  const text = `#!/bin/sh
echo "$*" >> ${home}/calls
for last; do :; done
case "$1" in
  image)
    arch=amd64
    if [ "$3" = --platform ]; then ${tellsPlatforms ? 'arch="${4#linux/}"' : "exit 125"}; fi
    if grep -qxF "$last" ${home}/pulled; then arch=${platform.replace("linux/", "")}
    else grep -qxF "$last" ${home}/images || exit 1; fi
    echo "[{\\"Os\\":\\"linux\\",\\"Architecture\\":\\"$arch\\",\\"RootFS\\":{\\"Layers\\":[\\"sha256:1\\"]}}]" ;;
  pull) grep -xF "$last" ${home}/registry >> ${home}/pulled || { echo "no such host" >&2; exit 1; } ;;
esac
`;
  await writeFile(docker, text);
  await chmod(docker, 0o755);
  const notes: string[] = [];
  const progress = { step: () => undefined, update: () => undefined, note: (line: string) => notes.push(line) };
  const places = { project: home, work: home, cache: home, state: home };
  const engine = { docker, host: undefined, managed: false };
  const base = await readyBaseImage({ engine, reference, platform, progress, places, env });
  return { reference: base.reference, notes, calls: await readFile(path.join(home, "calls"), "utf8") };
}

test("an image that is in the engine is used as it is, without a pull", async () => {
  const { reference, notes, calls } = await ready("ghcr.io/o/base:1", ["ghcr.io/o/base:1", LOCAL]);
  expect(reference).toBe("ghcr.io/o/base:1");
  expect(notes).toEqual([]);
  expect(calls).not.toContain("pull");
});

test.each([DEFAULT, "ghcr.io/o/base:1"])("%s is pulled, although the local base is there", async (wanted) => {
  const { reference, notes } = await ready(wanted, [LOCAL], [wanted]);
  expect(reference).toBe(wanted);
  expect(notes).toEqual([]);
});

test("where the default cannot be pulled the local base stands in, and says so each time", async () => {
  for (let runs = 0; runs < 2; runs++) {
    const { reference, notes } = await ready(DEFAULT, [LOCAL]);
    expect(reference).toBe(LOCAL);
    expect(notes).toEqual([`${DEFAULT} cannot be pulled (no such host); using ${LOCAL}, built from Debian packages`]);
  }
});

test("no other image is replaced by the local base", async () => {
  await expect(ready("ghcr.io/o/base:1", [LOCAL])).rejects.toMatchObject({
    kind: "unreachable",
    message: "cannot pull the base image ghcr.io/o/base:1: no such host",
    mend: expect.stringContaining("docker load") as string,
  });
});

test("an image of another platform under the same name does not serve", async () => {
  const { calls } = await ready("ghcr.io/o/base:1", ["ghcr.io/o/base:1"], ["ghcr.io/o/base:1"], {
    platform: "linux/arm64",
  });
  expect(calls).toContain("pull --quiet --platform linux/arm64 ghcr.io/o/base:1");
});

test("of an image for several platforms the one that was asked for serves, where the engine can tell them apart", async () => {
  const name = "ghcr.io/o/base:1";
  const { reference, calls } = await ready(name, [name], [], { platform: "linux/arm64", tellsPlatforms: true });
  expect(reference).toBe(name);
  expect(calls).not.toContain("pull");
});

test("an image of Docker Hub comes from the mirror, and where it does not the mirror and the variable are named", async () => {
  const env = { KILN_DOCKER_MIRROR: "mirror.example/hub" };
  const mirrored = "mirror.example/hub/library/alpine:3";
  const { reference, calls } = await ready("alpine:3", [], [mirrored], { env });
  expect(reference).toBe(mirrored);
  expect(calls.match(/^pull .*$/gm)).toEqual([`pull --quiet --platform linux/amd64 ${mirrored}`]);
  await expect(ready("alpine:3", [], [], { env })).rejects.toMatchObject({
    kind: "unreachable",
    message: `cannot pull the base image ${mirrored}: no such host`,
    mend: expect.stringContaining("KILN_DOCKER_MIRROR") as string,
  });
});

test.each([
  ["debian:bookworm-slim", "mirror.example", "mirror.example/library/debian:bookworm-slim"],
  ["docker.io/library/debian:bookworm-slim", "https://mirror.example/", "mirror.example/library/debian:bookworm-slim"],
  ["docker.io/debian@sha256:abc", "localhost:5000/hub", "localhost:5000/hub/library/debian@sha256:abc"],
  ["pulumi/pulumi:3.253.0", "mirror.example", "mirror.example/pulumi/pulumi:3.253.0"],
  ["ghcr.io/o/base:1", "mirror.example", "ghcr.io/o/base:1"],
  ["localhost:5180/kiln/base", "mirror.example", "localhost:5180/kiln/base"],
  ["localhost/base", "mirror.example", "localhost/base"],
  ["debian", "", "debian"],
])("%s with the mirror %j is %s", (reference, mirror, wanted) => {
  expect(mirroredReference(reference, mirror)).toBe(wanted);
});
