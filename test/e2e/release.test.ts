import { mkdir, readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silent } from "../../progress.ts";
import { readDigest, type RegistryClient } from "../../registry/client.ts";
import { readImage } from "../../registry/compose.ts";
import { parsePinnedImage } from "../../registry/image-reference.ts";
import type { ReleaseRun } from "../../release/workflow/release-run.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { kiln, type Checkout } from "../support/checkout.ts";
import { isExtended } from "../support/extended.ts";
import { ReleaseCheckout } from "../support/release-checkout.ts";
import { resultsOf } from "../support/workflow-project.ts";

const TAG = "iac-runner-base-v0.1.0";

let project: ReleaseCheckout;
let checkout: Checkout;
let client: RegistryClient;

const release = (...flags: readonly string[]) => project.release(TAG, ...flags);

/** Kills what compiles a shard, as a runner that dies does, once it is there; gives up when the whole run is over. */
async function killShard(id: string, state: { readonly ended: boolean }): Promise<void> {
  while (!state.ended) {
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
      const folder = await readlink(`/proc/${pid}/cwd`).catch(() => "");
      const isIt =
        words.includes("shard") && words.includes(id) && words.some((word) => /\/kiln(?:\.mjs)?$/.test(word));
      if (isIt && folder.startsWith(checkout.directory)) {
        process.kill(Number(pid), "SIGKILL");
        return;
      }
    }
    await sleep(50);
  }
}

beforeAll(async () => {
  project = await ReleaseCheckout.make(TAG);
  checkout = project.checkout;
  client = { regctl: (await resolveTool("regctl", { places: places(), progress: silent })).path };
});

afterAll(() => project.remove());

describe("a release from its tag", () => {
  it("says what it would run", async () => {
    const dry = await release("--dry-run");
    expect({ code: dry.code, stderr: dry.code === 0 ? "" : dry.stderr }).toEqual({ code: 0, stderr: "" });
    expect(dry.stdout).toContain("iac-runner-release.yml");
  });

  it("fails where the runners of two shards die, and names them", async () => {
    const state = { ended: false };
    const running = release().finally(() => {
      state.ended = true;
    });
    const [failed] = await Promise.all([running, killShard("shard-1", state), killShard("shard-2", state)]);
    expect(failed.code).toBe(1);
    const ended = JSON.parse(failed.stdout) as ReleaseRun;
    expect(resultsOf(ended)).toMatchObject({
      "image / plan": "success",
      "image / base": "success",
      "image / shard shard-1": "failure",
      "image / shard shard-2": "failure",
      "image / image": "skipped",
      publish: "skipped",
    });
    expect([...ended.failures].sort().join("\n")).toMatch(/shard-1[^]*shard-2/);
  });

  it("repeats only what failed, and ends in a verified image under its version", async () => {
    const done = await release();
    expect({ code: done.code, stderr: done.code === 0 ? "" : done.stderr }).toEqual({ code: 0, stderr: "" });
    const ended = JSON.parse(done.stdout) as ReleaseRun;
    expect(resultsOf(ended)).toMatchObject({
      "image / plan": "done before",
      "image / base": "done before",
      "image / shard shard-1": "success",
      "image / shard shard-2": "success",
      "image / image": "success",
      publish: "success",
    });
    const moved = ended.timeline.rows.find(({ title }) => title === "image / shard shard-1")?.bytes;
    expect(moved?.read).toBeGreaterThan(0);
    expect(moved?.written).toBeGreaterThan(0);

    const repository = `${checkout.registry}/kiln/base-images/iac-runner`;
    const [version, latest] = await Promise.all(
      ["v0.1.0", "latest"].map((tag) => readDigest(client, { repository, tag })),
    );
    expect(version).toMatch(/^sha256:/);
    expect(latest).toBe(version);

    // One machine alone bakes the very same image: it finds it by its inputs, and the layers are those of the shards.
    const baked = await kiln(checkout, ["cache", "bake", "--stack", "local", "--json"]);
    const { warmImage, reused } = JSON.parse(baked.stdout) as { readonly warmImage: string; readonly reused: boolean };
    expect(reused).toBe(true);
    const warm = parsePinnedImage(warmImage);
    const [one, other] = await Promise.all([
      readImage(client, warm ?? { repository }),
      readImage(client, { repository, tag: "v0.1.0" }),
    ]);
    expect(other.config.rootfs.diff_ids).toEqual(one.config.rootfs.diff_ids);
  });

  it("does nothing a third time", async () => {
    const again = await release();
    expect(again.code).toBe(0);
    const ended = JSON.parse(again.stdout) as ReleaseRun;
    expect(new Set(ended.timeline.rows.map(({ recalled, result }) => recalled || result === "skipped"))).toEqual(
      new Set([true]),
    );
  });
});

describe("shards that travel as artifacts", () => {
  // Half a minute more: `npm run test:extended`.
  it.runIf(isExtended)("give the very layers that a bake of one machine gives", async () => {
    const work = path.join(checkout.directory, ".kiln/artifacts");
    await mkdir(work, { recursive: true });
    const plan = path.join(work, "plan.json");
    const on = ["--plan", plan, "--stack", "local"];
    const ok = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await kiln(checkout, [...args, "--json"]);
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      return JSON.parse(stdout) as unknown;
    };
    await ok("cache", "plan", "--stack", "local", "--shards", "2", "--out", plan);
    const shards = ["shard-1", "shard-2"].map((id) => path.join(work, id));
    for (const out of shards) {
      const store = ["--store", `${out}-store`];
      await ok("cache", "warm", ...on, "--shard", path.basename(out), "--out", out, ...store);
    }
    const merged = path.join(work, "merged");
    await ok("cache", "merge", "--out", merged, ...shards);
    const to = `${checkout.registry}/kiln/artifacts`;
    const source = path.join(checkout.directory, "test/fixtures/programs");
    const bake = ["cache", "bake", "--source", source, "--modules", "{provider}/{module}", "--to", to];
    const baked = (await ok(...bake, "--from", merged, "--store", path.join(work, "store"))) as {
      readonly warmImage: string;
    };
    const repository = `${checkout.registry}/kiln/base-images/iac-runner`;
    const [one, other] = await Promise.all([
      readImage(client, parsePinnedImage(baked.warmImage) ?? { repository: to }),
      readImage(client, { repository, tag: "v0.1.0" }),
    ]);
    expect(one.config.rootfs.diff_ids).toEqual(other.config.rootfs.diff_ids);
  });
});
