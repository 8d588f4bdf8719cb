import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { hasPublicTag } from "../../registry/public-manifest.ts";
import type { Watch } from "../../release/watch/watch.ts";
import { pins } from "../../toolchain/pins.ts";
import { kiln } from "../support/checkout.ts";
import { engineOf } from "../support/engine.ts";
import { isExtended } from "../support/extended.ts";
import { ReleaseFeed, watchFile } from "../support/release-feed.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { gitRepository } from "../unit/release/github/git-repository.ts";

const checkout = inject("checkout");
const VERSION = pins.pulumi.version;
const [PRODUCTION, TO_TRY] = [`${checkout.registry}/kiln`, `${checkout.registry}/kiln-dev`];
const REGISTRIES = ["--registry", `production=${PRODUCTION}`, "--registry", `preproduction=${TO_TRY}`];

describe("a new version upstream", () => {
  it.runIf(isExtended)("becomes a tag, images to try, and then those for everybody, once", async () => {
    const [feed, tags, folder] = await Promise.all([
      ReleaseFeed.start(),
      gitRepository({ a: "1" }),
      temporaryDirectory(),
    ]);
    // What `language release` builds stays in the engine.
    onTestFinished(async () => (await engineOf(checkout)).remove(`kiln-runner-pulumi-python:slim-${VERSION}`));
    feed.releases = [{ version: VERSION, hoursAgo: 50 }];
    const config = path.join(folder, "watch.yaml");
    await writeFile(config, watchFile(feed, ["promote: { production: after, afterHours: 0 }"], ["python"]));

    /** One look, then what GitHub does: every tag that was pushed is released. */
    const look = async () => {
      const args = ["watch", "--once", "--json", "--config", config, "--checkout", tags.checkout, ...REGISTRIES];
      const watched = await kiln(checkout, args);
      expect(watched.code, watched.stderr).toBe(0);
      const pushed = (JSON.parse(watched.stdout) as Watch).tags.map(({ tag }) => tag);
      for (const tag of pushed) {
        const image = ["--language", "python", "--variant", "slim", "--loopback-hosts"];
        const released = await kiln(checkout, ["language", "release", "--tag", tag, ...image, ...REGISTRIES]);
        expect(released.code, released.stderr).toBe(0);
      }
      return pushed;
    };
    const has = (registry: string, tag: string) => hasPublicTag(`${registry}/runner-pulumi-python`, tag);

    expect(await look()).toEqual([`dev-v${VERSION}`]);
    expect([await has(TO_TRY, `v${VERSION}`), await has(PRODUCTION, `v${VERSION}`)]).toEqual([true, false]);
    expect(await look()).toEqual([`v${VERSION}`, `latest-v${VERSION}`]);
    expect([await has(PRODUCTION, `v${VERSION}`), await has(PRODUCTION, "latest")]).toEqual([true, true]);
    expect(await look()).toEqual([]);
  });
});
