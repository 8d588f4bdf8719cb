import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  binaryPackages,
  debianPackages,
  distinct,
  goModule,
  goStandardLibrary,
  packagesIn,
  parseOsRelease,
} from "../../../../release/supply/package.ts";
import { spdxDocument } from "../../../../release/supply/spdx.ts";

const DEBIAN = { id: "debian", version: "12" };
const STATUS = `Package: git
Status: install ok installed
Architecture: amd64
Version: 1:2.39.5-0+deb12u2

Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc
Version: 2.36-9+deb12u10
Description: GNU C Library
 Version: 9, in a text

Package: gcc-12-base
Status: install ok installed
Architecture: amd64
Source: gcc-12 (12.2.0-14)
Version: 12.2.0-14+deb12u1

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1.0
`;

describe("the packages of an image", () => {
  it("are those that dpkg says are installed, with the source that a scanner asks for", () => {
    expect(debianPackages(STATUS, DEBIAN).map(({ purl }) => purl)).toEqual([
      "pkg:deb/debian/git@1:2.39.5-0%2Bdeb12u2?arch=amd64&distro=debian-12",
      "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64&distro=debian-12&upstream=glibc%402.36-9%2Bdeb12u10",
      "pkg:deb/debian/gcc-12-base@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-14",
    ]);
    expect(debianPackages("", DEBIAN)).toEqual([]);
  });

  it.each([
    ['PRETTY_NAME="Debian 12"\nVERSION_ID="12"\nID=debian\nID_LIKE=x\n', DEBIAN],
    ["ID=alpine", { id: "alpine", version: "" }],
    ["", { id: "", version: "" }],
  ])("are of the distribution that %j names", (text, distribution) => {
    expect(parseOsRelease(text)).toEqual(distribution);
  });

  it("are the modules of a binary: replaced ones by what replaced them, none without a version", () => {
    const printed = [
      "/scratch/0: go1.26.8",
      "\tpath\tgithub.com/acme/tool/cmd/tool",
      "\tmod\tkiln.invalid/tool\t(devel)\t",
      "\tdep\tgithub.com/acme/tool\tv1.2.3\th1:x=",
      "\tdep\tgithub.com/acme/old\tv0.1.0",
      "\t=>\tgithub.com/acme/fork\tv0.2.0\th1:y=",
      "\tdep\tgithub.com/acme/beside\tv0.0.0",
      "\t=>\t./beside\t(devel)",
      "\tbuild\t-trimpath=true",
      "/scratch/1: go1.25.0",
      "\tmod\tgithub.com/acme/other\tv2.0.0+incompatible\th1:z=",
    ].join("\n");
    const found = binaryPackages(printed, (file) => `usr/local/bin/${file.slice(-1)}`);
    expect(found.map(({ purl, foundIn }) => [purl, foundIn])).toEqual([
      ["pkg:golang/stdlib@1.26.8", "usr/local/bin/0"],
      ["pkg:golang/github.com/acme/tool@v1.2.3", "usr/local/bin/0"],
      ["pkg:golang/github.com/acme/fork@v0.2.0", "usr/local/bin/0"],
      ["pkg:golang/stdlib@1.25.0", "usr/local/bin/1"],
      ["pkg:golang/github.com/acme/other@v2.0.0%2Bincompatible", "usr/local/bin/1"],
    ]);
  });

  it("are Go itself by its file VERSION", () => {
    expect(goStandardLibrary("go1.26.8\ntime 2026-01-01T00:00:00Z\n", "VERSION")).toMatchObject({
      name: "stdlib",
      version: "1.26.8",
    });
  });
});

const IMAGE = { repository: "localhost:5180/kiln/warm", digest: `sha256:${"a".repeat(64)}` };
const subject = { image: IMAGE, created: "2026-01-02T03:04:05.678Z", version: "0.1.0" };
const modules = fc.array(
  fc.tuple(fc.stringMatching(/^[a-zA-Z0-9./-]{1,12}$/), fc.stringMatching(/^v\d\.\d\.\d$/), fc.constantFrom("a", "b")),
  { maxLength: 8 },
);

describe("an SPDX document", () => {
  it("says what it is of, when that was made, and what is inside", () => {
    expect(spdxDocument(subject, [goModule("github.com/Acme/tool@v1.2.3", "var/cache/go-mod")])).toMatchObject({
      spdxVersion: "SPDX-2.3",
      documentNamespace: `https://spdx.org/spdxdocs/kiln-0.1.0-${"a".repeat(64)}`,
      creationInfo: { created: "2026-01-02T03:04:05Z", creators: ["Tool: kiln-0.1.0"] },
      packages: [
        { SPDXID: "SPDXRef-Image", checksums: [{ algorithm: "SHA256", checksumValue: "a".repeat(64) }] },
        {
          SPDXID: "SPDXRef-Package-1",
          name: "github.com/Acme/tool",
          versionInfo: "v1.2.3",
          externalRefs: [{ referenceLocator: "pkg:golang/github.com/Acme/tool@v1.2.3" }],
        },
      ],
      relationships: [
        { relationshipType: "DESCRIBES", relatedSpdxElement: "SPDXRef-Image" },
        { relationshipType: "CONTAINS", relatedSpdxElement: "SPDXRef-Package-1" },
      ],
    });
  });

  it("is the same in whatever order packages were found, has each once, and gives them back", () => {
    fc.assert(
      fc.property(modules, (found) => {
        const packages = found.map(([name, version]) => goModule(`${name}@${version}`, "var/cache/go-mod"));
        const document = spdxDocument(subject, packages);
        expect(spdxDocument(subject, packages.toReversed())).toEqual(document);
        expect(packagesIn(document)).toEqual(distinct(packages));
        const ids = (document.packages as readonly { SPDXID: string }[]).map(({ SPDXID }) => SPDXID);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 50 },
    );
  });

  it.each([undefined, {}, { packages: "none" }])("is not %j", (document) => {
    expect(packagesIn(document)).toBeUndefined();
  });

  it("of an image without a date has that of no day", () => {
    expect(spdxDocument({ ...subject, created: undefined }, [])).toMatchObject({
      creationInfo: { created: "1970-01-01T00:00:00Z" },
    });
  });
});
