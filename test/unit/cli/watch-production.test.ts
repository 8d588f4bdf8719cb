import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { tagMessage } from "../../../release/watch/finding.ts";
import { run } from "../../../toolchain/process.ts";
import { GIT_ENV } from "../release/github/git-repository.ts";
import { watchFile } from "../../support/release-feed.ts";
import { image, verdicts, WatchWorld } from "./watch-world.ts";

let world: WatchWorld;

beforeEach(async () => {
  world = await WatchWorld.start();
});

describe("kiln watch --once, on the way to production", { timeout: 60_000 }, () => {
  it("takes to production what was tried, of the commit that was tried, once", async () => {
    world.feed.releases = [
      { version: "3.252.0", hoursAgo: 100 },
      { version: "3.253.0", hoursAgo: 50 },
    ];
    await world.configure(["promote: { production: after, afterHours: 0 }"]);
    await world.look();
    const tried = (await world.tags.git("rev-parse", "HEAD")).trim();
    await world.tags.commit({ a: "2" });
    await world.tags.git("push", "--quiet", "origin", "main");
    // 3.252.0 fails in one language, which does not stop the next version.
    for (const name of [image("golang", "3.252.0"), image("golang", "3.253.0"), image("python", "3.253.0")]) {
      world.feed.addImage({ name, revision: tried, hoursAgo: 1 });
    }
    const promoted = await world.look();
    expect(verdicts(promoted.watch)).toEqual({ "3.253.0": "promote", "3.252.0": "building" });
    expect(promoted.watch.tags.map(({ tag }) => tag)).toEqual(["v3.253.0", "latest-v3.253.0"]);
    for (const tag of ["v3.253.0", "latest-v3.253.0"]) {
      const { stdout } = await run("git", ["rev-parse", `${tag}^{commit}`], { cwd: world.tags.bare });
      expect(stdout.trim()).toBe(tried);
    }
    expect(verdicts((await world.look()).watch)).toEqual({ "3.253.0": "building", "3.252.0": "building" });
    world.putReleased("3.253.0");
    for (const language of ["golang", "python"]) {
      const name = image(language, "3.253.0", "released").replace(/v[\d.]+$/, "latest");
      world.feed.addImage({ name, version: "3.253.0", revision: tried });
    }
    const again = await world.look();
    expect(verdicts(again.watch)).toEqual({ "3.253.0": "done", "3.252.0": "building" });
    expect(again.text).toMatch(/no changes$/);
  });

  it("leaves to try what is of another commit than its tag, and what a silent source may have withdrawn", async () => {
    world.feed.releases = [{ version: "3.253.0", hoursAgo: 50 }];
    await world.configure(["promote: { production: after, afterHours: 0 }"]);
    await world.look();
    const [tried, other] = [(await world.tags.git("rev-parse", "HEAD")).trim(), "f".repeat(40)];
    const put = (revision: string) => {
      for (const language of ["golang", "python"]) world.feed.addImage({ name: image(language, "3.253.0"), revision });
    };
    put(other);
    const strange = await world.look();
    expect(verdicts(strange.watch)).toEqual({ "3.253.0": "building" });
    expect(strange.text).toContain(`of commit ${tried.slice(0, 12)} (there of commit ffffffffffff)`);
    put(tried);
    const more = ["promote: { production: after, afterHours: 0 }"];
    const file = watchFile(world.feed, more, { sources: ["github", "npm", "pypi"] });
    await writeFile(world.config, file);
    world.feed.refusals.set("/pypi", { status: 401 });
    const silent = await world.look();
    expect(silent.text).toBe(
      [
        "3.253.0  waiting  tried for 0 h, but pypi did not say whether it is withdrawn",
        `pypi did not answer: ${world.feed.host} answered 401`,
        "no changes",
      ].join("\n"),
    );
    world.feed.refusals.clear();
    world.feed.releases = [{ version: "3.253.0", hoursAgo: 50, yanked: "bad" }];
    expect((await world.look()).text).toBe("3.253.0  withdrawn  pypi: yanked: bad\nno changes");
    world.feed.releases = [{ version: "3.253.0", hoursAgo: 50 }];
    expect(verdicts((await world.look()).watch)).toEqual({ "3.253.0": "promote" });
  });

  it("pushes again what failed in production, at the same commit, and says so once it failed again", async () => {
    world.feed.releases = [{ version: "3.253.0", hoursAgo: 500 }];
    const commit = (await world.tags.git("rev-parse", "HEAD")).trim();
    const failed = async (attempt: number) => {
      const date = new Date(Date.now() - 80 * 3_600_000).toISOString();
      const env = { ...process.env, ...GIT_ENV, GIT_COMMITTER_DATE: date };
      const tag = ["tag", "-f", "-a", "-m", tagMessage("tried", attempt), "v3.253.0", commit];
      await run("git", tag, { cwd: world.tags.checkout, env });
      await world.tags.git("push", "--quiet", "--force", "origin", "v3.253.0");
    };
    await failed(1);
    await world.tags.commit({ a: "2" });
    // The remote takes tags away and no new ones: nothing is lost, since the tag to try is there and production follows it.
    const hook = path.join(world.tags.bare, "hooks/update");
    await writeFile(hook, "#!/bin/sh\ncase $3 in *[1-9a-f]*) echo no >&2; exit 1 ;; esac\n", { mode: 0o755 });
    const refused = await world.look();
    expect([refused.exitCode, refused.watch.tags]).toEqual([
      1,
      [
        {
          tag: "v3.253.0",
          outcome: "failed",
          fault: expect.stringMatching(/^it was removed, and .*: git push/) as string,
        },
      ],
    ]);
    await rm(hook);
    await failed(1);
    await world.tags.git("push", "--quiet", "origin", "main");
    const first = await world.look();
    expect(verdicts(first.watch)).toEqual({ "3.253.0": "retry" });
    expect(first.text).toMatch(/did not come in 80 h; attempt 2 of 2; v3\.253\.0 pushed\n1 of 1 tags pushed/);
    const remote = (await run("git", ["cat-file", "tag", "v3.253.0"], { cwd: world.tags.bare })).stdout;
    expect(remote).toContain(`object ${commit}`);
    expect(remote).toContain("\n\nAttempt: 2\n");
    // For the next run it is on its way, and no other version waits for it.
    world.feed.releases = [...world.feed.releases, { version: "3.254.0", hoursAgo: 50 }];
    expect(verdicts((await world.look()).watch)).toEqual({ "3.254.0": "release", "3.253.0": "building" });
    await failed(2);
    const second = await world.look();
    expect([verdicts(second.watch)["3.253.0"], second.exitCode, second.watch.tags]).toEqual(["failed", 3, []]);
    world.putReleased("3.253.0");
    expect(verdicts((await world.look()).watch)["3.253.0"]).toBe("done");
  });
});
