import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Contents } from "../../../../cache/report/contents.ts";
import { imageSizes, likelyModules } from "../../../../cache/report/image-sizes.ts";
import { fitted } from "../../../../cache/report/map-drawing.ts";
import { packageName } from "../../../../cache/report/package-name.ts";
import { reportPage } from "../../../../cache/report/page.ts";
import type { PackageSize } from "../../../../cache/report/size-tree.ts";

const size = (provider: string, goModule: string, name: string, bytes: number): PackageSize => ({
  ...{ provider, goModule, name, bytes, compressed: Math.round(bytes / 8) },
});

const sizes = [
  size("common", "standard library", "fmt", 900_000),
  size("aws", "github.com/x/sdk@v1.2.0", "github.com/x/sdk/ec2", 90_000_000),
  size("aws", "finished programs", "modules/aws/vpc", 40_000_000),
  size("gcp", "github.com/y/sdk@v1.0.0", "github.com/y/sdk/run", 30_000_000),
];

const contents: Contents = {
  name: "registry.example/warm:v1",
  report: {
    programs: ["modules/aws/vpc", "modules/gcp/run"],
    layers: [
      { name: "common", bytes: 120_000, holds: "caches", digest: `sha256:${"a".repeat(64)}`, shared: true },
      { name: "aws", bytes: 16_000_000, holds: "caches", digest: `sha256:${"b".repeat(64)}`, shared: false },
    ],
    bytes: 16_120_000,
    bytesToPull: 16_000_000,
  },
  sizes,
};
const text = (bytes: number) => `${bytes} B`;
const verification = {
  programs: [{ directory: "modules/aws/vpc", compiled: [], firstSeconds: 0.61, secondSeconds: 0.31 }],
  compileActions: 0,
  passed: true,
};
const timings = {
  version: 1,
  seconds: { "github.com/x/sdk/ec2": 24.5, fmt: 0.5 },
  links: { "modules/aws/vpc": 2.5 },
} as const;
const page = reportPage({ contents, size: text, timings, verification });

describe("reportPage", () => {
  it("draws the tree twice, a cell for each provider, module and package", () => {
    expect(page.match(/<svg class="map (compressed|bytes)"/g)).toHaveLength(2);
    expect(page.match(/<a class="provider" href="#in-aws"/g)).toHaveLength(2);
    expect(page.match(/data-name="github\.com\/x\/sdk\/ec2"/g)).toHaveLength(3);
    expect(page).toContain('<details id="in-aws">');
  });

  it("shows layers with digests, times and programs", () => {
    expect(page).toContain(`<code>sha256:${"b".repeat(64)}</code>`);
    expect(page).toContain("Cold, compiling took 25 s of CPU time. Linking 1 of the programs took 3 s.");
    expect(page).toContain("first build takes 0.61 s on average and 0.61 s at most.");
    expect(page).toContain('<td class="path">modules/aws/vpc</td><td class="n">40000000 B</td>');
  });

  it("leaves out what is not known", () => {
    const plain = reportPage({ contents: { name: contents.name, report: contents.report }, size: text });
    expect(plain).not.toContain("<svg");
    expect(plain).not.toContain("Cold and warm");
    expect(plain).toContain('<a href="#layers">');
    expect(plain).toContain("modules/gcp/run");
  });

  it("says what changed against another image", () => {
    const before = [size("aws", "github.com/x/sdk@v1.1.0", "github.com/x/sdk/ec2", 80_000_000), ...sizes.slice(2, 3)];
    const against: Contents = { ...contents, name: "old", report: { ...contents.report, layers: [] }, sizes: before };
    const compared = reportPage({ contents, against, size: text });
    expect(compared).toContain("What changed against old");
    expect(compared).toMatch(/github\.com\/x\/sdk\/ec2<\/td><td class="grown">grown<\/td>/);
    expect(compared).toMatch(/github\.com\/y\/sdk\/run<\/td><td class="new">new<\/td>/);
    expect(compared).toContain("+1250000 B");
  });

  it("fetches nothing and leads nowhere else", () => {
    for (const [, address = ""] of page.matchAll(/\s(?:src|href|action|srcset|data|poster)="([^"]*)"/g)) {
      expect(address).toMatch(/^#/);
    }
    expect(page).not.toMatch(/@import|url\(|<link|<iframe|fetch\(/);
    const script = /<script>([\s\S]*)<\/script>/.exec(page)?.[1] ?? "";
    const hash = createHash("sha256").update(script).digest("base64");
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'"`);
  });

  it("escapes whatever names it shows", () => {
    const bad = `"><script>alert(1)</script><b a='\``;
    const layers = [{ name: bad, bytes: 1, holds: bad, digest: bad, shared: false }];
    const evil: Contents = {
      name: bad,
      report: { programs: [bad], layers, bytes: 1, bytesToPull: 1 },
      sizes: [size(bad, bad, bad, 1e6), size(bad, "n@v1", "x", 5e5)],
    };
    const shown = reportPage({ contents: evil, against: { ...evil, sizes: [] }, size: text });
    expect(shown).not.toContain("<script>alert");
    expect(shown).not.toContain("<b a=");
    expect(shown.match(/<script>/g)).toHaveLength(1);
  });

  it("gives the same page for the same contents", () => {
    expect(reportPage({ contents, size: text, timings, verification })).toBe(page);
  });
});

describe("names", () => {
  it("finds a package's module, the longest that its path begins with", () => {
    const modules = new Set(["example.com/a@v1.0.0", "example.com/a/b@v1.0.0", "example.com/a/b@v2.0.0"]);
    expect(packageName("fmt", modules)).toEqual({ goModule: "standard library", name: "fmt" });
    expect(packageName("./lib/x", modules)).toEqual({ goModule: "this repository", name: "lib/x" });
    expect(packageName("example.com/a/b/c@v1.0.0", modules)).toEqual({
      goModule: "example.com/a/b@v1.0.0",
      name: "example.com/a/b/c",
    });
    expect(packageName("example.com/ab@v1.0.0", modules).goModule).toBe("example.com/ab@v1.0.0");
  });

  it("guesses modules by what packages of one version have in common", () => {
    const keys = ["h.com/o/sdk/go/ec2@v1.0.0", "h.com/o/sdk/go/s3@v1.0.0", "h.com/o/sdk/go@v2.0.0", "fmt", "./x"];
    expect(likelyModules(keys)).toEqual(new Set(["h.com/o/sdk/go@v1.0.0", "h.com/o/sdk/go@v2.0.0"]));
  });

  it("divides a layer's compressed bytes among its packages", () => {
    const layers = { aws: { "h.com/o/sdk/ec2@v1.0.0": 300, fmt: 100 }, empty: {} };
    expect(imageSizes({ layers, sizes: { aws: 40 } })).toEqual([
      { provider: "aws", goModule: "h.com/o/sdk/ec2@v1.0.0", name: "h.com/o/sdk/ec2", bytes: 300, compressed: 30 },
      { provider: "aws", goModule: "standard library", name: "fmt", bytes: 100, compressed: 10 },
    ]);
  });

  it.each([
    ["github.com/pulumi/pulumi-aws/sdk/v7@v7.12.0", 80, "github.com/pulumi/pulumi-aws/sdk/v7 v7.12.0"],
    ["github.com/pulumi/pulumi-aws/sdk/v7@v7.12.0", 30, "pulumi-aws/sdk/v7 v7.12.0"],
    ["github.com/pulumi/pulumi-aws/sdk/v7@v7.12.0", 20, "pulumi-aws v7.12.0"],
    ["github.com/pulumi/pulumi-aws/sdk/v7@v7.12.0", 12, "pulumi-aws"],
    ["github.com/pulumi/pulumi-aws/sdk/v7@v7.12.0", 5, "pulu…"],
    ["github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1", 12, "core/v1"],
    ["net/http", 80, "net/http"],
    ["finished programs", 9, "finished…"],
  ])("fits %s into %d letters", (name, letters, shown) => {
    expect(fitted(name, letters)).toBe(shown);
  });
});
