import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { CacheManifest } from "../../../cache/manifest.ts";
import type { Plan } from "../../../cache/plan.ts";
import { warmShard } from "../../../cache/warm.ts";
import { goTool, planAt } from "../../../cli/cache/selection.ts";
import { withStack } from "../../../cli/cache/stack-selection.ts";
import { warmCommand } from "../../../cli/cache/warm.ts";
import { silent } from "../../../progress.ts";

vi.mock(import("../../../cache/warm.ts"), async (original) => ({ ...(await original()), warmShard: vi.fn() }));
vi.mock(import("../../../toolchain/gocache-program.ts"), () => ({
  readyGocache: vi.fn(() => Promise.resolve("/gocache")),
}));
vi.mock(import("../../../cli/cache/stack-selection.ts"), { spy: true });
vi.mock(import("../../../cli/cache/selection.ts"), async (original) => ({
  ...(await original()),
  ...{ planAt: vi.fn(), goTool: vi.fn(), requireOwnTools: vi.fn() },
}));

const MANIFEST = {
  ...{ modules: ["aws/a"], failed: {}, counts: { goBuildEntries: 6, goModules: 1, bytes: 10 } },
} as unknown as CacheManifest;

/** A gateway on this machine, and the paths and bodies that it gets. */
async function gateway() {
  const got: [path: string | undefined, body: string][] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      got.push([request.url, body]);
      response.end();
    });
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got };
}

async function warm(more: Readonly<Record<string, string>> = {}) {
  const note = vi.fn();
  const values = { plan: "plan.json", shard: "aws", out: "/nowhere/out", ...more };
  const run = warmCommand.run({ values, positionals: [], progress: { ...silent, note } });
  return { outcome: await run, notes: note.mock.calls.flat() as readonly string[] };
}

describe("kiln cache warm", () => {
  beforeEach(() => {
    vi.stubEnv("KILN_PUSHGATEWAY_URL", undefined);
    vi.stubEnv("KILN_SCALE_SET", undefined);
    vi.mocked(planAt).mockResolvedValue({ allowFailed: [] } as unknown as Plan);
    vi.mocked(goTool).mockResolvedValue({ root: "/go" } as Awaited<ReturnType<typeof goTool>>);
    vi.mocked(warmShard)
      .mockReset()
      .mockImplementation(({ onServed }) => {
        onServed?.({ hits: 67, misses: 1 });
        return Promise.resolve(MANIFEST);
      });
  });

  it("says last what the store had, and in its document", async () => {
    const { outcome, notes } = await warm();
    expect(notes).toEqual(["67 of 68 packages came from the store (98%), 1 were compiled"]);
    expect(outcome.json).toEqual({ ...MANIFEST, hits: 67, misses: 1 });
  });

  it("pushes it where the environment names a gateway, also of a shard with programs that fail", async () => {
    const { address, got } = await gateway();
    vi.stubEnv("KILN_PUSHGATEWAY_URL", address);
    vi.stubEnv("KILN_SCALE_SET", "bake-lane-0");
    await warm();
    expect(got).toHaveLength(1);
    const [[path, body] = ["", ""]] = got;
    expect(path).toBe("/metrics/job/kiln-cache-warm/scale_set/bake-lane-0/shard/aws");
    expect(body).toContain('kiln_cache_packages{result="hit"} 67\nkiln_cache_packages{result="miss"} 1\n');
    const ended = Number(/^kiln_cache_warm_timestamp_seconds (.*)$/m.exec(body)?.[1]);
    expect(Math.abs(ended - Date.now() / 1000)).toBeLessThan(60);

    vi.mocked(warmShard).mockResolvedValue({ ...MANIFEST, failed: { "aws/b": "undefined: x" } });
    await expect(warm()).rejects.toMatchObject({ kind: "failed" });
    expect(got).toHaveLength(2);
  });

  it("refuses a gateway that is none before it compiles anything", async () => {
    vi.stubEnv("KILN_PUSHGATEWAY_URL", "gateway:9091");
    await expect(warm()).rejects.toMatchObject({ kind: "usage" });
    expect(warmShard).not.toHaveBeenCalled();
  });

  it("delivers programs as the plan says, or as the option does", async () => {
    await warm();
    expect(vi.mocked(warmShard).mock.calls[0]?.[0]).toMatchObject({ goRoot: "/go", gocache: "/gocache" });
    expect(vi.mocked(warmShard).mock.calls[0]?.[0]).not.toHaveProperty("delivery");
    await warm({ programs: "both" });
    expect(vi.mocked(warmShard).mock.calls[1]?.[0]).toMatchObject({ delivery: "both" });
    await expect(warm({ programs: "none" })).rejects.toMatchObject({ kind: "usage" });
  });

  it.each(["binaries", "both"])("delivers caches for the bake of a stack whose image has %s", async (programs) => {
    vi.mocked(withStack).mockResolvedValueOnce({
      plan: "plan.json",
      shard: "aws",
      out: "/nowhere/out",
      stack: "dev",
      programs,
    });
    await warm({ stack: "dev" });
    expect(vi.mocked(warmShard).mock.calls[0]?.[0]).toMatchObject({ delivery: "cache" });
  });

  it("ends well where the gateway does not answer", async () => {
    vi.stubEnv("KILN_PUSHGATEWAY_URL", "http://127.0.0.1:1");
    const { outcome, notes } = await warm();
    expect(outcome.exitCode).toBeUndefined();
    expect(notes).toEqual([
      expect.stringMatching(/^metrics were not pushed to http:\/\/127\.0\.0\.1:1: /),
      expect.stringContaining("67 of 68") as string,
    ]);
  });
});
