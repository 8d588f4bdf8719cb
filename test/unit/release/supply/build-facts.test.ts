import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Image } from "../../../../registry/compose.ts";
import { readBase, readBuildFacts } from "../../../../release/supply/build-facts.ts";
import { LOCAL_BUILDER } from "../../../../release/supply/provenance.ts";
import { parseSettings } from "../../../../settings.ts";
import { memory } from "../../../support/memory-client.ts";
import { MemoryRegistry } from "../../../support/memory-registry.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { putWarmImage } from "../../../support/warm-image.ts";
import { GIT_ENV, gitRepository } from "../github/git-repository.ts";

vi.mock("../../../../registry/client.ts", async (original) =>
  (await import("../../../support/memory-client.ts")).clientInMemory(original),
);

const WARM = "localhost:5181/kiln/base-images/iac-runner-warm";
const settings = parseSettings("dev", { registry: "localhost:5181" });
let registry: MemoryRegistry;

beforeEach(() => {
  for (const [name, value] of Object.entries(GIT_ENV)) vi.stubEnv(name, value);
  registry = new MemoryRegistry();
  memory.functions = registry.functions;
});

describe("what is known of a build", () => {
  const facts = (project: string, plan?: string) =>
    readBuildFacts({ client: registry.client, project, settings, plan, version: "0.1.0", env: {} });

  it("is its commit, its plan by digest, and what was asked for", async () => {
    const { checkout, git } = await gitRepository({ "index.ts": "1" });
    const commit = (await git("rev-parse", "HEAD")).trim();
    const plan = path.join(await temporaryDirectory(), "plan.json");
    await writeFile(plan, "{}");
    const found = await facts(checkout, plan);
    expect(found).toMatchObject({
      builder: { id: LOCAL_BUILDER },
      parameters: { stack: "dev", platform: "linux/amd64" },
    });
    expect(found.materials.map(({ digest }) => digest)).toEqual([
      { gitCommit: commit },
      { sha256: createHash("sha256").update("{}").digest("hex") },
    ]);
  });

  it("is less in a folder that is no checkout, and a plan that is not there is refused", async () => {
    const folder = await temporaryDirectory();
    expect((await facts(folder)).materials).toEqual([]);
    await expect(facts(folder, path.join(folder, "plan.json"))).rejects.toMatchObject({ kind: "usage" });
  });
});

describe("what an image stands on", () => {
  const imageOf = (digest: string) =>
    ({ manifest: JSON.parse(registry.repository(WARM).manifests.get(digest) ?? "") as object, config: {} }) as Image;
  const tag = (name: string, digest: string) => registry.repository(WARM).tags.set(`base-${name.repeat(16)}`, digest);

  it("is the base that it begins with, the longest of them", async () => {
    const digest = putWarmImage(registry, WARM, { layers: ["common", "aws"] });
    const [short, long] = [
      putWarmImage(registry, WARM, { layers: [] }),
      putWarmImage(registry, WARM, { layers: ["common"] }),
    ];
    tag("a", short);
    tag("b", long);
    tag("c", putWarmImage(registry, WARM, { layers: ["other"] }));
    const found = await readBase(registry.client, { repository: WARM, digest }, imageOf(digest));
    expect(found).toEqual({ repository: WARM, digest: long });
  });

  it("is nothing that the registry no longer has", async () => {
    const digest = putWarmImage(registry, WARM);
    tag("a", `sha256:${"0".repeat(64)}`);
    expect(await readBase(registry.client, { repository: WARM, digest }, imageOf(digest))).toBeUndefined();
  });
});
