import { describe, expect, it, onTestFinished, vi } from "vitest";
import raw from "../../../../images/pulumi-runner/languages.json" with { type: "json" };
import { catalogue, catalogueBase } from "../../../../execution/language/catalogue.ts";
import { CATALOGUE_FILE, parseCatalogue, readCatalogue } from "../../../../execution/language/catalogue-reading.ts";
import pinned from "../../../../toolchain/pins.json" with { type: "json" };
import { pins } from "../../../../toolchain/pins.ts";
import { PLATFORMS } from "../../../../toolchain/platforms.ts";

/** The catalogue with one value changed; `undefined` takes the key away. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(raw) as Record<string, unknown>;
  const keys = path.split("/");
  const last = keys.pop() ?? "";
  let at = copy;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  at[last] = value;
  return copy;
}

describe("the catalogue of language runners", () => {
  it("has the Go, Node and kubectl that the pins have, by the same checksums", () => {
    for (const platform of PLATFORMS) {
      const name = platform.replace("/", "-");
      expect(catalogue.downloads.go?.archives[platform]?.checksum).toBe(pins.go.goToolchain?.archives[name]?.sha256);
      const integrity = pinned.node.packages[name as "linux-amd64"].integrity.replace("sha512-", "");
      expect(catalogue.downloads.node?.archives[platform]?.checksum).toBe(
        Buffer.from(integrity, "base64").toString("hex"),
      );
    }
    expect(catalogue.downloads.go?.version).toBe(pins.go.version);
    expect(catalogue.downloads.node?.version).toBe(pinned.node.version);
    expect(catalogue.downloads.kubectl?.version).toBe(pins.kubectl.version);
  });

  it("fetches each version by an address that names it", () => {
    for (const { version, archives } of Object.values(catalogue.downloads)) {
      for (const { url } of Object.values(archives)) expect(url).toContain(version);
    }
  });

  it("asks each program that it downloads for the version that it downloads", () => {
    const named = {
      go: "go",
      node: "node",
      npm: "npm",
      pnpm: "pnpm",
      yarn: "yarn",
      uv: "uv",
      kubectl: "kubectl",
      dotnet: "dotnet-sdk",
    };
    const parts = [...Object.values(catalogue.languages), catalogue.tools];
    const programs = Object.assign({}, ...parts.map((part) => part.programs)) as Record<string, { version: string }>;
    for (const [program, download] of Object.entries(named)) {
      expect(programs[program]?.version, program).toBe(catalogue.downloads[download]?.version);
    }
  });

  it("names its file to a person who has made a mistake in it, as soon as it is loaded", async () => {
    const said = expect.stringMatching(`^${CATALOGUE_FILE}: it is no JSON: `) as string;
    const fault = { kind: "usage", message: said };
    expect(() => parseCatalogue('{"base": {},}')).toThrow(expect.objectContaining(fault));
    vi.resetModules();
    vi.doMock("../../../../settings/checkout-document.ts", async (original) => ({
      ...(await original<object>()),
      readTextNow: () => '{"base": {},}',
    }));
    onTestFinished(() => {
      vi.doUnmock("../../../../settings/checkout-document.ts");
      vi.resetModules();
    });
    await expect(import("../../../../execution/language/catalogue.ts")).rejects.toMatchObject(fault);
  });

  it("stands on the base by digest as soon as that is pinned", () => {
    expect(catalogueBase(catalogue)).toBe("docker.io/library/debian:bookworm-slim");
    const digest = `sha256:${"a".repeat(64)}`;
    expect(catalogueBase(readCatalogue(changed("base/digest", digest)))).toBe(
      `docker.io/library/debian:bookworm-slim@${digest}`,
    );
  });

  it.each([
    ["user/uid", 0, "user.uid must be a whole number from 1 on, found 0"],
    ["user/name", "runner", "user.name must be left away"],
    ["base/tag", "latest", "base.tag must be text like"],
    ["languages/golang", undefined, "languages.golang must be an object, found nothing"],
    ["languages/ruby", {}, "languages.ruby must be left away, or one of dotnet"],
    ["languages/golang/budget/slim", 0, "languages.golang.budget.slim must be a whole number from 1 on"],
    ["languages/golang/downloads", ["gcc"], "languages.golang.downloads must be of: "],
    ["languages/golang/packages", ["git; rm -rf /"], "languages.golang.packages[0] must be text like"],
    [
      "downloads/go/archives",
      { "linux/amd64": raw.downloads.go.archives["linux/amd64"] },
      "downloads.go.archives.linux/arm64 must be an object",
    ],
    ["downloads/go/archives/linux/amd64", undefined, "downloads.go.archives"],
    ["downloads/uv/files", undefined, "downloads.uv must be a folder, or files"],
    ["downloads/go/strip", -1, "downloads.go.strip must be a whole number from 0 on, found -1"],
    ["downloads/go/folder", "/usr/local/go|x", "downloads.go.folder must be text like"],
    ["clouds/aws/budget", "250", 'clouds.aws.budget must be a whole number from 1 on, found "250"'],
  ])("with another %s is refused by that key", (path, value, said) => {
    const broken = path.endsWith("/linux/amd64")
      ? changed("downloads/go/archives", {
          ...raw.downloads.go.archives,
          "linux/amd64": { url: "http://x", sha256: "0" },
        })
      : changed(path, value);
    expect(() => readCatalogue(broken)).toThrow(said);
  });
});
