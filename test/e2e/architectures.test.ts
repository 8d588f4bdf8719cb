import { beforeAll, describe, expect, inject, it } from "vitest";
import { silent } from "../../progress.ts";
import { pushDocument, pushManifest, readDigest, type RegistryClient } from "../../registry/client.ts";
import { readImage } from "../../registry/compose.ts";
import { imageRepository } from "../../registry/repository-names.ts";
import { readStoredManifest } from "../../registry/stored-manifest.ts";
import type { ReleaseRun } from "../../release/workflow/release-run.ts";
import { LOCAL_STACK } from "../../toolchain/local-stacks.ts";
import { places } from "../../toolchain/places.ts";
import { emulatedPlatforms, ownPlatform } from "../../toolchain/platforms.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { kiln } from "../support/checkout.ts";
import { isExtended } from "../support/extended.ts";
import { ReleaseCheckout } from "../support/release-checkout.ts";
import { resultsOf } from "../support/workflow-project.ts";

const checkout = inject("checkout");
const repository = imageRepository(checkout.registry);

let client: RegistryClient;
beforeAll(async () => {
  client = { regctl: (await resolveTool("regctl", { places: places(), progress: silent })).path };
});

/** The runner image of the shared stack, and the same said to be of the other architecture: its layers are verified as well. */
async function twins(): Promise<readonly [string, string]> {
  const { manifest, config } = await readImage(client, { repository, tag: LOCAL_STACK });
  const text = JSON.stringify({ ...config, architecture: "arm64" });
  const described = { ...(await pushDocument(client, repository, manifest.config.mediaType, text)) };
  const arm64 = await pushManifest(client, { repository }, { ...manifest, config: described });
  return [(await readDigest(client, { repository, tag: LOCAL_STACK })) ?? "", arm64];
}

async function ok(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await kiln(checkout, ["release", ...args]);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  return stdout.trim();
}

describe("a release for two architectures", () => {
  it("joins their images in the registry by the commands of the workflows, and tags the index", async () => {
    const [amd64, arm64] = await twins();
    const index = await ok(
      "index",
      "--stack",
      LOCAL_STACK,
      ...[arm64, amd64].flatMap((digest) => ["--image", `${repository}@${digest}`]),
    );
    expect(index).toMatch(/@sha256:[0-9a-f]{64}$/);
    expect(await ok("seal", "--stack", LOCAL_STACK, "--image", index)).toContain("nothing to do");
    const published = await ok("publish", "--tag", "iac-runner-base-v0.2.0", "--image", index, "--json");
    expect(JSON.parse(published)).toMatchObject({ platforms: ["linux/amd64", "linux/arm64"], unchanged: false });
    for (const tag of ["v0.2.0", "latest"]) {
      const { digest, children } = (await readStoredManifest(client, { repository, tag })) ?? {};
      expect([`${repository}@${digest ?? ""}`, children]).toEqual([index, [amd64, arm64]]);
    }
  });

  it.runIf(isExtended)(
    "compiles for both here, and goes as far with the image as this kernel emulates",
    async (test) => {
      if (ownPlatform() !== "linux/amd64") return void test.skip("this machine is none of amd64");
      const tag = "iac-runner-base-v0.3.0";
      const project = await ReleaseCheckout.make(tag);
      try {
        const done = await project.release(tag, "--input", "architectures=amd64,arm64");
        const ended = JSON.parse(done.stdout) as ReleaseRun;
        expect(resultsOf(ended)).toMatchObject({ "image / image": "success", "arm64 / shard shard-2": "success" });
        if ((await emulatedPlatforms()).includes("linux/arm64")) {
          expect({ code: done.code, failures: ended.failures }).toEqual({ code: 0, failures: [] });
          const own = imageRepository(project.checkout.registry);
          const released = await readStoredManifest(client, { repository: own, tag: "v0.3.0" });
          expect(released?.children).toHaveLength(2);
        } else {
          expect(resultsOf(ended)).toMatchObject({ "arm64 / image": "failure", index: "skipped", publish: "skipped" });
          expect(ended.failures.join("\n")).toContain("an image of linux/arm64 is built and verified on an engine of");
        }
      } finally {
        await project.remove();
      }
    },
  );
});
