import { afterAll, describe, expect, inject, it } from "vitest";
import type { PublishedJobImage } from "../../release/job-publish.ts";
import type { RunnerRecord } from "../../release/runner-record.ts";
import { engineEnvironment, readyEngine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";
import { run } from "../../toolchain/process.ts";
import { silent } from "../../progress.ts";
import { kiln } from "../support/checkout.ts";
import { isExtended } from "../support/extended.ts";

const checkout = inject("checkout");
const REGISTRY = `${checkout.registry}/kiln-jobs`;
const WHERE = ["--name", "base", "--registry", REGISTRY];
const IMAGE = `kiln-e2e-job-release-${process.pid}`;

async function docker(args: readonly string[], input?: string) {
  const engine = await readyEngine({ places: places(), progress: silent });
  return run(engine.docker, args, { env: engineEnvironment(engine), ...(input === undefined ? {} : { input }) });
}

async function image<Result>(...args: readonly string[]): Promise<Result> {
  const ended = await kiln(checkout, ["job", "image", ...args, "--json"]);
  expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
  return JSON.parse(ended.stdout) as Result;
}

/** Pushes and publishes the image of a version: that of the checkout, or one on it that says another. */
async function release(version: string): Promise<PublishedJobImage> {
  const name = `${IMAGE}:${version}`;
  await docker(["build", "-t", name, "-"], `FROM ${IMAGE}\nLABEL org.opencontainers.image.version=${version}\n`);
  const tag = ["--tag", `job-runner-v${version}`];
  const { repository, digest } = await image<{ repository: string; digest: string }>(
    ...["push", ...tag, ...WHERE, "--image", name],
  );
  expect(repository).toBe(`${REGISTRY}/job-runner-base`);
  return image<PublishedJobImage>("publish", ...tag, ...WHERE, "--image", `${repository}@${digest}`);
}

afterAll(async () => {
  if (isExtended)
    await docker(["image", "rm", "--force", IMAGE, ...["1.0.0", "1.1.0"].map((version) => `${IMAGE}:${version}`)]);
});

describe.runIf(isExtended)("the images of jobs in a registry", () => {
  it("are released, rolled back by name, and tell how it was", async () => {
    await image("build", "--name", "base", "--image", IMAGE, "--without-powershell");
    const [first, second] = [await release("1.0.0"), await release("1.1.0")];
    expect([first.imageTag, first.platforms.length]).toEqual(["v1.0.0", 1]);
    const at = `${REGISTRY}/job-runner-base`;
    expect(second.latest?.[at]).toEqual({ kind: "moved", digest: second.digest, replaces: first.digest });
    // The same again: the same digest, and nothing moves.
    expect((await release("1.1.0")).latest?.[at]).toEqual({ kind: "unchanged", digest: second.digest });
    const back = ["rollback", "--to", "1.0.0", ...WHERE];
    await image(...back, "--dry-run");
    await image(...back);
    const { records } = await image<{ readonly records: readonly RunnerRecord[] }>("history", ...WHERE);
    expect(records.map(({ release: of, move }) => [of, move])).toEqual([
      ["job-runner-v1.0.0", "moved back"],
      ["job-runner-v1.0.0", "new"],
      ["job-runner-v1.1.0", "moved"],
    ]);
    expect(records[0]).toMatchObject({ buildTag: first.buildTag, digest: first.digest, replaces: second.digest });
  });
});
