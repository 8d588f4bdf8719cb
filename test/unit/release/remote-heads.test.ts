import { rm } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { requireFetched, unfetchedHeads } from "../../../release/remote-heads.ts";
import { run } from "../../../toolchain/process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

let origin: string;
let clone: string;

function git(cwd: string, ...args: readonly string[]) {
  const who = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
  return run("git", [...who, ...args], { cwd });
}

const commit = () => git(origin, "commit", "--quiet", "--allow-empty", "--message", "One more");
const check = (mayLack = false) => requireFetched(clone, { mayLack });

beforeEach(async () => {
  const home = await temporaryDirectory();
  [origin, clone] = [path.join(home, "origin"), path.join(home, "clone")];
  await git(home, "init", "--quiet", "--initial-branch=main", origin);
  await commit();
  await git(home, "clone", "--quiet", origin, clone);
});

describe("a clone that something is deleted from", () => {
  it("has every branch of origin as it is now", async () => {
    await check();
    await commit();
    const behind = { kind: "usage", mend: expect.stringContaining("git fetch --prune origin") as string };
    for (const mayLack of [false, true]) await expect(check(mayLack)).rejects.toMatchObject(behind);
    await git(clone, "fetch", "--quiet", "--prune", "origin");
    await check();
    await git(origin, "branch", "promote/prod");
    await expect(check()).rejects.toMatchObject({
      ...behind,
      message: expect.stringContaining("does not have promote/prod as of now") as string,
    });
  });

  it("may have branches that origin has no more, and commits of its own", async () => {
    await git(origin, "branch", "merged");
    await git(clone, "fetch", "--quiet", "origin");
    await git(origin, "branch", "--delete", "merged");
    await git(clone, "commit", "--quiet", "--allow-empty", "--message", "Not pushed");
    await check();
  });

  it("needs an origin only where others can use what it deletes", async () => {
    await git(clone, "remote", "remove", "origin");
    await check(true);
    await expect(check()).rejects.toMatchObject({ kind: "usage" });
  });

  it("is not trusted where origin does not answer", async () => {
    await rm(origin, { recursive: true });
    await expect(check(true)).rejects.toMatchObject({ kind: "unreachable" });
  });
});

describe("unfetchedHeads", () => {
  it("names what is at another commit, or not here", () => {
    const here = new Map([
      ["main", "a"],
      ["old", "b"],
      ["HEAD", "a"],
    ]);
    expect(
      unfetchedHeads(
        new Map([
          ["main", "a"],
          ["old", "c"],
          ["new", "a"],
        ]),
        here,
      ),
    ).toEqual(["old", "new"]);
    expect(unfetchedHeads(new Map(), here)).toEqual([]);
  });
});
