import path from "node:path";
import { describe, expect, it } from "vitest";
import type { JobImageArgs } from "../../../components/job-image.ts";
import { readJobVersions } from "../../../execution/job/image-versions.ts";
import { recordResources, valueOf } from "../../support/mocks.ts";

const versions = await readJobVersions(path.join(import.meta.dirname, "../../.."));

async function jobImage(args: Partial<JobImageArgs> = {}) {
  const resources = await recordResources();
  const { JobImage } = await import("../../../components/job-image.ts");
  const repository = "localhost:5180/kiln/job-runner";
  const job = new JobImage("jobs", {
    ...{ image: "python", repository, tag: "v1.0.0", platform: "linux/amd64", versions, buildOnPreview: false },
    ...args,
  });
  const reference = await valueOf(job.reference);
  const build = resources.find(({ type }) => type === "docker:index/image:Image")?.inputs.build;
  return { reference, build: build as { target: string; context: string; args: Record<string, string> }, resources };
}

describe("a job image", () => {
  it("is one docker.Image of one stage, consumed by the digest that was pushed", async () => {
    const { reference, build, resources } = await jobImage();
    expect(resources.map(({ type }) => type).sort()).toEqual(["docker:index/image:Image", "kiln:image:JobImage"]);
    expect(reference).toBe(`localhost:5180/kiln/job-runner@sha256:${"d".repeat(64)}`);
    expect(build).toMatchObject({ target: "python", context: ".", dockerfile: "images/job-runner/Dockerfile" });
    expect(build.args).toMatchObject({
      BASE_IMAGE: "docker.io/library/debian:bookworm-slim",
      POWERSHELL_VERSION: versions.powershell.version,
      IMAGE_VERSION: versions.version,
    });
    expect(Object.keys(build.args)).not.toContain("POWERSHELL_IMAGE");
  });

  it("takes a base, an entrypoint and certificates of its own, and leaves PowerShell out when asked", async () => {
    const { build } = await jobImage({ base: "b@1", entrypoint: "e@1", certificates: "c@1", withoutPowerShell: true });
    expect(build.args).toMatchObject({
      ...{ BASE_IMAGE: "b@1", ENTRYPOINT_IMAGE: "e@1", CA_IMAGE: "c@1", POWERSHELL_IMAGE: "no-powershell" },
    });
  });

  it("is refused before the first resource where a download has no checksum, unless it is left out", async () => {
    const unpinned = { ...versions, powershell: { ...versions.powershell, sha256: {} } };
    await expect(jobImage({ versions: unpinned })).rejects.toThrow("has downloads without a checksum: powershell");
    const { resources } = await jobImage({ versions: unpinned, withoutPowerShell: true });
    expect(resources).toHaveLength(2);
  });
});
