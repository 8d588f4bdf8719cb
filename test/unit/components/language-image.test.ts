import { describe, expect, it } from "vitest";
import type { LanguageImageArgs } from "../../../components/language-image.ts";
import { pins } from "../../../toolchain/pins.ts";
import { recordResources, valueOf } from "../../support/mocks.ts";

async function languageImage(args: Partial<LanguageImageArgs> = {}) {
  const resources = await recordResources();
  const { LanguageImage } = await import("../../../components/language-image.ts");
  const component = new LanguageImage("golang", {
    repository: "localhost:5180/kiln/runner-pulumi-golang",
    tag: "v3.253.0",
    language: "golang",
    variant: "slim",
    platform: "linux/amd64",
    buildOnPreview: false,
    ...args,
  });
  const image = await valueOf(component.image);
  const build = resources.find(({ type }) => type === "docker:index/image:Image")?.inputs.build;
  return { component, image, resources, build: build as { readonly args: Readonly<Record<string, string>> } };
}

describe("a language runner of one's own", () => {
  it("is one docker.Image of the language's stage, run by the digest that was pushed", async () => {
    const { image, resources, build, component } = await languageImage();
    expect(resources.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
      "docker:index/image:Image golang",
      "kiln:image:LanguageImage golang",
    ]);
    expect(image).toBe(`localhost:5180/kiln/runner-pulumi-golang@sha256:${"d".repeat(64)}`);
    expect(build).toMatchObject({
      context: "images/pulumi-runner",
      dockerfile: "images/pulumi-runner/Dockerfile",
      target: "golang",
      platform: "linux/amd64",
    });
    expect(await valueOf(component.pulumiVersion)).toBe(pins.pulumi.version);
  });

  it("downloads the pinned Pulumi by its checksum, with the host of its language alone", async () => {
    const { build } = await languageImage();
    const sha256 = pins.pulumi.downloads["linux-amd64"]?.sha256 ?? "";
    expect(build.args.PULUMI_DOWNLOAD).toContain(`|sha256|${sha256}|`);
    expect(build.args.PULUMI_DOWNLOAD).toContain("pulumi-language-go=/usr/local/bin/pulumi-language-go");
    expect(build.args.PULUMI_DOWNLOAD).not.toContain("nodejs");
  });

  it("takes another release of Pulumi, base and user where they are named", async () => {
    const archive = { url: "https://get.pulumi.com/x.tar.gz", algorithm: "sha256" as const, checksum: "e".repeat(64) };
    const base = `mirror.example/debian@sha256:${"b".repeat(64)}`;
    const { build } = await languageImage({ pulumi: { version: "3.999.0", archive }, base, uid: 1234 });
    expect(build.args).toMatchObject({
      ...{ PULUMI_VERSION: "3.999.0", BASE_IMAGE: base, BASE_DIGEST: `sha256:${"b".repeat(64)}` },
      ...{ RUNNER_UID: "1234", RUNNER_GID: "1234" },
    });
  });

  it("is refused before the first resource where slim should have a cloud's tools", async () => {
    await expect(languageImage({ clouds: ["aws"] })).rejects.toThrow("a slim image has no tools of aws");
  });
});
