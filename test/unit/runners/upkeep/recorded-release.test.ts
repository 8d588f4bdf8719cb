import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { RELEASE_LABELS } from "../../../../runners/upkeep/freshness.ts";
import { recordedRelease } from "../../../../runners/upkeep/recorded-release.ts";
import { pins } from "../../../../toolchain/pins.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const IMAGE = `localhost:5180/actions-runner@sha256:${"a".repeat(64)}`;
const LABELS = { [RELEASE_LABELS.version]: "2.337.0", [RELEASE_LABELS.released]: "2026-09-05" };

let directory: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  vi.stubEnv("PATH", directory);
  vi.stubEnv("KILN_CACHE_DIR", path.join(directory, "cache"));
});

/** Puts a registry client on PATH: it has one image, with these labels in its config. */
async function registry(labels: Readonly<Record<string, string>> | undefined): Promise<void> {
  const digest = `sha256:${"b".repeat(64)}`;
  const answers = {
    version: `VCSTag: v${pins.regctl.version}\n`,
    manifest: JSON.stringify({ schemaVersion: 2, config: { digest, size: 2 }, layers: [] }),
    blob: JSON.stringify({ architecture: "amd64", os: "linux", rootfs: {}, config: { Labels: labels } }),
  };
  const script = `#!${process.execPath}
const argv = process.argv.slice(2);
const { [argv[0]]: answer } = ${JSON.stringify(answers)};
const known = argv[0] === "version" || argv.some((word) => [${JSON.stringify(IMAGE)}, "${digest}"].includes(word));
process.stdout.write(known ? answer : "");
process.exitCode = known ? 0 : 1;
`;
  await writeFile(path.join(directory, "regctl"), script);
  await chmod(path.join(directory, "regctl"), 0o755);
}

describe("the release that an image records", () => {
  it("stands in its labels", async () => {
    await registry(LABELS);
    expect(await recordedRelease(IMAGE)).toEqual({ version: "2.337.0", released: "2026-09-05" });
  });

  it.each([undefined, {}, { ...LABELS, [RELEASE_LABELS.released]: "yesterday" }])(
    "is not known of an image with the labels %j",
    async (labels) => {
      await registry(labels);
      expect(await recordedRelease(IMAGE)).toBeUndefined();
    },
  );

  it("is not known of an image that the registry does not give", async () => {
    await registry(LABELS);
    expect(await recordedRelease(IMAGE.replace("actions-runner", "other"))).toBeUndefined();
  });

  it("is not known without a registry client, and none is fetched", async () => {
    vi.stubGlobal("fetch", () => expect.unreachable("something was downloaded"));
    expect(await recordedRelease(IMAGE)).toBeUndefined();
    vi.unstubAllGlobals();
  });
});
