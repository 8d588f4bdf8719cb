import { describe, expect, it } from "vitest";
import { scanCommand, scanText } from "../../../../cli/release/scan.ts";
import { silent } from "../../../../progress.ts";
import { verdictOf } from "../../../../release/scan/verdict.ts";
import { acceptance, finding, SCANNED_AT } from "../../../support/findings.ts";

const IMAGE = `localhost:5180/kiln/base-images/iac-runner-warm@sha256:${"a".repeat(64)}`;
const text = (...asked: Parameters<typeof verdictOf> extends [infer F, infer A, unknown] ? [F, A] : never) =>
  scanText({ image: IMAGE, ...verdictOf(...asked, { images: ["iac-runner"], now: SCANNED_AT }) }).split("\n");

describe("scanText", () => {
  it("names what fails first and in which files, then what is accepted, then the rest in numbers", () => {
    const where = ["/usr/local/bin/pulumi", "/usr/local/bin/tofu", "/usr/local/go/bin/go"];
    const lines = text(
      [
        finding({ id: "CVE-2026-2", severity: "high", package: "stdlib", fixedIn: ["1.25.9", "1.26.9"], where }),
        finding(),
        finding({ id: "CVE-2026-3" }),
        finding({ id: "CVE-2026-4", severity: "unrated" }),
        finding({ id: "CVE-2026-5", severity: "low" }),
      ],
      [acceptance(100), acceptance(10, { names: ["CVE-2026-3"] }), acceptance(1, { names: ["CVE-2020-1"] })],
    );
    expect(lines.map((line) => line.replace(/ {2,}/g, "  "))).toEqual([
      IMAGE,
      "  fails  high  CVE-2026-2  stdlib 3.0.1  fixed in 1.25.9, 1.26.9  /usr/local/bin/pulumi, /usr/local/bin/tofu and 1 more",
      "  fails  critical  CVE-2026-1  openssl 3.0.1  fixed in 3.0.2  /var/lib/dpkg/status  accepted until 2026-11-12, which is over",
      "  accepted  critical  CVE-2026-3  openssl 3.0.1  fixed in 3.0.2  /var/lib/dpkg/status  until 2027-02-10: not affected: vulnerable_code_not_present",
      "  unrated  unrated  CVE-2026-4  openssl 3.0.1  fixed in 3.0.2  /var/lib/dpkg/status  nobody says how bad it is",
      "  unused: nothing to accept for CVE-2020-1 of 2026-11-21; take it out",
      "  no fix yet, or milder: 1 low",
      "failed: 2 high or critical that can be mended, 1 of them accepted more than 90 days ago: look again",
    ]);
  });

  it("says of an image without any that it passed", () => {
    expect(text([], [])).toEqual([IMAGE, "passed: nothing high or critical that can be mended"]);
  });
});

describe("kiln release scan", () => {
  const scan = (values: Readonly<Record<string, string | readonly string[]>>) =>
    scanCommand.run({ values, positionals: [], progress: silent });

  it("refuses a document that it cannot read before it asks anybody", async () => {
    await expect(scan({ image: [IMAGE], vex: "/nowhere/vex.json" })).rejects.toMatchObject({
      kind: "usage",
      message: "/nowhere/vex.json cannot be read",
    });
    await expect(scan({ image: [IMAGE], vex: "package.json" })).rejects.toMatchObject({ kind: "usage" });
  });

  it("refuses a stack that names no image, and has nothing to do where none does", async () => {
    await expect(scan({ stack: ["dev"] })).rejects.toThrow("stacks/Pulumi.dev.yaml names no warm image");
    expect(await scan({})).toMatchObject({ text: "no stack's file names a warm image yet" });
  });
});
