import fc from "fast-check";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  explainedFault,
  listingFault,
  unreachedModule,
  unreachedModuleOf,
  unreachedModules,
  withoutUserInfo,
} from "../../../../cache/go/fault.ts";
import type { ListedPackage } from "../../../../cache/go/list.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { writeText } from "../cache-directory.ts";

/** What Go 1.26 really prints, taken from runs against a module proxy and a Git server that fail in these ways. */
const LIB = "example.com/lib@v1.0.0";
const ZIP = "https://proxy.example/example.com/lib/@v/v1.0.0.zip";
const CLONE =
  "git ls-remote -q --end-of-options https://github.com/acme/lib in /var/cache/go-mod/cache/vcs/3ca1e12a: exit status 128:\n";

describe("unreachedModule", () => {
  it.each<[string, string, string]>([
    [
      "403",
      `${LIB}: reading ${ZIP}: 403 Forbidden\n\tserver response:\n\tnot allowed`,
      `reading ${ZIP}: 403 Forbidden`,
    ],
    ["404", `${LIB}: reading ${ZIP}: 404 Not Found`, `reading ${ZIP}: 404 Not Found`],
    ["500", `${LIB}: reading ${ZIP}: 500 Internal Server Error`, `reading ${ZIP}: 500 Internal Server Error`],
    ["a transfer that broke off", `${LIB}: read "${ZIP}": unexpected EOF`, `read "${ZIP}": unexpected EOF`],
    ["a closed connection", `${LIB}: Get "${ZIP}": EOF`, `Get "${ZIP}": EOF`],
    [
      "a timeout",
      `${LIB}: Get "${ZIP}": dial tcp 192.0.2.1:443: i/o timeout`,
      `Get "${ZIP}": dial tcp 192.0.2.1:443: i/o timeout`,
    ],
    [
      "an unknown certificate",
      `${LIB}: Get "${ZIP}": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
      `Get "${ZIP}": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    ],
    [
      "a refusing HTTP proxy",
      `${LIB}: Get "${ZIP}": proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused`,
      `Get "${ZIP}": proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused`,
    ],
    [
      "a proxy in a folder",
      `${LIB}: reading file:///proxy/example.com/lib/@v/v1.0.0.zip: no such file or directory`,
      "reading file:///proxy/example.com/lib/@v/v1.0.0.zip: no such file or directory",
    ],
    [
      "a checksum database that does not answer",
      `${LIB}: verifying go.mod: ${LIB}/go.mod: Get "https://sum.example/lookup/${LIB}": dial tcp 192.0.2.1:443: connect: connection refused`,
      `Get "https://sum.example/lookup/${LIB}": dial tcp 192.0.2.1:443: connect: connection refused`,
    ],
    [
      "a login that may not be sent",
      `${LIB}: refusing to pass credentials to insecure URL: http://user:xxxxx@proxy.example/x`,
      "refusing to pass credentials to insecure URL: http://…@proxy.example/x",
    ],
    [
      "a private repository without a login, by tag",
      `${LIB}: reading example.com/lib/go.mod at revision v1.0.0: ${CLONE}\tfatal: could not read Username`,
      `reading example.com/lib/go.mod at revision v1.0.0: ${CLONE}\tfatal: could not read Username`,
    ],
    [
      "a private repository without a login, by commit",
      `${LIB}: invalid version: ${CLONE}\tfatal: could not read Username`,
      `invalid version: ${CLONE}\tfatal: could not read Username`,
    ],
    [
      "a vanity address that does not answer",
      `${LIB}: unrecognized import path "example.com/lib": https fetch: Get "https://example.com/lib?go-get=1": no such host`,
      'unrecognized import path "example.com/lib": https fetch: Get "https://example.com/lib?go-get=1": no such host',
    ],
    ["GOPROXY=off", `${LIB}: module lookup disabled by GOPROXY=off`, "module lookup disabled by GOPROXY=off"],
  ])("knows %s", (_, message, reason) => {
    expect(unreachedModule(message)).toEqual({ module: LIB, reason });
  });

  it.each([
    "missing go.sum entry for module providing package example.com/lib (imported by x); to add:\n\tgo get x",
    `${LIB}: missing go.sum entry for go.mod file; to add it:\n\tgo mod download example.com/lib`,
    `verifying ${LIB}: checksum mismatch\n\tdownloaded: h1:Y\n\tgo.sum:     h1:A\n\nSECURITY ERROR`,
    "no required module provides package example.com/other; to add it:\n\tgo get example.com/other",
    `module ${LIB} found, but does not contain package example.com/lib/gone`,
    "./main.go:3:2: undefined: x",
    "",
  ])("leaves alone what no network is to blame for: %j", (message) => {
    expect(unreachedModule(message)).toBeUndefined();
  });

  it("keeps its version whole, with all that a version may hold", () => {
    for (const version of ["v0.0.0-20240101000000-abcdef123456", "v2.0.0+incompatible", "v1.0.0-rc.1"]) {
      expect(unreachedModule(`go: a.io/b/v2@${version}: reading https://p/x: 404 Not Found`)?.module).toBe(
        `a.io/b/v2@${version}`,
      );
    }
  });
});

const failing = (ImportPath: string, Err: string): ListedPackage => ({ ImportPath, Error: { Err } });

describe("unreachedModuleOf: where Go does not name the module, it has announced it", () => {
  const stderr =
    "go: downloading example.com/lib v1.0.0\ngo: downloading example.com/lib/sub v0.3.0\ngo: downloading example.com/li v9.0.0\n";

  it.each<[string, string, string, string]>([
    ["a broken archive", "example.com/lib/a", "zip: not a valid zip file", LIB],
    ["a module below another", "example.com/lib/sub/a", "zip: not a valid zip file", "example.com/lib/sub@v0.3.0"],
    [
      "a module by the package of its root",
      "example.com/li",
      "no secure protocol found for repository",
      "example.com/li@v9.0.0",
    ],
    ["GOPROXY=off", "example.com/lib", "module lookup disabled by GOPROXY=off", LIB],
    [
      "a private repository",
      "example.com/lib",
      `reading example.com/lib/go.mod at revision v1.0.0: ${CLONE}\tfatal: x`,
      LIB,
    ],
    [
      "a fork in its place",
      "example.com/orig",
      `reading example.com/lib/go.mod at revision v1.0.0: ${CLONE}\tfatal: x`,
      LIB,
    ],
    [
      "a vanity address",
      "example.com/lib",
      'unrecognized import path "example.com/lib": https fetch: no such host',
      LIB,
    ],
  ])("%s", (_, importPath, message, module) => {
    expect(unreachedModuleOf(failing(importPath, message), stderr)).toEqual({ module, reason: message });
  });

  it("names nothing where nothing fits, and nothing of a package without a fault", () => {
    expect(unreachedModuleOf(failing("example.org/lib", "zip: not a valid zip file"), stderr)).toBeUndefined();
    expect(unreachedModuleOf(failing("example.com/lib", "undefined: x"), stderr)).toBeUndefined();
    const other = "go: downloading example.com/li v9.0.0\n";
    expect(unreachedModuleOf(failing("example.com/lib", "zip: not a valid zip file"), other)).toBeUndefined();
    expect(unreachedModuleOf({ ImportPath: "example.com/lib" }, stderr)).toBeUndefined();
  });
});

describe("unreachedModules", () => {
  const packages = [
    failing("example.com/lib/a", `${LIB}: reading ${ZIP}: 403 Forbidden`),
    failing("example.com/lib/b", `${LIB}: reading ${ZIP}: 403 Forbidden`),
    failing("example.com/x", "undefined: x"),
  ];

  it("names each once", () => {
    expect(unreachedModules({ code: 0, stderr: "", packages }).map(({ module }) => module)).toEqual([LIB]);
  });

  it("believes standard error only where the listing failed as a whole", () => {
    const stderr = `go: downloading example.com/lib v1.0.0\ngo: ${LIB}: reading ${ZIP}: 403 Forbidden\n\tserver response:\n\tno\ngo: a.io/b@v1.2.3: Get "https://p": EOF\n`;
    expect(unreachedModules({ code: 0, stderr, packages: [] })).toEqual([]);
    expect(unreachedModules({ code: 1, stderr, packages: [] }).map(({ module }) => module)).toEqual([
      LIB,
      "a.io/b@v1.2.3",
    ]);
  });
});

describe("withoutUserInfo", () => {
  it.each([
    ["https://user:s3cret@host/x", "https://…@host/x"],
    ["https://s3cret@host", "https://…@host"],
    ["https://user:s3@cret@host/x", "https://…@host/x"],
    ["'https://user:s3cret@host/x': 403, ssh://git@host/y", "'https://…@host/x': 403, ssh://…@host/y"],
    ["GIT+SSH://u:s3cret@host", "GIT+SSH://…@host"],
    ["https://proxy/example.com/lib/@v/v1.0.0.zip", "https://proxy/example.com/lib/@v/v1.0.0.zip"],
    ["git@host:acme/lib, example.com/lib@v1.0.0", "git@host:acme/lib, example.com/lib@v1.0.0"],
  ])("of %s is %s", (text, shown) => {
    expect(withoutUserInfo(text)).toBe(shown);
  });

  it("never shows a password, whatever it holds, and keeps all around it", () => {
    const password = fc.stringMatching(/^[A-Za-z0-9!$%&'()*+,;=:@._~-]{3,20}$/).map((text) => `X${text}`);
    fc.assert(
      fc.property(password, fc.constantFrom("https", "ssh", "http"), (secret, scheme) => {
        const shown = withoutUserInfo(`before ${scheme}://user:${secret}@host.example/path "after"`);
        expect(shown).toBe(`before ${scheme}://…@host.example/path "after"`);
      }),
    );
  });
});

describe("listingFault", () => {
  const of = (stderr: string, unreached = unreachedModules({ code: 1, stderr, packages: [] })) =>
    listingFault({ stderr, unreached }, "app/go.mod");

  it("names a module that cannot be fetched before all else", () => {
    expect(of(`go: downloading x v1\ngo: ${LIB}: reading ${ZIP}: 403 Forbidden\n\tserver response:\n\tno\n`)).toBe(
      `${LIB} cannot be fetched: reading ${ZIP}: 403 Forbidden`,
    );
  });

  it("names module and go.sum of a checksum that differs", () => {
    const said = `go: downloading example.com/lib v1.0.0\nverifying ${LIB}: checksum mismatch\n\tdownloaded: h1:Y\n\tgo.sum:     h1:A\n\nSECURITY ERROR\n`;
    expect(of(said)).toBe(
      `${LIB} is not what app/go.sum says: its checksum differs (somebody changed the module or that line)`,
    );
  });

  it("says where no go.mod governs a program", () => {
    const said = "go: go.mod file not found in current directory or any parent directory; see 'go help modules'\n";
    expect(of(said)).toBe("no go.mod governs it: add one there or above");
  });

  it("otherwise says what Go said, without downloads and passwords, and not all of it", () => {
    const said = `go: downloading x v1\n\ngo: app: https://u:s3cret@h/x\n${"more\n".repeat(50)}`;
    expect(of(said)).toBe(`Go cannot read app/go.mod: go: app: https://…@h/x${"\n    more".repeat(5)}`);
    expect(
      of(`go: ${LIB}: missing go.sum entry for go.mod file; to add it:\n\tgo mod download example.com/lib\n`),
    ).toBe(
      `Go cannot read app/go.mod: go: ${LIB}: missing go.sum entry for go.mod file; to add it:\n    \tgo mod download example.com/lib`,
    );
  });
});

describe("explainedFault", () => {
  const explain = (entry: ListedPackage, directory = "/", stderr = "") => explainedFault(entry, directory, stderr);
  const excluded = "build constraints exclude all Go files in /x";

  it("has nothing to say of a package without a fault", async () => {
    expect(await explain({ ImportPath: "x" })).toBeUndefined();
  });

  it("says what Go says, without passwords, where Go's own words name the mend", async () => {
    const said = "missing go.sum entry for module providing package example.com/lib; to add:\n\tgo get x";
    expect(await explain(failing("x", `${said}\n`))).toBe(said);
    expect(await explain(failing("x", "odd: https://u:s3cret@h/x"))).toBe("odd: https://…@h/x");
    expect(await explain({ ImportPath: "x", DepsErrors: [{ Err: "import cycle not allowed" }] })).toBe(
      "import cycle not allowed",
    );
  });

  it("names module and version of what could not be fetched, announced ones too", async () => {
    expect(await explain(failing("example.com/lib", `${LIB}: Get "${ZIP}": EOF`))).toBe(
      `${LIB} cannot be fetched: Get "${ZIP}": EOF`,
    );
    const said = "go: downloading example.com/lib v1.0.0\n";
    expect(await explain(failing("example.com/lib/a", "zip: not a valid zip file"), "/", said)).toBe(
      `${LIB} cannot be fetched: zip: not a valid zip file`,
    );
  });

  it("names the module whose checksum differs", async () => {
    expect(await explain(failing("x", `verifying ${LIB}: checksum mismatch\n\tdownloaded: h1:Y`))).toBe(
      `${LIB} is not what go.sum says: its checksum differs`,
    );
  });

  it.each<[string, string, RegExp]>([
    ["cgo", 'package main\n\nimport "C"\n', /^a\.go needs cgo, and the image has no C compiler/],
    ["cgo in a block, CRLF", 'package main\r\n\r\nimport (\r\n\t"C"\r\n)\r\n', /^a\.go needs cgo/],
    [
      "build tags",
      "//go:build special && !x\r\n\r\npackage main\r\n",
      /^a\.go is built only with "\/\/go:build special && !x": /,
    ],
    ["neither", "package main\n", /^build constraints exclude all Go files/],
  ])("says why build constraints leave nothing: %s", async (_, text, says) => {
    const directory = await temporaryDirectory();
    await writeText(path.join(directory, "a.go"), text);
    const entry = { ...failing("x", excluded), IgnoredGoFiles: ["gone.go", "a.go"] };
    expect(await explain(entry, directory)).toMatch(says);
  });
});
