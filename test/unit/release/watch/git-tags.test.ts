import { describe, expect, it } from "vitest";
import { gitTags, remoteTags } from "../../../../release/watch/git-tags.ts";
import { gitRepository, type GitRepository } from "../github/git-repository.ts";
import { run } from "../../../../toolchain/process.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const [A, B] = ["a", "b"].map((digit) => digit.repeat(40)) as [string, string];

function tagsOf({ checkout }: GitRepository) {
  const author = { name: "kiln watch", email: "kiln@example.com" };
  return gitTags({ checkout, remote: "origin", env: {}, author, now: () => NOW });
}

describe("tags by Git", { timeout: 60_000 }, () => {
  it("are those of the grammar, with the commit behind an annotated one", () => {
    const text = `${A}\trefs/tags/dev-v1.0.0\n${B}\trefs/tags/dev-v1.0.0^{}\n${A}\trefs/tags/v1.0.0\n${A}\trefs/tags/other\n`;
    expect(remoteTags(text)).toEqual(["dev-v1.0.0", "v1.0.0"]);
  });

  it("are pushed annotated and dated, without one in the checkout, and never moved", async () => {
    const repository = await gitRepository({ a: "1" });
    const tags = tagsOf(repository);
    const head = await tags.readHead("main");
    expect(await tags.push({ name: "dev-v1.0.0", commit: head, message: "why" })).toBe("pushed");
    expect(await tags.readTags()).toEqual(["dev-v1.0.0"]);
    expect(await tags.readTime("dev-v1.0.0")).toBe(NOW);
    expect(await repository.git("tag", "--list")).toBe("");
    const other = await repository.commit({ a: "2" });
    expect(await tags.push({ name: "dev-v1.0.0", commit: other, message: "again" })).toBe("there");
    expect(await tags.readCommit("dev-v1.0.0")).toBe(head);
    const { stdout } = await run("git", ["tag", "-n1", "--list"], { cwd: repository.bare });
    expect(stdout).toMatch(/dev-v1\.0\.0 +why/);
  });

  it("say no time where they are lightweight", async () => {
    const repository = await gitRepository({ a: "1" });
    await repository.git("push", "--quiet", "origin", "HEAD:refs/tags/dev-v1.0.0");
    expect(await tagsOf(repository).readTime("dev-v1.0.0")).toBeUndefined();
  });

  it("know a commit that only the tried tag leads to, and no tag that is gone", async () => {
    const repository = await gitRepository({ a: "1" });
    const tags = tagsOf(repository);
    const tree = ["commit-tree", "-m", "x", "HEAD^{tree}"];
    const tried = (await run("git", tree, { cwd: repository.bare, env: identity() })).stdout.trim();
    await run("git", ["tag", "dev-v1.0.0", tried], { cwd: repository.bare });
    expect(await tags.readCommit("dev-v1.0.0")).toBe(tried);
    expect(await tags.push({ name: "latest-v1.0.0", commit: tried, message: "why" })).toBe("pushed");
    await expect(tags.readCommit("dev-v2.0.0")).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("say which remote cannot be reached", async () => {
    const repository = await gitRepository({ a: "1" });
    await repository.git("remote", "set-url", "origin", "/nowhere.git");
    await expect(tagsOf(repository).readTags()).rejects.toMatchObject({ kind: "unreachable" });
  });
});

function identity(): NodeJS.ProcessEnv {
  const names = ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"];
  return { ...process.env, ...Object.fromEntries(names.map((name) => [name, "test@example.com"])) };
}
