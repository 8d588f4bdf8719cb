import { describe, expect, it, vi } from "vitest";
import { baseRecipe, readyWarmBase } from "../../../cache/base.ts";
import { silent } from "../../../progress.ts";
import { places } from "../../../toolchain/places.ts";
import type { ResolvedTool } from "../../../toolchain/resolve.ts";

const KNOWN = `sha256:${"a".repeat(64)}`;
vi.mock("../../../registry/client.ts", async (original) => ({
  ...(await original<object>()),
  readDigest: () => Promise.resolve(KNOWN),
}));

const tool = (name: ResolvedTool["name"], version: string): ResolvedTool => ({
  ...{ name, version, path: `/tools/${name}`, root: "/tools", source: "download" },
});
const tools = { go: tool("go", "1.26.8"), pulumi: tool("pulumi", "3.253.0"), opentofu: tool("opentofu", "1.10.6") };

describe("baseRecipe", () => {
  const recipe = async (base = "debian:12", server?: { readonly digest: string }, changed = {}) =>
    (await baseRecipe(places(), { ...tools, ...changed }, base, server)).join("\n");

  it("tells bases apart by what they are made from, the server of packs among it", async () => {
    const recipes = await Promise.all([
      recipe(),
      recipe("debian:13"),
      recipe("debian:12", { digest: "1" }),
      recipe("debian:12", { digest: "2" }),
      recipe("debian:12", undefined, { go: tool("go", "1.26.9") }),
    ]);
    expect(new Set(recipes).size).toBe(recipes.length);
  });

  it("is the same for the same tools, wherever they stand", async () => {
    const moved = { go: { ...tools.go, path: "/elsewhere/go", root: "/elsewhere" } };
    expect(await recipe("debian:12", undefined, moved)).toBe(await recipe());
  });
});

describe("readyWarmBase", () => {
  const REPOSITORY = "localhost:5180/warm";
  const ready = (reuse?: Parameters<typeof readyWarmBase>[0]["reuse"]) =>
    readyWarmBase({
      ...{
        places: places(),
        engine: {} as never,
        client: { regctl: "none" },
        tools,
        recipe: [],
        platform: "linux/amd64",
      },
      base: () => Promise.reject(new Error("it is built")),
      ...{ reuse, repository: REPOSITORY, progress: silent },
    });

  it("takes the base that is there, unless nobody vouches for it where somebody has to", async () => {
    const asked: unknown[] = [];
    const reuse = (taken: boolean) => ({
      takes: (...args: readonly unknown[]) => Promise.resolve(asked.push(args) > 0 && taken),
      vouch: () => Promise.resolve(),
    });
    expect(await ready()).toEqual({ repository: REPOSITORY, digest: KNOWN });
    expect(await ready(reuse(true))).toEqual({ repository: REPOSITORY, digest: KNOWN });
    await expect(ready(reuse(false))).rejects.toThrow("it is built");
    const call = [{ repository: REPOSITORY, digest: KNOWN }, expect.stringMatching(/^base-[0-9a-f]{16}$/) as string];
    expect(asked).toEqual([call, call]);
  });
});
