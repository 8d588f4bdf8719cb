import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { PublicRepository } from "../../registry/public-repository.ts";
import type { Watch } from "../../release/watch/watch.ts";
import { pins } from "../../toolchain/pins.ts";
import { run } from "../../toolchain/process.ts";
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
    const [major = "", minor = "", patch = ""] = VERSION.split(".");
    const MISSED = `${major}.${Number(minor) - 1}.${patch}`;
    const next = (count: number) => `${major}.${minor}.${Number(patch) + count}`;
    feed.releases = [
      { version: next(9), hoursAgo: 60, on: ["github"] },
      { version: next(8), hoursAgo: 3 },
      { version: next(7), hoursAgo: 60, yanked: "bad" },
      { version: next(6), hoursAgo: 60, deprecated: "broken" },
      { version: `${next(5)}-rc.1`, hoursAgo: 60, prerelease: true },
      { version: "nightly", hoursAgo: 60, on: ["github"] },
      { version: VERSION, hoursAgo: 50 },
      { version: MISSED, hoursAgo: 500 },
    ];
    const config = path.join(folder, "watch.yaml");
    const promote = ["promote: { production: after, afterHours: 0 }"];
    const sources = ["github", "npm", "pypi"] as const;
    await writeFile(config, watchFile(feed, promote, { languages: ["python"], sources }));

    /** One look, then what GitHub does: every tag that was pushed is released. */
    const look = async () => {
      const args = ["watch", "--once", "--json", "--config", config, "--checkout", tags.checkout, ...REGISTRIES];
      const watched = await kiln(checkout, args);
      expect(watched.code, watched.stderr).toBe(0);
      const watch = JSON.parse(watched.stdout) as Watch;
      const pushed = watch.tags.map(({ tag }) => tag);
      for (const tag of pushed) {
        const revision = (await run("git", ["rev-parse", `${tag}^{commit}`], { cwd: tags.bare })).stdout.trim();
        const image = ["--language", "python", "--variant", "slim", "--loopback-hosts", "--revision", revision];
        const args = ["language", "release", "--tag", tag, ...image, ...REGISTRIES];
        const released = await kiln(checkout, args, { env: { KILN_VULNERABILITY_DB: "none" } });
        // No machine here has another Pulumi than the pinned one: the version that was missed does not build.
        expect(released.code === 0, `${tag}: ${released.stderr}`).toBe(tag.endsWith(VERSION));
      }
      return { pushed, verdicts: Object.fromEntries(watch.versions.map(({ version, verdict }) => [version, verdict])) };
    };
    const has = (registry: string, tag: string) => new PublicRepository(`${registry}/runner-pulumi-python`).hasTag(tag);

    const left = {
      ...{ [next(9)]: "waiting", [next(8)]: "waiting", [next(7)]: "withdrawn", [next(6)]: "withdrawn" },
      [`${next(5)}-rc.1`]: "skipped",
    };
    expect(await look()).toEqual({
      pushed: [`dev-v${MISSED}`, `dev-v${VERSION}`],
      verdicts: { ...left, [VERSION]: "release", [MISSED]: "release" },
    });
    expect([await has(TO_TRY, `v${VERSION}`), await has(PRODUCTION, `v${VERSION}`)]).toEqual([true, false]);
    // The one that does not build stops neither this version nor, later, the next.
    expect(await look()).toEqual({
      pushed: [`v${VERSION}`, `latest-v${VERSION}`],
      verdicts: { ...left, [VERSION]: "promote", [MISSED]: "building" },
    });
    expect([await has(PRODUCTION, `v${VERSION}`), await has(PRODUCTION, "latest")]).toEqual([true, true]);
    const last = { pushed: [], verdicts: { ...left, [VERSION]: "done", [MISSED]: "building" } };
    expect([await look(), await look()]).toEqual([last, last]);
    const { stdout } = await run("git", ["tag", "--list"], { cwd: tags.bare });
    expect(stdout.trim().split("\n").sort()).toEqual(
      [`dev-v${MISSED}`, `dev-v${VERSION}`, `latest-v${VERSION}`, `v${VERSION}`].sort(),
    );
  });
});
