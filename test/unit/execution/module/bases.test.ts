import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { baseReference, parseBases, programVersion, requirePinned } from "../../../../execution/module/bases.ts";
import { pins } from "../../../../toolchain/pins.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;
const file = (image: object, programs: object = {}) => JSON.stringify({ images: { x: image }, programs });
const good = { image: "docker.io/library/x", tag: "1", digest: null };

describe("parseBases", () => {
  it("names an image by tag, and by digest where there is one", () => {
    expect(baseReference(parseBases(file(good)), "x")).toBe("docker.io/library/x:1");
    expect(baseReference(parseBases(file({ ...good, digest: DIGEST })), "x")).toBe(`docker.io/library/x:1@${DIGEST}`);
    expect(() => baseReference(parseBases(file(good)), "y")).toThrow(/no image for y; it has x/);
    expect(programVersion(parseBases(file(good, { uv: "1.2.3" })), "uv")).toBe("1.2.3");
    expect(() => programVersion(parseBases(file(good)), "uv")).toThrow(/no version of uv/);
  });

  it.each([
    [{ ...good, digest: undefined }, /images\.x\.digest/],
    [{ ...good, digest: "sha256:short" }, /images\.x\.digest/],
    [{ ...good, tag: "latest" }, /images\.x\.tag/],
    [{ ...good, tag: undefined }, /images\.x\.tag/],
    [{ ...good, image: "x" }, /images\.x\.image/],
    ["x", /images\.x must be an object/],
  ])("refuses %j and names the key", (image, message) => {
    expect(() => parseBases(file(image as object))).toThrow(
      expect.objectContaining({ kind: "usage", message: expect.stringMatching(message) as string }),
    );
  });
});

describe("requirePinned", () => {
  it("refuses a build for others on what only a tag names", () => {
    requirePinned([`a:1@${DIGEST}`, `b@${DIGEST}`]);
    expect(() => {
      requirePinned(["a:1", `b@${DIGEST}`, "a:1"]);
    }).toThrow(
      expect.objectContaining({ kind: "usage", message: expect.stringMatching(/these have none: a:1$/) as string }),
    );
  });
});

it("the Go and Node of the images are those of this checkout", async () => {
  const project = path.join(import.meta.dirname, "../../../..");
  const bases = parseBases(await readFile(path.join(project, "images/iac-module/bases.json"), "utf8"));
  expect(bases.images.go?.tag).toBe(`${pins.go.version}-bookworm`);
  const raw = JSON.parse(await readFile(path.join(project, "toolchain/pins.json"), "utf8")) as {
    node: { version: string; packages: Record<string, { integrity: string }> };
  };
  expect(bases.images.node?.tag).toBe(`${raw.node.version}-bookworm-slim`);
  const standIn = await readFile(path.join(project, "images/iac-module/stand-ins/Dockerfile"), "utf8");
  expect(standIn).toContain(`ARG NODE_VERSION=${raw.node.version}\n`);
  for (const [platform, { integrity }] of Object.entries(raw.node.packages)) {
    const sum = Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
    expect(standIn).toContain(`ARG NODE_${platform.replace("linux-", "").toUpperCase()}_SHA512=${sum}\n`);
  }
});
