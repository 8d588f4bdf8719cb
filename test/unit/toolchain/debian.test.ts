import { expect, test } from "vitest";
import { bootstrapArguments } from "../../../toolchain/base-image.ts";
import { aptTrust, isDebian, linesOfList, linesOfStanzas } from "../../../toolchain/debian.ts";

test.each([
  ['ID=debian\nVERSION_ID="12"', true],
  ["ID=ubuntu\nID_LIKE=debian", true],
  ['ID=linuxmint\nID_LIKE="ubuntu debian"', true],
  ['ID="fedora"', false],
  ["NAME=debian", false],
  ["", false],
])("%j is Debian or like it: %s", (text, is) => {
  expect(isDebian(text)).toBe(is);
});

test("of a sources.list only the suite, its updates and its security fixes count, without options", () => {
  const text = `deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib
# deb http://off.example/debian bookworm main
deb http://mirror.example/security bookworm-security main
deb http://mirror.example/debian trixie main
deb http://vendor.example/apt bookworm stable
deb-src http://mirror.example/debian bookworm main
`;
  expect(linesOfList(text, "bookworm")).toEqual([
    "deb http://mirror.example/debian bookworm main",
    "deb http://mirror.example/security bookworm-security main",
  ]);
});

test("of stanzas too, one line for every address and suite", () => {
  const text = `Types: deb
# http://commented.example/debian
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: https://vendor.example/apt
Suites: nodistro
Components: main
`;
  expect(linesOfStanzas(text, "bookworm")).toEqual([
    "deb http://mirror.example/debian bookworm main",
    "deb http://mirror.example/debian bookworm-updates main",
  ]);
});

test("the base image names public mirrors, whatever it was built from", () => {
  const args = bootstrapArguments("/t/base.tar", "arm64", ["deb http://mirror.example/debian bookworm main"]);
  expect(args.slice(-3)).toEqual(["bookworm", "/t/base.tar", "deb http://mirror.example/debian bookworm main"]);
  expect(args).toContain("--architectures=arm64");
  const hooks = args.filter((arg) => arg.startsWith("--customize-hook="));
  expect(hooks.join("\n")).toContain("deb http://deb.debian.org/debian bookworm main");
  expect(hooks.join("\n")).not.toContain("mirror.example");
});

test("apt is told of KILN_CA_FILE, and of no file that is meant for others", () => {
  expect(aptTrust({ KILN_CA_FILE: "/ca.pem", SSL_CERT_FILE: "/other" })).toEqual(["Acquire::https::CaInfo=/ca.pem"]);
  expect(aptTrust({ SSL_CERT_FILE: "/other", KILN_CA_FILE: "" })).toEqual([]);
});
