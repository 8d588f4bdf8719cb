import { writeFile } from "node:fs/promises";
import path from "node:path";
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
    expect(await tags.readTag("dev-v1.0.0")).toMatchObject({ commit: head, made: NOW, message: "why" });
    expect(await repository.git("for-each-ref", "--format=%(refname)")).toBe(
      "refs/heads/main\nrefs/remotes/origin/main\n",
    );
    const other = await repository.commit({ a: "2" });
    expect(await tags.push({ name: "dev-v1.0.0", commit: other, message: "again" })).toBe("there");
    expect((await tags.readTag("dev-v1.0.0")).commit).toBe(head);
    const { stdout } = await run("git", ["tag", "-n1", "--list"], { cwd: repository.bare });
    expect(stdout).toMatch(/dev-v1\.0\.0 +why/);
  });

  it("are removed and made anew as long as nobody else has done so", async () => {
    const repository = await gitRepository({ a: "1" });
    const tags = tagsOf(repository);
    const tag = { name: "v1.0.0", commit: await tags.readHead("main"), message: "why" };
    await tags.push(tag);
    const seen = await tags.readTag("v1.0.0");
    expect(await tags.remove(seen)).toBe("removed");
    expect(await tags.remove(seen)).toBe("gone");
    await tags.push({ ...tag, message: "again" });
    expect(await tags.remove(seen)).toBe("changed");
    expect((await tags.readTag("v1.0.0")).message).toBe("again");
  });

  it("say that the remote takes none away, where it does not, and stay as they are", async () => {
    const repository = await gitRepository({ a: "1" });
    const tags = tagsOf(repository);
    await tags.push({ name: "v1.0.0", commit: await tags.readHead("main"), message: "why" });
    await writeFile(path.join(repository.bare, "hooks/update"), "#!/bin/sh\necho no >&2; exit 1\n", { mode: 0o755 });
    const seen = await tags.readTag("v1.0.0");
    await expect(tags.remove(seen)).rejects.toThrow(/git push --quiet failed: .*hook declined/s);
    expect(await tags.readTag("v1.0.0")).toEqual(seen);
  });

  it("are pushed by one of two looks at once in the same checkout", async () => {
    const repository = await gitRepository({ a: "1" });
    const looks = await Promise.all(
      [1, 2, 3].map(async (number) => {
        const tags = tagsOf(repository);
        const commit = await tags.readHead("main");
        return tags.push({ name: "v1.0.0", commit, message: `why ${number}` });
      }),
    );
    expect([...looks].sort()).toEqual(["pushed", "there", "there"]);
  });

  it("say no time where they are lightweight", async () => {
    const repository = await gitRepository({ a: "1" });
    await repository.git("push", "--quiet", "origin", "HEAD:refs/tags/dev-v1.0.0");
    const { made, message, commit } = await tagsOf(repository).readTag("dev-v1.0.0");
    expect([made, message, commit]).toEqual([undefined, "", (await repository.git("rev-parse", "HEAD")).trim()]);
  });

  it("know a commit that only the tried tag leads to, and no tag that is gone", async () => {
    const repository = await gitRepository({ a: "1" });
    const tags = tagsOf(repository);
    const tree = ["commit-tree", "-m", "x", "HEAD^{tree}"];
    const tried = (await run("git", tree, { cwd: repository.bare, env: identity() })).stdout.trim();
    await run("git", ["tag", "dev-v1.0.0", tried], { cwd: repository.bare });
    expect((await tags.readTag("dev-v1.0.0")).commit).toBe(tried);
    expect(await tags.push({ name: "latest-v1.0.0", commit: tried, message: "why" })).toBe("pushed");
    await run("git", ["update-ref", "refs/heads/main", tried], { cwd: repository.bare });
    expect(await tags.readHead("main")).toBe(tried);
    // What the checkout knows of its remote is what its owner last fetched.
    expect(await repository.git("rev-parse", "origin/main")).toBe(await repository.git("rev-parse", "HEAD"));
    await expect(tags.readTag("dev-v2.0.0")).rejects.toThrow(/origin has no tag dev-v2\.0\.0 any more/);
    await expect(tags.readHead("trunk")).rejects.toMatchObject({ kind: "usage" });
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
