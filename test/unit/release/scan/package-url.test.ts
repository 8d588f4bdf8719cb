import { describe, expect, it } from "vitest";
import { parsePackageUrl } from "../../../../release/scan/package-url.ts";

describe("parsePackageUrl", () => {
  it.each([
    [
      "pkg:deb/debian/openssl@3.0.11-1%7Edeb12u2?arch=amd64",
      { type: "deb", name: "openssl", version: "3.0.11-1~deb12u2" },
    ],
    ["pkg:golang/golang.org/x/net@v0.1.0#http2", { type: "golang", name: "golang.org/x/net", version: "v0.1.0" }],
    ["pkg:golang/stdlib", { type: "golang", name: "stdlib" }],
    ["pkg:npm/%40acme/a@1.0.0", { type: "npm", name: "@acme/a", version: "1.0.0" }],
    ["pkg:npm/@acme/a", { type: "npm", name: "@acme/a" }],
    ["pkg:oci/iac-runner?repository_url=ghcr.io/acme/infra", { type: "oci", name: "iac-runner" }],
    ["pkg:OCI/iac-runner@sha256%3Aabc", { type: "oci", name: "iac-runner", version: "sha256:abc" }],
  ])("%s", (text, expected) => {
    expect(parsePackageUrl(text)).toEqual(expected);
  });

  it.each(["", "openssl", "pkg:", "pkg:deb", "pkg:deb/", "https://example.com/a", "pkg:npm/%zz"])("not %j", (text) => {
    expect(parsePackageUrl(text)).toBeUndefined();
  });
});
