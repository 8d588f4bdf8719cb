import { writeFile } from "node:fs/promises";
import path from "node:path";
import { rootCertificates } from "node:tls";
import { expect, test } from "vitest";
import { isBlocked } from "../../../toolchain/finding.ts";
import { certificatesFinding, proxyFinding } from "../../../toolchain/network-finding.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const NOW = new Date("2026-01-01T00:00:00Z");
const AFTER_ALL = new Date("2200-01-01T00:00:00Z");

test("a proxy is shown without its password", () => {
  const finding = proxyFinding({ HTTPS_PROXY: "http://user:secret@proxy.example:3128", NO_PROXY: "intra.example" });
  expect(finding).toMatchObject({ status: "ok", version: "https_proxy=http://***@proxy.example:3128" });
  expect(finding.source).toContain("intra.example");
  expect(JSON.stringify(finding)).not.toContain("secret");
});

test.each(["socks5://proxy.example:1080", "http://proxy example:1", "ftp://proxy.example"])(
  "%s is refused, and not shown where it may hold a password",
  (address) => {
    const finding = proxyFinding({ http_proxy: address });
    expect(finding.status).toBe("refused");
    expect(isBlocked([finding])).toBe(true);
  },
);

test("without a proxy nothing blocks, but one that is only in ALL_PROXY is named", () => {
  expect(proxyFinding({})).toMatchObject({ status: "ok", version: "none" });
  const unread = proxyFinding({ ALL_PROXY: "http://proxy.example:3128" });
  expect(unread.mend).toContain("https_proxy");
  expect(isBlocked([unread])).toBe(false);
});

async function bundle(text: string): Promise<string> {
  const file = path.join(await temporaryDirectory(), "ca.pem");
  await writeFile(file, text);
  return file;
}

test("certificates are counted, comments and all between them", async () => {
  const file = await bundle(`# the company's\n${rootCertificates.slice(0, 2).join("\n# and\n")}\n`);
  expect(await certificatesFinding({ KILN_CA_FILE: file }, NOW)).toMatchObject({
    status: "ok",
    version: "2",
    source: "KILN_CA_FILE",
    path: file,
  });
});

test("without any file the system's serve", async () => {
  expect(await certificatesFinding({}, NOW)).toMatchObject({ status: "ok", version: "the system's" });
});

test("a file that is not there, holds no certificate, a damaged or only expired ones is refused with its name", async () => {
  const [root = ""] = rootCertificates;
  const files = [
    ["/nowhere/ca.pem", "cannot be read"],
    [await bundle("not a certificate\n"), "holds no PEM certificate"],
    [await bundle(root.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA")), "cannot be read"],
  ] as const;
  for (const [file, reason] of files) {
    const finding = await certificatesFinding({ KILN_CA_FILE: file }, NOW);
    expect(finding).toMatchObject({
      status: "refused",
      path: file,
      mend: expect.stringContaining("KILN_CA_FILE") as string,
    });
    expect(finding.source).toContain(reason);
    expect(finding.source).toContain(file);
  }
  const expired = await certificatesFinding({ SSL_CERT_FILE: await bundle(root) }, AFTER_ALL);
  expect(expired).toMatchObject({ status: "refused", source: expect.stringContaining("valid now") as string });
});
