import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { Builder, type ModuleBuild } from "../../../../execution/module/builder.ts";
import type { Engine } from "../../../../toolchain/docker-engine.ts";
import { places } from "../../../../toolchain/places.ts";
import { unpinnedProject } from "../../../support/unpinned-project.ts";

let home: string;
/** A checkout whose public images have no digests, whether or not this one's are pinned. */
let project: string;
/** An engine that must not be asked: what is refused here is refused before. */
const engine: Engine = { docker: "/nowhere/docker", host: undefined, managed: false };

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-builder-"));
  await writeFile(path.join(home, "main.tf"), "");
  project = await unpinnedProject();
  return () => rm(home, { recursive: true });
});

const builder = () => new Builder({ places: { ...places(), project } });
const refusal = (options: Partial<ModuleBuild>) =>
  builder().build({ directory: home, tag: "ghcr.io/o/m:1", engine, ...options });

describe("Builder.build refuses before it builds", () => {
  it.each([
    [{ push: true, loopbackHosts: true }, /loopback hosts is not for ghcr\.io/],
    [{ push: true }, /needs bases by digest, and these have none: .*debian:bookworm-slim/],
    [{ push: true, baseImage: "debian:12" }, /these have none: .*debian:12/],
    [{ platforms: ["linux/amd64", "linux/arm64"] }, /one platform of a name/],
    [{ platforms: [] }, /no platform/],
    [{ tag: `ghcr.io/o/m@sha256:${"0".repeat(64)}` }, /is a digest/],
    [{ tag: "not a reference" }, /not an image reference/],
  ])("%j", async (options, message) => {
    await expect(refusal(options)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(message) as string,
    });
  });

  it("what is no module", async () => {
    await rm(path.join(home, "main.tf"));
    await expect(refusal({})).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/is no module/) as string,
    });
  });
});

describe("public images that a tag alone names", () => {
  const notesOf = async (options: Partial<ModuleBuild>) => {
    const notes: string[] = [];
    const progress = { step: () => undefined, update: () => undefined, note: (text: string) => void notes.push(text) };
    await expect(refusal({ ...options, progress })).rejects.toThrow(/nowhere/);
    return notes.filter((note) => note.includes("not pinned"));
  };

  it("are said once to whoever builds on them, with how to pin them", async () => {
    const [note, ...more] = await notesOf({});
    expect(note).toMatch(/^not pinned by digest: .*debian:bookworm-slim.*`npx kiln module pin` pins/);
    expect(more).toEqual([]);
    expect((await builder().inspect(home)).unpinned).toEqual([
      ...["docker.io/library/buildpack-deps:bookworm-curl", "docker.io/library/buildpack-deps:bookworm-scm"],
      "docker.io/library/debian:bookworm-slim",
    ]);
  });

  it("are none where the module has a Dockerfile of its own", async () => {
    await writeFile(path.join(home, "Dockerfile"), "FROM scratch");
    expect(await notesOf({ dockerfile: "own" })).toEqual([]);
  });
});

describe("Builder.inspect", () => {
  it("gives kind, Dockerfile and the digest of what the image gets, without an engine", async () => {
    await mkdir(path.join(home, ".terraform"));
    await writeFile(path.join(home, ".terraform/x"), "");
    await writeFile(path.join(home, "terraform.tfstate"), "secret");
    const first = await builder().inspect(home);
    expect(first).toMatchObject({ kind: { tool: "opentofu" }, files: ["main.tf"] });
    expect(first.dockerfile).toContain("tofu init");
    await writeFile(path.join(home, "terraform.tfstate"), "another");
    expect(await builder().inspect(home)).toEqual(first);
    await writeFile(path.join(home, "main.tf"), "# changed");
    const second = await builder().inspect(home);
    expect(second.source).not.toBe(first.source);
    expect(second.dockerfile).toBe(first.dockerfile);
  });
});
