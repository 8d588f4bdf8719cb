import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { silent } from "../../../progress.ts";
import { rollback, type RollbackOptions } from "../../../release/rollback.ts";
import { run } from "../../../toolchain/process.ts";
import { useMemory } from "../../support/memory-client.ts";
import { MemoryRegistry } from "../../support/memory-registry.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { putRecord, putWarmImage } from "../../support/warm-image.ts";

vi.mock("../../../registry/client.ts", async (original) =>
  (await import("../../support/memory-client.ts")).clientInMemory(original),
);

const WARM = "localhost:5180/kiln/base-images/iac-runner-warm";

let registry: MemoryRegistry;
let project: string;
const file = () => path.join(project, "stacks/Pulumi.prod.yaml");
const text = () => readFile(file(), "utf8");
const back = (options: Partial<RollbackOptions> = {}) =>
  rollback({ client: registry.client, project, stack: "prod", dryRun: false, progress: silent, ...options });

const git = (...args: readonly string[]) => {
  const who = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
  return run("git", [...who, ...args], { cwd: project });
};

const stackText = (image: string | undefined) =>
  `config:\n  kiln:registry: localhost:5180\n${image === undefined ? "" : `  kiln:warmImage: ${image}  # baked\n`}`;

async function commit(image: string | undefined): Promise<string> {
  await writeFile(file(), stackText(image));
  await git("add", "--all");
  await git("commit", "--quiet", "--allow-empty", "--message", `Run ${image?.slice(-4) ?? "nothing"}`);
  return (await git("rev-parse", "HEAD")).stdout.trim();
}

/** Puts a verified image into the registry, and gives its reference. */
function putVerified(layer: string, record = true): string {
  const digest = putWarmImage(registry, WARM, { layers: ["common", layer] });
  if (record) putRecord(registry, WARM, digest);
  return `${WARM}@${digest}`;
}

beforeEach(async () => {
  registry = new MemoryRegistry();
  useMemory(registry);
  project = await temporaryDirectory();
  await mkdir(path.join(project, "stacks"));
  await git("init", "--quiet");
});

describe("a rollback", () => {
  it("writes the image before, then that before the other, and only that line", async () => {
    const [first, second] = [putVerified("aws1"), putVerified("aws2")];
    const start = await commit(first);
    await commit(second);
    expect(await back()).toMatchObject({
      ...{ warmImage: first, before: second, programs: 1, unchanged: false },
      from: { commit: start, subject: `Run ${first.slice(-4)}` },
    });
    expect(await text()).toBe(stackText(first));
    await commit(first);
    expect((await back()).warmImage).toBe(second);
  });

  it("goes to a commit, or to a digest that the stack had, whole or in its beginning", async () => {
    const [first, second, third] = [putVerified("a"), putVerified("b"), putVerified("c")];
    const start = await commit(first);
    await commit(second);
    await commit(third);
    const digest = first.slice(WARM.length + 1);
    for (const to of [start, start.slice(0, 8), "HEAD~2", digest, first, digest.slice(0, 20)]) {
      expect((await back({ to, dryRun: true })).warmImage).toBe(first);
    }
    expect(await back({ to: "HEAD" })).toMatchObject({ unchanged: true });
    expect(await text()).toBe(stackText(third));
  });

  it("brings an image back that somebody took out", async () => {
    const first = putVerified("a");
    await commit(first);
    await commit(undefined);
    expect(await back()).toMatchObject({ warmImage: first, before: undefined });
  });
});

describe("a rollback is refused, and the file stays,", () => {
  it.each<[string, (images: readonly string[]) => Promise<unknown>, string, string]>([
    ["where there was no image before", () => commit(putVerified("a")), "usage", "nothing to go back to"],
    [
      "where the image before is gone",
      async (images) => {
        for (const image of images) await commit(image);
        registry.repository(WARM).manifests.delete(images[0]?.slice(WARM.length + 1) ?? "");
      },
      "difference",
      "has no sha256:",
    ],
    [
      "where it was never verified",
      async (images) => {
        await commit(putVerified("never", false));
        await commit(images[0]);
      },
      "difference",
      "was never verified: no verification record is attached to it",
    ],
    [
      "where it is for another platform",
      async (images) => {
        await commit(`${WARM}@${putWarmImage(registry, WARM, { architecture: "arm64" })}`);
        await commit(images[0]);
      },
      "usage",
      "the image is for linux/arm64, stack prod for linux/amd64",
    ],
    [
      "where the file has uncommitted changes",
      async (images) => {
        for (const image of images) await commit(image);
        await writeFile(file(), `${stackText(images[1])}# mine\n`);
      },
      "usage",
      "has changes that are not committed",
    ],
    ["where there is no such stack", () => run("rm", ["-r", path.join(project, "stacks")]), "usage", "there is no"],
  ])("%s", async (_, prepare, kind, said) => {
    await prepare([putVerified("one"), putVerified("two")]);
    const before = await text().catch(() => "");
    await expect(back()).rejects.toMatchObject({ kind, message: expect.stringContaining(said) as string });
    expect(await text().catch(() => "")).toBe(before);
  });

  it.each<[string, string]>([
    ["nowhere", "there is no commit"],
    [`sha256:${"9".repeat(64)}`, "has never named"],
    ["sha256:1", "there is no commit"],
  ])("for %s", async (to, said) => {
    await commit(putVerified("one"));
    await expect(back({ to })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(said) as string,
      mend: expect.stringContaining("kiln release history") as string,
    });
  });

  it("for a commit that named none", async () => {
    const start = await commit(undefined);
    await commit(putVerified("one"));
    await expect(back({ to: start })).rejects.toMatchObject({ kind: "usage" });
  });
});
