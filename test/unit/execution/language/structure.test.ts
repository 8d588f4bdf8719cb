import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { missingDownload, repoDigest } from "../../../../execution/language/builder.ts";
import { checkedUsers } from "../../../../execution/language/check.ts";
import { contentFacts } from "../../../../execution/language/image-facts.ts";
import { createdIn } from "../../../../execution/language/preview.ts";
import {
  saysVersion,
  structureFindings,
  type ContentFacts,
  type ImageFacts,
} from "../../../../execution/language/structure.ts";

const EXPECTED = {
  ...{ language: "golang", variant: "slim", uid: 1983, gid: 1983, budget: 450 },
  programs: {
    pulumi: { version: "3.253.0", ask: ["pulumi", "version"] as const },
    go: { version: "1.26.8", ask: ["go", "version"] as const },
  },
};
const IMAGE: ImageFacts = {
  user: "1983:1983",
  environment: { HOME: "/home/runner", USER: "runner", PATH: "/usr/bin", PULUMI_SKIP_UPDATE_CHECK: "true" },
  workingDirectory: "/workspace",
  labels: {
    "org.opencontainers.image.title": "runner-pulumi-golang",
    "org.opencontainers.image.version": "3.253.0",
    "org.opencontainers.image.description": "Pulumi",
    "org.opencontainers.image.licenses": "Apache-2.0",
    "org.opencontainers.image.source": "https://github.com/acme/infra",
    "org.opencontainers.image.revision": "c1",
    "dev.kiln.language.loopback-hosts": "false",
    "org.opencontainers.image.base.name": "debian",
    "dev.kiln.language.name": "golang",
    "dev.kiln.language.variant": "slim",
  },
};
const CONTENT: ContentFacts = {
  answers: { pulumi: "v3.253.0", go: "go version go1.26.8 linux/amd64" },
  open: [],
  privileged: [],
  leftovers: [],
  bytes: 400e6,
};
const failed = (image: Partial<ImageFacts>, content: Partial<ContentFacts> = {}) =>
  structureFindings(EXPECTED, { ...IMAGE, ...image }, { ...CONTENT, ...content })
    .filter(({ status }) => status === "failed")
    .map(({ what }) => what);

describe("the structure of a language runner", () => {
  it("has nothing wrong where all is as it must be", () => {
    expect(failed({})).toEqual([]);
  });

  it.each<[string, Partial<ImageFacts>, Partial<ContentFacts>]>([
    ["user", { user: "root" }, {}],
    ["working directory", { workingDirectory: "/" }, {}],
    ["variable HOME", { environment: { ...IMAGE.environment, HOME: "/" } }, {}],
    ["variables without a login", { environment: { ...IMAGE.environment, GITHUB_TOKEN: "x" } }, {}],
    [
      "label org.opencontainers.image.version",
      { labels: { ...IMAGE.labels, "org.opencontainers.image.version": "3.1.0" } },
      {},
    ],
    ["size above the base", {}, { bytes: 451e6 }],
    ["size above the base", {}, { bytes: Number.NaN }],
    ["go 1.26.8", {}, { answers: { ...CONTENT.answers, go: "go version go1.26.80 linux/amd64" } }],
    ["pulumi 3.253.0", {}, { answers: { go: CONTENT.answers.go ?? "" } }],
    ["files that anybody may change", {}, { open: ["/etc/passwd"] }],
    ["programs that run as another user", {}, { privileged: ["/usr/bin/su"] }],
    ["leftovers of the installation", {}, { leftovers: ["/var/lib/apt/lists/x"] }],
  ])("is wrong by its %s alone", (what, image, content) => {
    expect(failed(image, content)).toEqual([what]);
  });
});

describe("a label that the Dockerfile sets to nothing", () => {
  const without = (name: string, more: Readonly<Record<string, string>> = {}) =>
    failed({ labels: { ...IMAGE.labels, [`org.opencontainers.image.${name}`]: "", ...more } });

  it.each(["description", "licenses", "source", "revision", "base.name"])("is wrong: %s", (name) => {
    expect(without(name)).toEqual([`label ${name}`]);
  });

  it("may be so in an image for tests, where it says of what it was built", () => {
    const forTests = { "dev.kiln.language.loopback-hosts": "true" };
    expect([without("source", forTests), without("revision", forTests)]).toEqual([[], []]);
    expect(without("licenses", forTests)).toEqual(["label licenses"]);
  });
});

describe("the version that a program says", () => {
  it.each([
    ["Python 3.11.2", "3.11", true],
    ["Python 3.110.2", "3.11", false],
    ["v24.21.0", "24.21.0", true],
    ["124.21.0", "24.21.0", false],
    ["v3.253.0-alpha.1", "3.253.0", false],
    ["v3.253.0+dirty", "3.253.0", true],
    ['openjdk version "17.0.17" 2026-10-20', "17", true],
    ["OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.17", "9", true],
    ["OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.17", "3.1", false],
    ["Client Version: v1.34.2\nKustomize Version: v5.7.1", "1.34.2", true],
    ["10.0.102", "10.0.102", true],
    ["10.0.1024", "10.0.102", false],
    ["sh: 1: go: not found", "1.26.8", false],
  ])("of %j is %s: %s", (answer, version, says) => {
    expect(saysVersion(answer, version)).toBe(says);
  });
});

it("what a container prints is read by its sections", () => {
  const printed =
    "=== answer go\ngo version go1.26.8\n=== answer ssh\n=== open\n/a\n/b\n=== privileged\n=== leftovers\n/tmp/x\n=== bytes\n12\n";
  expect(contentFacts(printed)).toEqual({
    answers: { go: "go version go1.26.8", ssh: "" },
    open: ["/a", "/b"],
    privileged: [],
    leftovers: ["/tmp/x"],
    bytes: 12,
  });
});

it("a preview counts only by its JSON", () => {
  expect(createdIn('{"steps":[],"changeSummary":{"create":2}}')).toBe(2);
  for (const text of ["", "error: no", "{}", '{"changeSummary":{"same":1}}']) expect(createdIn(text)).toBeUndefined();
});

it("an image is tried as its user, as root, in group 0 and in no group that it knows", () => {
  expect(checkedUsers({ uid: 1983, gid: 1983 }, 100_000)).toEqual(["1983:1983", "0:0", "100000:0", "100001:100001"]);
});

it.each([
  ["docker.io/library/debian:bookworm-slim", ["debian@sha256:1"], "sha256:1"],
  ["docker.io/library/debian@sha256:1", ["other@sha256:2", "debian@sha256:1"], "sha256:1"],
  ["docker.io/acme/base:1", ["acme/base@sha256:1"], "sha256:1"],
  ["mirror.example:5000/debian:1", ["debian@sha256:2", "mirror.example:5000/debian@sha256:1"], "sha256:1"],
  ["kiln-base:bookworm", [], undefined],
])("the digest of %s is found among %j", (reference, known, digest) => {
  expect(repoDigest(reference, known)).toBe(digest);
});

describe("a build that could not fetch something", () => {
  it("names the address", () => {
    const said =
      "#9 2.0 fetching https://b.example/two.tgz\n#9 2.1 curl: (6) Could not resolve host: b.example\n#9 2.2 cannot fetch https://b.example/two.tgz\n#9 ERROR";
    expect(missingDownload(new KilnError("failed", said))).toMatchObject({
      kind: "unreachable",
      message: "https://b.example/two.tgz cannot be fetched: Could not resolve host: b.example",
    });
  });

  it("is no other failure", () => {
    const said = "#9 1.0 fetching https://a.example/one.zip\nhttps://a.example/one.zip: the sha256 is 1, pinned is 2";
    expect(missingDownload(new KilnError("failed", said))).toBeUndefined();
  });
});
