import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tarOf } from "../../execution/tar-file.ts";
import { silent } from "../../progress.ts";
import { OCI, pushBlob, pushDocument, pushIndex, pushManifest, type RegistryClient } from "../../registry/client.ts";
import type { Scan } from "../../release/scan/scan.ts";
import { pins } from "../../toolchain/pins.ts";
import { places } from "../../toolchain/places.ts";
import { run } from "../../toolchain/process.ts";
import { findTool, resolveTool } from "../../toolchain/resolve.ts";
import { PROJECT } from "../support/checkout.ts";
import { isExtended } from "../support/extended.ts";
import { RegistryProcess } from "../support/registry-process.ts";
import { CRITICAL, MEDIUM, writeDatabase } from "../support/vulnerability-database.ts";

const cached = await findTool("osv-scanner", { places: places() });
const runs = isExtended || cached !== undefined;
if (!runs) console.log("skipped: osv-scanner is not built yet, which takes a minute or more: npm run test:extended");

const OS = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n';
const DPKG =
  "Package: libssl3\nSource: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.11-1\n\n";
const record = (number: number, change: object) => ({
  ...{ id: `DEBIAN-CVE-2026-${number}`, cve: `CVE-2026-${number}`, ecosystem: "Debian:12", package: "openssl" },
  ...change,
});

describe.runIf(runs)("a scan of an image for vulnerabilities", () => {
  let root: string;
  let registry: RegistryProcess;
  let image: string;
  const database = () => path.join(root, "database");

  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), "kiln-scan-test-"));
    registry = await RegistryProcess.start(path.join(root, "registry"));
    const { path: regctl } = await resolveTool("regctl", { places: places(), progress: silent });
    image = await pushImage({ regctl }, `${registry.address}/kiln/base-images/iac-runner-warm`, regctl);
    await writeDatabase(database(), [
      record(1, { fixed: "3.0.11-1~deb12u2", score: CRITICAL }),
      record(2, { fixed: "3.0.12-1", score: CRITICAL }),
      record(3, { score: CRITICAL }),
      record(4, { fixed: "3.0.12-1", score: MEDIUM }),
      record(5, { fixed: "3.0.12-1" }),
      record(6, { fixed: "3.0.12-1", score: CRITICAL, ecosystem: "Debian:13" }),
      { ...record(7, { fixed: "99.0.0", score: CRITICAL, ecosystem: "Go", package: "stdlib" }), id: "GO-2026-7" },
    ]);
  });

  afterAll(async () => {
    await registry.stop();
    await rm(root, { recursive: true, force: true });
  });

  /** The image of a small Debian with one program of Go, and an index of it as v1. */
  async function pushImage(client: RegistryClient, repository: string, program: string): Promise<string> {
    const file = (name: string, content: Buffer, mode = 0o644) => ({ name, content, mode, uid: 0, gid: 0 });
    const tar = await tarOf([
      file("etc/os-release", Buffer.from(OS)),
      file("var/lib/dpkg/status", Buffer.from(DPKG)),
      file("usr/local/bin/regctl", await readFile(program), 0o755),
    ]);
    const layer = gzipSync(tar, { level: 1 });
    const digest = digestOf(layer);
    await writeFile(path.join(root, "layer"), layer);
    await pushBlob(client, repository, path.join(root, "layer"), digest);
    const rootfs = { type: "layers", diff_ids: [digestOf(tar)] };
    const config = JSON.stringify({ architecture: "amd64", os: "linux", rootfs, history: [{ created_by: "test" }] });
    const layers = [{ mediaType: OCI.layer, digest, size: layer.length }];
    const described = await pushDocument(client, repository, OCI.config, config);
    const manifest = { schemaVersion: 2, mediaType: OCI.manifest, config: described, layers } as const;
    const pushed = await pushManifest(client, { repository }, manifest);
    await pushIndex(client, { repository, tag: "v1" }, [pushed]);
    return `${repository}@${pushed}`;
  }

  async function scan(...args: readonly string[]) {
    const command = [path.join(PROJECT, "cli/kiln.mjs"), "release", "scan", "--json", ...args];
    const { code, stdout, stderr } = await run(process.execPath, command, { allowFailure: true });
    const { images = [], ...rest } = stdout === "" ? {} : (JSON.parse(stdout) as { readonly images?: readonly Scan[] });
    return { code, stderr, scanned: images[0], ...rest };
  }

  const ids = (findings: Scan["failing"] = []) => findings.map(({ id, severity }) => `${id} ${severity}`);

  it("fails for what is critical and can be mended, in Debian's packages and in Go's programs", async () => {
    const { code, scanned, ...rest } = await scan("--image", image, "--db", database());
    expect(code).toBe(3);
    const newest = "2026-01-01T00:00:00.000Z";
    expect(rest).toMatchObject({ database: ["Debian", "Go"].map((ecosystem) => ({ ecosystem, newest })) });
    expect(ids(scanned?.failing)).toEqual(["CVE-2026-2 critical", "CVE-2026-7 critical"]);
    expect(scanned).toMatchObject({ image, passed: false, others: { critical: 1, medium: 1 } });
    expect(ids(scanned?.unrated)).toEqual(["CVE-2026-5 unrated"]);
    const [openssl, stdlib] = scanned?.failing ?? [];
    expect(openssl).toMatchObject({ package: "openssl", alsoNamed: ["libssl3"], fixedIn: ["3.0.12-1"] });
    expect(stdlib).toMatchObject({ version: pins.go.version, where: ["/usr/local/bin/regctl"] });
  });

  it("passes what is accepted, of an index each image, and fails again once that is too long ago", async () => {
    const vex = async (timestamp: string) => {
      const product = { "@id": "pkg:oci/iac-runner" };
      const why = { status: "not_affected", justification: "vulnerable_code_not_in_execute_path" };
      const statements = [
        {
          vulnerability: { name: "CVE-2026-2" },
          products: [{ ...product, subcomponents: [{ "@id": "pkg:deb/debian/libssl3" }] }],
        },
        {
          vulnerability: { name: "GO-2026-7" },
          products: [{ ...product, subcomponents: [{ "@id": "pkg:golang/stdlib" }] }],
        },
      ].map((statement) => ({ ...statement, ...why }));
      const file = path.join(root, "vex.json");
      await writeFile(file, JSON.stringify({ "@context": "https://openvex.dev/ns/v0.2.0", timestamp, statements }));
      return ["--image", image.replace(/@.*$/, ":v1"), "--db", database(), "--vex", file];
    };
    const fresh = await scan(...(await vex(new Date().toISOString())));
    expect(fresh).toMatchObject({ code: 0, scanned: { image, passed: true, unused: [] } });
    expect(fresh.scanned?.accepted).toHaveLength(2);
    const old = await scan(...(await vex("2020-01-01T00:00:00Z")));
    expect(old).toMatchObject({ code: 3, scanned: { passed: false, failing: [] } });
    expect(old.scanned?.expired).toHaveLength(2);
  });

  it("is no scan where the database lacks what the image has, or the registry the image", async () => {
    const other = path.join(root, "other");
    await writeDatabase(other, [record(1, { fixed: "3.0.12-1", score: CRITICAL })]);
    const partial = await scan("--image", image, "--db", other);
    expect(partial).toMatchObject({ code: 1, scanned: undefined });
    expect(partial.stderr).toContain("the vulnerability database has nothing of Go");
    const gone = await scan("--image", `${image.replace(/@.*$/, "")}@sha256:${"0".repeat(64)}`, "--db", database());
    expect(gone.code).toBe(3);
    expect(gone.stderr).toContain("there is no ");
  });
});

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
