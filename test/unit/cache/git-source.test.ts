import { execFile } from "node:child_process";
import fc from "fast-check";
import { access, readdir, readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { parseGitSource, readyGitSource } from "../../../cache/git-source.ts";
import { silent, type Progress } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { writeText } from "./cache-directory.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

describe("parseGitSource", () => {
  it.each<[string, string, string]>([
    [`https://github.com/acme/infra.git#${COMMIT}`, "https://github.com/acme/infra.git", "."],
    [`https://dev.azure.com/org/p/_git/r#${COMMIT}:a`, "https://dev.azure.com/org/p/_git/r", "a"],
    [`ssh://git@host:22/acme/infra#${COMMIT}:a/b c`, "ssh://git@host:22/acme/infra", "a/b c"],
    [`git@github.com:acme/infra.git#${COMMIT}:./a`, "git@github.com:acme/infra.git", "./a"],
    [`file:///srv/git/infra#${COMMIT}:a:b#c`, "file:///srv/git/infra", "a:b#c"],
  ])("reads %s", (text, url, directory) => {
    expect(parseGitSource(text)).toEqual({ url, commit: COMMIT, directory });
  });

  it("takes a SHA-256 commit", () => {
    expect(parseGitSource(`https://host/x#${COMMIT}${COMMIT.slice(0, 24)}`)?.commit).toHaveLength(64);
  });

  it.each([".", "./a#b", "/srv/a", "a@b", "C:\\x", "ext::sh -c touch% x", "--upload-pack=touch x", "-x@host:path", ""])(
    "takes %j for a path, which Git never sees",
    (text) => {
      expect(parseGitSource(text)).toBeUndefined();
    },
  );

  it.each<[string, RegExp]>([
    ["https://host/x", /^--source https:\/\/host\/x names no commit$/],
    ["https://host/x#", /names no commit/],
    ["https://host/x#main", /names "main", which is no commit/],
    [`https://host/x#${COMMIT.slice(0, 12)}`, /which is no commit/],
    [`https://host/x#${COMMIT.toUpperCase()}`, /which is no commit/],
    [`https://host/x#${COMMIT}\n`, /which is no commit/],
    ["https://host/x#--upload-pack=touch x", /which is no commit/],
    [`https://host/x#${COMMIT}:`, /names the directory "", which is not below the repository/],
    [`https://host/x#${COMMIT}:/etc`, /the directory "\/etc"/],
    [`https://host/x#${COMMIT}:a/../../b`, /the directory "a\/\.\.\/\.\.\/b"/],
    [`http://host/x#${COMMIT}`, /is not encrypted/],
    [`git://host/x#${COMMIT}`, /is not encrypted/],
    [`HTTP://user:s3cret@host/x#${COMMIT}`, /is not encrypted/],
    [`https://user:s3cret@host/x#${COMMIT}`, /has a login in it/],
    [`ssh://user:s3cret@host/x#${COMMIT}`, /has a login in it/],
    [`HTTPS://user:s3cret@host/x#${COMMIT}`, /has a login in it/],
    [`https://host/x?access_token=s3cret#${COMMIT}`, /host\/x\?… has a login in it/],
    [`https://token@host/x#${COMMIT}`, /https:\/\/…@host\/x has a login in it/],
    ["ssh://git@host/x#main", /ssh:\/\/…@host\/x names "main"/],
  ])("refuses %j, and shows no login", (text, says) => {
    expect(() => parseGitSource(text)).toThrow(expect.objectContaining({ kind: "usage" }));
    expect(() => parseGitSource(text)).toThrow(says);
    expect(() => parseGitSource(text)).not.toThrow(/s3cret|token/);
  });

  it("reads back what it is written from", () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9_ ü-]{1,8}$/);
    const url = fc
      .tuple(fc.constantFrom("https://host/", "ssh://git@host/", "git@host:", "file:///"), segment)
      .map(([start, name]) => `${start}${name}`);
    const directory = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(url, fc.stringMatching(/^[0-9a-f]{40}$/), directory, (address, commit, below) => {
        expect(parseGitSource(`${address}#${commit}:${below}`)).toEqual({ url: address, commit, directory: below });
      }),
    );
  });
});

describe("readyGitSource", () => {
  let home: string;
  let url: string;
  let first: string;
  let second: string;

  async function git(...args: readonly string[]): Promise<string> {
    const settings = [
      "-c",
      "user.name=a",
      "-c",
      "user.email=a@b",
      "-c",
      "core.autocrlf=false",
      "-c",
      "init.defaultBranch=main",
    ];
    const { stdout } = await promisify(execFile)("git", [...settings, ...args], { cwd: path.join(home, "origin") });
    return stdout.trim();
  }

  async function commit(): Promise<string> {
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "x");
    return git("rev-parse", "HEAD");
  }

  beforeEach(async () => {
    vi.stubEnv("GIT_CONFIG_GLOBAL", "/dev/null");
    home = await temporaryDirectory();
    url = `file://${home}/origin`;
    await writeText(path.join(home, "origin/m/main.go"), "package main\r\n// first\r\n");
    await git("init", "--quiet");
    first = await commit();
    await writeText(path.join(home, "origin/m/main.go"), "package main\r\n// second\r\n");
    second = await commit();
  });

  const ready = (commitId: string, directory = ".", progress: Progress = silent) =>
    readyGitSource({ url, commit: commitId, directory }, path.join(home, "sources"), progress);
  const left = async () => (await readdir(path.join(home, "sources"))).filter((name) => !name.endsWith(".lock"));

  it("checks the named commit out, older ones too, without Git's own files and with CRLF as it is", async () => {
    const checkout = await ready(first);
    expect(path.isAbsolute(checkout)).toBe(true);
    expect(await readdir(checkout)).toEqual(["m"]);
    expect(await readFile(path.join(checkout, "m/main.go"), "utf8")).toBe("package main\r\n// first\r\n");
    expect(await readFile(path.join(await ready(second), "m/main.go"), "utf8")).toContain("// second");
    expect(await left()).toHaveLength(2);
  });

  it("leaves the repository alone that the caller's environment names, as in a hook", async () => {
    vi.stubEnv("GIT_DIR", path.join(home, "origin/.git"));
    vi.stubEnv("GIT_INDEX_FILE", path.join(home, "origin/.git/index"));
    expect(await readdir(await ready(first))).toEqual(["m"]);
    vi.unstubAllEnvs();
    expect(await git("rev-parse", "HEAD")).toBe(second);
    expect(await git("status", "--porcelain")).toBe("");
  });

  it("keeps the ends of lines whatever the caller's Git would make of them", async () => {
    await writeText(path.join(home, "origin/unix.go"), "package main\n");
    await writeText(path.join(home, "gitconfig"), "[core]\n\tautocrlf = true\n");
    vi.stubEnv("GIT_CONFIG_GLOBAL", path.join(home, "gitconfig"));
    const checkout = await ready(await commit());
    expect(await readFile(path.join(checkout, "unix.go"), "utf8")).toBe("package main\n");
    expect(await readFile(path.join(checkout, "m/main.go"), "utf8")).toBe("package main\r\n// second\r\n");
  });

  it("fetches nothing the second time, not even from a repository that is gone", async () => {
    const checkout = await ready(first);
    const step = vi.fn();
    await promisify(execFile)("mv", [path.join(home, "origin"), path.join(home, "gone")]);
    expect(await ready(first, ".", { ...silent, step })).toBe(checkout);
    expect(step).not.toHaveBeenCalled();
  });

  it("gives a directory of it, and refuses one that is not there or leads out", async () => {
    await symlink("/", path.join(home, "origin/away"));
    const third = await commit();
    expect(await readdir(await ready(third, "m"))).toEqual(["main.go"]);
    for (const directory of ["no", "m/main.go", "away/etc"]) {
      await expect(ready(third, directory)).rejects.toMatchObject({
        kind: "usage",
        message: `${url} has no directory ${directory} at ${third}`,
      });
    }
  });

  it.each([
    ["a commit that nobody has", () => COMMIT],
    ["a repository that is not there", () => first],
  ])("says what cannot be reached for %s, and leaves nothing half-written", async (what, id) => {
    if (what.startsWith("a repository")) url = `file://${home}/nowhere`;
    await expect(ready(id())).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining(`${url} does not give ${id()}: `) as string,
    });
    expect(await left()).toEqual([]);
  });

  it("begins afresh where an earlier run broke off", async () => {
    const checkout = await ready(first);
    await promisify(execFile)("mv", [checkout, `${checkout}.partial`]);
    await writeText(`${checkout}.partial/m/half.go`, "half");
    expect(await readdir(path.join(await ready(first), "m"))).toEqual(["main.go"]);
    expect(await left()).toEqual([path.basename(checkout)]);
  });

  it("fetches branches and tags from a server that gives no commit by itself", async () => {
    // Protocol 0 offers what branches and tags point to alone, as old servers do.
    vi.stubEnv("GIT_CONFIG_COUNT", "1");
    vi.stubEnv("GIT_CONFIG_KEY_0", "protocol.version");
    vi.stubEnv("GIT_CONFIG_VALUE_0", "0");
    expect(await readFile(path.join(await ready(first), "m/main.go"), "utf8")).toContain("// first");
  });

  it("runs neither hooks nor what an address would have Git run", async () => {
    const trap = path.join(home, "trapped");
    await writeText(path.join(home, "hooks/post-checkout"), `#!/bin/sh\ntouch ${trap}\n`);
    await promisify(execFile)("chmod", ["755", path.join(home, "hooks/post-checkout")]);
    await writeText(path.join(home, "gitconfig"), `[core]\n\thooksPath = ${home}/hooks\n`);
    vi.stubEnv("GIT_CONFIG_GLOBAL", path.join(home, "gitconfig"));
    await ready(first);
    for (const address of [`--upload-pack=touch ${trap}`, `ext::sh -c touch% ${trap}`]) {
      url = address;
      await expect(ready(first)).rejects.toMatchObject({ kind: "unreachable" });
    }
    await expect(access(trap)).rejects.toThrow("ENOENT");
  });

  it("two at once share one checkout", async () => {
    const [one, other] = await Promise.all([ready(first), ready(first)]);
    expect(one).toBe(other);
    expect(await left()).toHaveLength(1);
  });
});
