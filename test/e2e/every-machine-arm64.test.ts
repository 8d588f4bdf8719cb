import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { readEntries } from "../../cache/closure.ts";
import { readManifest } from "../../cache/manifest.ts";
import { silent } from "../../progress.ts";
import { readImage } from "../../registry/compose.ts";
import { parseReference } from "../../registry/image-reference.ts";
import { places } from "../../toolchain/places.ts";
import { emulatedPlatforms, ownPlatform, PLATFORMS } from "../../toolchain/platforms.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { FIXTURE, FIXTURE_PATTERN, kiln } from "../support/checkout.ts";
import { isExtended } from "../support/extended.ts";

const checkout = inject("checkout");
const FOREIGN = PLATFORMS.find((platform) => platform !== ownPlatform()) ?? "";
const SELECT = ["--source", FIXTURE, "--modules", FIXTURE_PATTERN];

let root = "";
const at = (...names: string[]) => path.join(root, ...names);

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "kiln-platform-"));
});

afterAll(() => rm(root, { recursive: true, force: true }));

async function simulated(platform: string, out: string): Promise<void> {
  const args = ["cache", "simulate", ...SELECT, "--by", "provider", "--platform", platform, "--out", out];
  const { code, stdout, stderr } = await kiln(checkout, args);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("no compile action");
}

describe("caches for the platform that this machine is not of", () => {
  it("are warmed and verified here, and fit no cache of this machine's platform", async () => {
    await simulated(FOREIGN, at("foreign"));
    await simulated(ownPlatform(), at("own"));
    const { contract } = await readManifest(at("foreign"));
    expect(`${contract.goos}/${contract.goarch}`).toBe(FOREIGN);

    // What is compiled differs; what only indexes sources is the same for both.
    const [foreign, own] = await Promise.all(["foreign", "own"].map((name) => readEntries(at(name, "go-build"))));
    const compiled = (foreign ?? []).filter((entry) => entry.endsWith("-a") && !own?.includes(entry));
    expect(compiled.length).toBeGreaterThan(100);

    const merged = await kiln(checkout, ["cache", "merge", "--out", at("mixed"), at("own"), at("foreign")]);
    expect(merged.code).toBe(2);
    expect(merged.stderr).toContain("GOARCH: ");
    const verified = await kiln(checkout, ["cache", "verify", ...SELECT, "--cache", at("foreign")]);
    expect(verified.code).toBe(3);
  });
});

/** Builds Pulumi and OpenTofu for the other platform, and runs a Go under emulation: `npm run test:extended`. */
describe("an image of the platform that this machine is not of", () => {
  it.runIf(isExtended)(
    "is baked here and verified under emulation: its Go finds all that this machine's Go compiled",
    async (test) => {
      const emulated = await emulatedPlatforms();
      if (!emulated.includes(FOREIGN)) return void test.skip(`this kernel does not emulate ${FOREIGN}`);
      const to = `${checkout.registry}/kiln/foreign`;
      const baked = await kiln(checkout, ["cache", "bake", ...SELECT, "--to", to, "--platform", FOREIGN, "--json"]);
      expect({ code: baked.code, stderr: baked.code === 0 ? "" : baked.stderr }).toEqual({ code: 0, stderr: "" });
      const { warmImage, verification } = JSON.parse(baked.stdout) as {
        readonly warmImage: string;
        readonly verification: { readonly compileActions: number; readonly programs: readonly unknown[] };
      };
      expect(verification).toMatchObject({ compileActions: 0 });
      expect(verification.programs).toHaveLength(3);
      const { path: regctl } = await resolveTool("regctl", { places: places(), progress: silent });
      const { config } = await readImage({ regctl }, parseReference(warmImage));
      expect(`${config.os}/${config.architecture}`).toBe(FOREIGN);
    },
  );
});
