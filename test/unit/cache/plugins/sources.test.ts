import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { archiveUrls, checksumsUrl, parseMirrors } from "../../../../cache/plugins/sources.ts";
import type { KilnError } from "../../../../errors.ts";

const AWS = { name: "aws", version: "7.12.0" };
const FILE = "pulumi-resource-aws-v7.12.0-linux-amd64.tar.gz";
const GITHUB = `https://github.com/pulumi/pulumi-aws/releases/download/v7.12.0/${FILE}`;
const urls = (mirrors?: string, server?: string) =>
  archiveUrls({ ...AWS, ...(server === undefined ? {} : { server }) }, "linux-amd64", parseMirrors(mirrors));

describe("archiveUrls", () => {
  it("asks GitHub and then get.pulumi.com, as Pulumi does", () => {
    expect(urls()).toEqual([GITHUB, `https://get.pulumi.com/releases/plugins/${FILE}`]);
  });

  it.each([
    ["https://plugins.example.com/", `https://plugins.example.com/${FILE}`],
    ["https://example.com/${NAME}/${VERSION}/${OS}/${ARCH}", `https://example.com/aws/7.12.0/linux/amd64/${FILE}`],
    ["github://api.github.com/acme", `https://github.com/acme/pulumi-aws/releases/download/v7.12.0/${FILE}`],
    ["github://api.github.com/acme/cloud", `https://github.com/acme/cloud/releases/download/v7.12.0/${FILE}`],
    ["gitlab://gitlab.com/4711", `https://gitlab.com/api/v4/projects/4711/releases/v7.12.0/downloads/${FILE}`],
  ])("asks the server of an SDK alone: %s", (server, expected) => {
    expect(urls(undefined, server)).toEqual([expected]);
  });

  it.each([
    ["^github://=https://mirror.example.com", [`https://mirror.example.com/${FILE}`]],
    ["^https://get.pulumi.com=https://mirror.example.com/p", [GITHUB, `https://mirror.example.com/p/${FILE}`]],
    [
      "^github://api.github.com/(?P<org>[^/]+)/(?P<repo>[^/]+)=https://m.example.com/${org}/${repo}",
      [`https://m.example.com/pulumi/pulumi-aws/${FILE}`],
    ],
    ["^github://[^/]+/([^/]+)/(.*)=https://m.example.com/$1/$2", [`https://m.example.com/pulumi/pulumi-aws/${FILE}`]],
    ["^https://other=https://m.example.com", [GITHUB, `https://get.pulumi.com/releases/plugins/${FILE}`]],
  ])("takes mirrors of Pulumi's variable: %s", (mirrors, expected) => {
    expect(urls(mirrors)).toEqual(expected);
  });

  it("escapes the plus sign of a version", () => {
    const plugin = { name: "acme", version: "1.0.0+build", server: "https://example.com" };
    expect(archiveUrls(plugin, "linux-amd64", [])).toEqual([
      "https://example.com/pulumi-resource-acme-v1.0.0%2Bbuild-linux-amd64.tar.gz",
    ]);
  });

  it.each(["git://example.com/acme", "github://ghe.example.com/acme", "file:///plugins", "nonsense"])(
    "says what to do about a server that it cannot ask: %s",
    (server) => {
      expect(() => urls(undefined, server)).toThrow(`aws@7.12.0 comes from ${server}, where kiln cannot download`);
    },
  );

  it("never leaves the host of a server for any name and version", () => {
    const text = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,20}$/);
    fc.assert(
      fc.property(text, text, (name, version) => {
        const [url = ""] = archiveUrls({ name, version, server: "https://example.com/p" }, "linux-amd64", []);
        expect(new URL(url)).toMatchObject({ host: "example.com", search: "" });
        expect(new URL(url).pathname.startsWith("/p/pulumi-resource-")).toBe(true);
      }),
    );
  });
});

describe("checksumsUrl", () => {
  it("is beside the archive of a GitHub release", () => {
    expect(checksumsUrl(AWS, [])).toBe(
      "https://github.com/pulumi/pulumi-aws/releases/download/v7.12.0/pulumi-aws_7.12.0_checksums.txt",
    );
  });

  it("is none of a mirror or another server, which would vouch for itself", () => {
    expect(checksumsUrl(AWS, parseMirrors("^github://=https://mirror.example.com"))).toBeUndefined();
    expect(checksumsUrl({ ...AWS, server: "https://example.com" }, [])).toBeUndefined();
  });
});

it.each(["^a", "=https://x", "^a=", "a=b=c", "(=https://x"])("refuses mirrors that are none: %s", (text) => {
  expect(() => parseMirrors(text)).toThrow("PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES has a pair, number 1, that ");
});

it.each([
  "^ok=https://m.example.com,^a=https://me:s3cret@m.example.com/?x=1",
  "^ok=https://m.example.com,https://me:s3cret@m.example.com",
  "^ok=https://m.example.com,https://me:s3cret=@m.example.com=",
  "^ok=https://m.example.com,(s3cret=https://me:s3cret@m.example.com",
  "^a=https://m.example.com?token=s3cret",
])("shows no login and no token of mirrors that are none: %s", (text) => {
  try {
    parseMirrors(text);
    expect.fail("they were taken");
  } catch (error) {
    const { message, mend, cause } = error as KilnError;
    expect(message).toMatch(/has a pair, number [12], that (is not of the form|has no regular expression)/);
    expect(JSON.stringify([message, mend, String(cause)])).not.toContain("s3cret");
  }
});

it("shows no login of a mirror that it cannot ask", () => {
  const mirrors = parseMirrors("^github://=git://me:s3cret@m.example.com/p");
  expect(() => archiveUrls(AWS, "linux-amd64", mirrors)).toThrow("comes from git://***@m.example.com/p, where");
});
