import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { tarOf } from "../../execution/tar-file.ts";
import type { Scan } from "../../release/scan/scan.ts";
import { kiln } from "../support/checkout.ts";
import { engineOf } from "../support/engine.ts";
import { isExtended } from "../support/extended.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { CRITICAL, writeDatabase } from "../support/vulnerability-database.ts";

const checkout = inject("checkout");

const FILES = {
  "etc/os-release": 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
  "var/lib/dpkg/status":
    "Package: libssl3\nSource: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.11-1\n\n",
};
const IMAGE = "kiln-e2e-scan/runner-pulumi-golang:slim";

describe("a scan of an image that no registry has yet", () => {
  it.runIf(isExtended)("reads it from the engine, and takes what is accepted by its name", async () => {
    const [folder, engine] = await Promise.all([temporaryDirectory(), engineOf(checkout)]);
    const about = { mode: 0o644, uid: 0, gid: 0 };
    const files = Object.entries(FILES).map(([name, text]) => ({ name, content: Buffer.from(text), ...about }));
    await writeFile(path.join(folder, "image.tar"), await tarOf(files));
    await engine.docker(["import", path.join(folder, "image.tar"), IMAGE]);
    onTestFinished(() => engine.remove(IMAGE));
    const known = { ecosystem: "Debian:12", package: "openssl", fixed: "3.0.12-1", score: CRITICAL };
    await writeDatabase(path.join(folder, "db"), [{ ...known, id: "DEBIAN-CVE-2026-2", cve: "CVE-2026-2" }]);
    const scan = async (image: string, ...more: readonly string[]) => {
      const args = ["release", "scan", "--json", "--engine-image", image, "--db", path.join(folder, "db"), ...more];
      const { code, stdout, stderr } = await kiln(checkout, args);
      const images =
        code === 0 || code === 3 ? (JSON.parse(stdout) as { readonly images: readonly Scan[] }).images : [];
      return { code, stderr, scanned: images[0] };
    };

    const found = await scan(IMAGE);
    expect([found.code, found.scanned?.image], found.stderr).toEqual([3, IMAGE]);
    expect(found.scanned?.failing.map(({ id }) => id)).toEqual(["CVE-2026-2"]);

    const product = { "@id": "pkg:oci/runner-pulumi-golang" };
    const statement = {
      ...{ vulnerability: { name: "CVE-2026-2" }, products: [product], status: "not_affected" },
      justification: "vulnerable_code_not_in_execute_path",
    };
    const vex = { "@context": "https://openvex.dev/ns/v0.2.0", timestamp: new Date().toISOString() };
    await writeFile(path.join(folder, "vex.json"), JSON.stringify({ ...vex, statements: [statement] }));
    expect(await scan(IMAGE, "--vex", path.join(folder, "vex.json"))).toMatchObject({ code: 0 });

    // It is not pulled: what a registry has is named by --image.
    const gone = await scan("kiln-e2e-scan/nothing:slim");
    expect([gone.code, gone.stderr]).toEqual([2, expect.stringContaining("the engine has no image")]);
  });
});
