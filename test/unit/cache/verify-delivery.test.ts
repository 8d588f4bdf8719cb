import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ProgramDelivery } from "../../../cache/program-delivery.ts";
import { verifyDelivery } from "../../../cache/verify-delivery.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { CONTRACT, writeText } from "./cache-directory.ts";

const PROGRAMS = [{ provider: "aws", module: "x", directory: "m/aws/x", goModule: "." }];

/** What a container prints by what it is asked: the build of the program, or the start of its command. */
const DOCKER = `#!/bin/sh
here=$(dirname "$0")
case "$1" in
  create) case "$*" in *kiln-start*) echo started ;; *) echo built ;; esac >"$here/kind"; cat "$here/kind" >>"$here/kinds" ;;
  start) cat "$here/$(cat "$here/kind")" ;;
esac
`;

async function verified(delivery: ProgramDelivery, code = 0) {
  const home = await temporaryDirectory();
  const docker = path.join(home, "docker");
  await writeText(path.join(home, "source/go.mod"), "module m\n");
  await writeText(path.join(home, "source/m/aws/x/main.go"), "package main\n");
  await writeFile(docker, DOCKER);
  await chmod(docker, 0o755);
  await writeText(path.join(home, "built"), "kiln-build first 0 1 2 m/aws/x\nkiln-end\n");
  const start = `kiln-start aws-x ${code} 1.5 1.6\nkiln-said kiln: aws-x reaches its main\n`;
  await writeText(path.join(home, "started"), `{\n "m/aws/x": "aws-x"\n}\nkiln-commands\n${start}`);
  const source = path.join(home, "source");
  const delivered = { image: "i", delivery, contract: CONTRACT, source, programs: PROGRAMS };
  const verification = await verifyDelivery({ docker, env: process.env }, delivered, silent);
  return { verification, asked: (await readFile(path.join(home, "kinds"), "utf8")).trim().split("\n") };
}

describe("verifyDelivery", () => {
  it.each<[ProgramDelivery, readonly string[]]>([
    ["cache", ["built"]],
    ["binaries", ["started"]],
    ["both", ["built", "started"]],
  ])("checks what an image with %s has", async (delivery, expected) => {
    const { verification, asked } = await verified(delivery);
    expect(asked).toEqual(expected);
    expect(verification.passed).toBe(true);
    expect(verification.programs).toHaveLength(1);
  });

  it("has the times of both, and passes neither where the other failed", async () => {
    const [check] = (await verified("both")).verification.programs;
    expect(check).toMatchObject({ firstSeconds: 1, startSeconds: expect.closeTo(0.1) as number });
    const { verification } = await verified("both", 1);
    expect(verification.passed).toBe(false);
    expect(verification.programs[0]?.error).toContain("aws-x ends with 1");
  });
});
