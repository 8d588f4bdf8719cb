import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { JOB_IMAGES, readJobVersions, versionArguments } from "../../../execution/job/image-versions.ts";
import { ENTRYPOINT_PATH } from "../../../execution/module/dockerfile.ts";
import { DEFAULT_BASE_IMAGE, toolVersions } from "../../../toolchain/pins.ts";

const PROJECT = path.join(import.meta.dirname, "../../..");
const FOLDER = path.join(PROJECT, "images/job-runner");
const dockerfile = await readFile(path.join(FOLDER, "Dockerfile"), "utf8");
const versions = await readJobVersions(PROJECT);

const argument = (name: string) => new RegExp(`^ARG ${name}="?(.*?)"?$`, "m").exec(dockerfile)?.[1];
const stageOf = (name: string) =>
  dockerfile.split(/^(?=FROM )/m).find((stage) => new RegExp(`^FROM \\S+ AS ${name}$`, "m").test(stage)) ?? "";

describe("images/job-runner/Dockerfile", () => {
  it("has the versions and checksums of versions.json", () => {
    const args = { ...versionArguments(versions), IMAGE_VERSION: "" };
    for (const [name, value] of Object.entries(args)) expect(argument(name), name).toBe(value);
    expect(argument("BASE_IMAGE")).toBe(`${versions.base.image}:${versions.base.tag}`);
    expect(argument("BASE_IMAGE")).toBe(DEFAULT_BASE_IMAGE);
    expect(argument("GO_IMAGE")).toBe(`docker.io/library/golang:${versions.go}-bookworm`);
    expect(versions.go).toBe(toolVersions.go);
  });

  it("has a stage for every image, which ends as the job's user", () => {
    for (const image of JOB_IMAGES) {
      const stage = stageOf(image);
      expect(stage, image).not.toBe("");
      expect(stage, image).toMatch(image === "base" ? /^FROM os AS base/ : /^FROM base AS /);
      expect([...stage.matchAll(/^USER (.*)$/gm)].map(([, user]) => user)).toEqual(
        image === "base" ? ["65532:65532"] : [],
      );
    }
  });

  it("starts the entrypoint where modules have it, as a job", () => {
    expect(stageOf("base")).toContain(`ENTRYPOINT ["${ENTRYPOINT_PATH}", "job"]`);
    expect(stageOf("entrypoint")).toContain("FROM ${ENTRYPOINT_IMAGE}");
  });

  it("installs no recommended packages, and leaves no lists and no certificates of a proxy behind", () => {
    const installs = [...dockerfile.matchAll(/apt-get install .*/g)].map(([line]) => line);
    expect(installs.length).toBeGreaterThan(0);
    for (const line of installs) expect(line).toContain("--no-install-recommends");
    expect(stageOf("os")).toMatch(/rm -rf \/var\/lib\/apt\/lists\/\* \/etc\/apt\/apt\.conf\.d\/99build-ca/);
    // What else is installed stays in a stage from which one folder is taken.
    expect(stageOf("python")).not.toContain("apt-get");
  });

  it("downloads nothing without a checksum", () => {
    const lines = dockerfile.split("\n").filter((line) => /\b(curl|wget) -f/.test(line));
    expect(lines).toHaveLength(1);
    const fetches = dockerfile.replaceAll(/\\\n\s*/g, "").match(/sh \/usr\/local\/lib\/kiln\/fetch [^;]*/g) ?? [];
    expect(fetches).toHaveLength(4);
    for (const fetch of fetches) expect(fetch.trim()).toMatch(/"\$(sum|oc|kubectl|PESTER_SHA256)"$/);
    expect(dockerfile).toContain("--require-hashes --only-binary :all:");
  });

  it("has a changelog for every image, with the version that is released next", async () => {
    for (const image of JOB_IMAGES) {
      const text = await readFile(path.join(FOLDER, image, "CHANGELOG.md"), "utf8");
      expect(text, image).toContain(`## ${versions.version}`);
    }
  });

  it("has hashes for all Python packages that are asked for", async () => {
    const wanted = await readFile(path.join(FOLDER, "python/requirements.in"), "utf8");
    const locked = await readFile(path.join(FOLDER, "python/requirements.txt"), "utf8");
    for (const name of wanted.split("\n").filter((line) => /^[a-z]/.test(line))) {
      expect(locked, name).toMatch(new RegExp(`^${name}==\\S+ \\\\\\n {4}--hash=sha256:`, "m"));
    }
    expect(locked).not.toMatch(/^[a-z][^\n]*[^\\\n]$/m);
  });
});
