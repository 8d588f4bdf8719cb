import { describe, expect, it } from "vitest";
import { baseRecipe } from "../../../cache/base.ts";
import { places } from "../../../toolchain/places.ts";
import type { ResolvedTool } from "../../../toolchain/resolve.ts";

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
