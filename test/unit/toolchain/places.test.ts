import { expect, test } from "vitest";
import { managedEngineHost } from "../../../toolchain/managed-engine.ts";
import { places } from "../../../toolchain/places.ts";

test("follows the XDG base directories", () => {
  const here = places({ XDG_CACHE_HOME: "/c", XDG_STATE_HOME: "/s" }, "/src/kiln");
  expect(here.cache).toBe("/c/kiln");
  expect(here.state).toMatch(/^\/s\/kiln\/kiln-[0-9a-f]{8}$/);
  expect(here.work).toBe("/src/kiln/.kiln");
});

test("two checkouts of one name share the cache and nothing else", () => {
  const [one, other] = ["/a/kiln", "/b/kiln"].map((project) => places({}, project));
  expect(one?.cache).toBe(other?.cache);
  expect(one?.state).not.toBe(other?.state);
});

test("KILN_CACHE_DIR and KILN_STATE_DIR come first", () => {
  const env = { KILN_CACHE_DIR: "/x", KILN_STATE_DIR: "/y", XDG_CACHE_HOME: "/c", XDG_STATE_HOME: "/s" };
  expect(places(env)).toMatchObject({ cache: "/x", state: "/y" });
});

test.each(["/short", `/${"deep/".repeat(30)}cache`])(
  "the engine's socket below %s is no longer than a socket may be",
  (cache) => {
    const host = managedEngineHost(places({ KILN_CACHE_DIR: cache }));
    expect(host).toMatch(/^unix:\/\/\//);
    expect(Buffer.byteLength(host.slice("unix://".length))).toBeLessThanOrEqual(107);
  },
);
