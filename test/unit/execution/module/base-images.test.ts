import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { readyStageImages, type BaseImagesOptions } from "../../../../execution/module/base-images.ts";
import { silent } from "../../../../progress.ts";
import { places } from "../../../../toolchain/places.ts";
import { ownPlatform } from "../../../../toolchain/platforms.ts";

let home: string;
let notes: string[];

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-base-images-"));
  notes = [];
  vi.stubEnv("KILN_DOCKER_MIRROR", undefined);
  return () => rm(home, { recursive: true });
});

const pinned = { base: "r.example/base:1", build: "r.example/build:1", certificates: "r.example/ca:1" };
const [os = "", architecture = ""] = ownPlatform().split("/");
const INSPECTED = JSON.stringify([{ Os: os, Architecture: architecture, RootFS: { Layers: [] } }]);

/** A client that has some images, and can pull others; `kiln-base:bookworm` stands in where nothing else does. */
async function options(fields: Partial<BaseImagesOptions>, has: string, pulls = "none"): Promise<BaseImagesOptions> {
  const docker = path.join(home, "docker");
  const script = `#!/bin/sh
echo "$@" >> ${home}/calls
for last; do :; done
case "$1 $last" in
  image*kiln-base:bookworm) echo '${INSPECTED}'; exit 0 ;;
  image*) case " ${has} " in *" $last "*) echo ${ownPlatform()}; exit 0 ;; esac ;;
  pull*) case " ${pulls} " in *" $last "*) exit 0 ;; esac; echo "no route" >&2 ;;
esac
exit 1
`;
  await writeFile(docker, script);
  await chmod(docker, 0o755);
  return {
    ...{ engine: { docker, host: undefined, managed: false }, platform: ownPlatform(), pinned, named: {} },
    kind: { tool: "opentofu", runtime: "hcl", notes: [] },
    ...{ mayReplace: false, places: places({ KILN_CACHE_DIR: home, KILN_STATE_DIR: home }, home) },
    progress: { ...silent, note: (text) => notes.push(text) },
    ...fields,
  };
}

const calls = async () => (await readFile(path.join(home, "calls"), "utf8")).split("\n");

describe("readyStageImages", () => {
  it("takes what the engine has and pulls the rest for the platform", async () => {
    const asked = await options({}, "r.example/base:1", "r.example/build:1 r.example/ca:1");
    expect(await readyStageImages(asked)).toEqual(pinned);
    expect((await calls()).filter((call) => call.startsWith("pull"))).toEqual([
      `pull --quiet --platform ${ownPlatform()} r.example/build:1`,
      `pull --quiet --platform ${ownPlatform()} r.example/ca:1`,
    ]);
  });

  it("fails where an image cannot be pulled, and replaces it only where that is asked for, with a note", async () => {
    const has = "r.example/base:1 r.example/ca:1";
    await expect(readyStageImages(await options({}, has))).rejects.toMatchObject({
      ...{ kind: "unreachable", message: "cannot pull r.example/build:1: no route" },
    });
    const replaced = await readyStageImages(await options({ mayReplace: true }, has));
    expect(replaced).toEqual({ ...pinned, build: "kiln-base:bookworm" });
    expect(notes.join("\n")).toContain("r.example/build:1 cannot be pulled; using kiln-base:bookworm");
  });

  it("looks once for an image of two stages, and once for what stands in", async () => {
    const same = { base: "r.example/one:1", build: "r.example/one:1", certificates: "r.example/ca:1" };
    const asked = await options({ mayReplace: true, pinned: same }, "");
    await readyStageImages(asked);
    expect((await calls()).filter((call) => call.startsWith("pull"))).toEqual([
      `pull --quiet --platform ${ownPlatform()} r.example/one:1`,
      expect.stringContaining("debian:bookworm-slim"),
      `pull --quiet --platform ${ownPlatform()} r.example/ca:1`,
    ]);
  });

  it.each([{ base: "mine:1" }, { build: "mine:1" }, { base: "r.example/base:1", build: "mine:1" }])(
    "never replaces an image that a person named: %j",
    async (named) => {
      const has = "r.example/base:1 r.example/build:1 r.example/ca:1";
      const asked = await options({ mayReplace: true, named }, has);
      await expect(readyStageImages(asked)).rejects.toMatchObject({
        ...{ kind: "unreachable", message: "cannot pull mine:1: no route" },
      });
      expect(notes).toEqual([]);
    },
  );

  it("has no stand-in for what it cannot make", async () => {
    const pulumi = { tool: "pulumi", project: "p", projectFile: "Pulumi.yaml", notes: [] } as const;
    const kind = { ...pulumi, runtime: "java", packageManager: "maven", buildFile: "x", mainClass: "x" } as const;
    await expect(readyStageImages(await options({ mayReplace: true, kind }, ""))).rejects.toMatchObject({
      message: expect.stringContaining("no stand-in for java") as string,
    });
  });

  it("builds on a named base too, except for Go, whose programs run anywhere", async () => {
    const has = "mine:1 warm:1 r.example/build:1 r.example/ca:1";
    const named = { base: "mine:1" };
    expect(await readyStageImages(await options({ named }, has))).toMatchObject({ base: "mine:1", build: "mine:1" });
    const pulumi = { tool: "pulumi", project: "p", projectFile: "Pulumi.yaml", notes: [] } as const;
    const kind = { ...pulumi, runtime: "go", package: "." } as const;
    expect(await readyStageImages(await options({ named, kind }, has))).toMatchObject({ build: "r.example/build:1" });
    const warm = { base: "mine:1", build: "warm:1" };
    expect(await readyStageImages(await options({ named: warm, kind }, has))).toMatchObject(warm);
  });

  it("takes images of Docker Hub from the mirror that is named", async () => {
    vi.stubEnv("KILN_DOCKER_MIRROR", "mirror.example/hub");
    const hub = { base: "docker.io/library/debian:12", build: "r.example/build:1", certificates: "r.example/ca:1" };
    const asked = await options(
      { pinned: hub },
      "r.example/build:1 r.example/ca:1",
      "mirror.example/hub/library/debian:12",
    );
    expect((await readyStageImages(asked)).base).toBe("mirror.example/hub/library/debian:12");
  });
});
