import { describe, expect, it } from "vitest";
import { loginEnvironment, parseNameStatus, readChanges, readOrigin } from "../../../../release/github/git.ts";
import { run } from "../../../../toolchain/process.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { FakeGithub } from "./fake-github.ts";
import { GIT_ENV, gitRepository } from "./git-repository.ts";

describe("parseNameStatus", () => {
  it("reads changes, additions, deletions, renames and copies", () => {
    const text = "M\0a b\0A\0ü\0D\0gone\0R087\0old\0new\0C100\0from\0copy\0T\0link\0";
    expect(parseNameStatus(text)).toEqual([
      { path: "a b", deleted: false },
      { path: "ü", deleted: false },
      { path: "gone", deleted: true },
      { path: "new", before: "old", deleted: false },
      { path: "copy", deleted: false },
      { path: "link", deleted: false },
    ]);
    expect(parseNameStatus("")).toEqual([]);
  });
});

describe("readChanges", { timeout: 60_000 }, () => {
  it("counts from where the branch left its base, with renames", async () => {
    const content = "a line\n".repeat(20);
    const { checkout, git, commit } = await gitRepository({ "docs/a.md": content, "b.ts": "b" });
    await git("switch", "--quiet", "--create", "topic");
    await git("mv", "docs/a.md", "docs/c.md");
    await git("rm", "--quiet", "b.ts");
    await commit({ "stacks/Pulumi.dev.yaml": "config: {}\n" });
    await git("switch", "--quiet", "main");
    await commit({ "on-main-alone.ts": "1" });
    const changes = await readChanges(checkout, "main", "topic");
    expect(changes).toHaveLength(3);
    expect(changes).toEqual(
      expect.arrayContaining([
        { path: "b.ts", deleted: true },
        { path: "docs/c.md", before: "docs/a.md", deleted: false },
        { path: "stacks/Pulumi.dev.yaml", deleted: false },
      ]),
    );
  });

  it("takes zeros for an empty repository", async () => {
    const { checkout } = await gitRepository({ "a.ts": "1", "b.ts": "2" });
    const changes = await readChanges(checkout, "0".repeat(40), "HEAD");
    expect(changes.map(({ path }) => path)).toEqual(["a.ts", "b.ts"]);
  });

  it.each(["nowhere", "--output=/tmp/x", "0000000"])("refuses %s, which is no commit here", async (base) => {
    const { checkout } = await gitRepository({ "a.ts": "1" });
    await expect(readChanges(checkout, base, "HEAD")).rejects.toMatchObject({
      kind: "usage",
      message: `there is no commit ${base} in this checkout`,
    });
  });

  it("says that histories have nothing in common", async () => {
    const { checkout, git, commit } = await gitRepository({ "a.ts": "1" });
    await git("switch", "--quiet", "--orphan", "other");
    await commit({ "b.ts": "1" });
    await expect(readChanges(checkout, "main", "other")).rejects.toThrow(/no commit in common/);
  });
});

describe("readOrigin", { timeout: 60_000 }, () => {
  it("gives the address, and nothing where there is none", async () => {
    const { checkout, bare } = await gitRepository({ "a.ts": "1" });
    expect(await readOrigin(checkout)).toBe(bare);
    expect(await readOrigin(await temporaryDirectory())).toBeUndefined();
  });
});

describe("loginEnvironment", { timeout: 60_000 }, () => {
  it("makes Git send this login instead of one that the checkout was left with, to that host alone", async () => {
    const [github, other] = [await FakeGithub.start(), await FakeGithub.start()];
    const { checkout, git } = await gitRepository({ "a.ts": "1" });
    for (const { address } of [github, other])
      await git("config", `http.${address}/.extraheader`, "AUTHORIZATION: basic old");
    const given = {
      ...process.env,
      ...GIT_ENV,
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "a.b",
      GIT_CONFIG_VALUE_0: "kept",
    };
    const env = { ...given, ...loginEnvironment({ host: `${github.address}/`, token: "t" }, given) };
    for (const { address } of [github, other]) {
      await run("git", ["ls-remote", `${address}/acme/infra.git`], { cwd: checkout, env, allowFailure: true });
    }
    const sent = ({ asked }: FakeGithub) => new Set(asked.map(({ authorization }) => authorization));
    expect(sent(github)).toEqual(new Set([`basic ${Buffer.from("x-access-token:t").toString("base64")}`]));
    expect(sent(other)).toEqual(new Set(["basic old"]));
    expect((await run("git", ["config", "a.b"], { cwd: checkout, env })).stdout.trim()).toBe("kept");
  });
});
