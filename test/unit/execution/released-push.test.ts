import { expect, it } from "vitest";
import { pushReleased } from "../../../execution/released-push.ts";
import { silent } from "../../../progress.ts";
import { MemoryRegistry } from "../../support/memory-registry.ts";
import type { Engine } from "../../../toolchain/docker-engine.ts";

it("pushes nothing to a registry that is an example, and asks no engine for the image", async () => {
  const released = {
    repositories: ["ghcr.io/acme/job-runner-base", "ghcr.io/your-org/your-repo/job-runner-base"],
    requireLabels: () => undefined,
  } as const;
  const engine = { docker: "/nowhere/docker" } as Engine;
  const { client } = new MemoryRegistry();
  await expect(pushReleased({ engine, client, image: "job:built", released, progress: silent })).rejects.toMatchObject({
    kind: "usage",
    message: "ghcr.io/your-org/your-repo/job-runner-base is an example",
  });
});
