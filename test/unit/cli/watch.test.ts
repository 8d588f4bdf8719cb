import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { exitCodeOf, watchCommand, watchText } from "../../../cli/watch.ts";
import type { Watch } from "../../../release/watch/watch.ts";
import { silent } from "../../../progress.ts";
import { run } from "../../../toolchain/process.ts";
import { gitRepository, type GitRepository } from "../release/github/git-repository.ts";
import { ReleaseFeed, watchFile } from "../../support/release-feed.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const PROJECT = path.join(import.meta.dirname, "../../..");

let feed: ReleaseFeed;
let tags: GitRepository;
let folder: string;

beforeEach(async () => {
  [feed, tags, folder] = await Promise.all([ReleaseFeed.start(), gitRepository({ a: "1" }), temporaryDirectory()]);
  for (const name of ["KILN_APP_TOKEN", "KILN_APP_ID", "KILN_APP_PRIVATE_KEY_FILE", "GITHUB_REPOSITORY"]) {
    vi.stubEnv(name, "");
  }
  vi.stubEnv("KILN_CACHE_DIR", path.join(folder, "cache"));
  await configure([]);
});

async function configure(more: readonly string[]): Promise<void> {
  await writeFile(path.join(folder, "watch.yaml"), watchFile(feed, more));
}

function words(...more: readonly string[]): readonly string[] {
  const registry = `preproduction=${feed.host}/kiln`;
  return ["--config", path.join(folder, "watch.yaml"), "--checkout", tags.checkout, "--registry", registry, ...more];
}

/** One look in this process. */
async function look(more: Readonly<Record<string, boolean>> = {}) {
  const [, config = "", , checkout = "", , registry = ""] = words();
  const values = { once: true, config, checkout, registry: [registry], ...more };
  const { json, text, exitCode = 0 } = await watchCommand.run({ values, positionals: [], progress: silent });
  return { watch: json as Watch, text, exitCode };
}

/** One look by the command itself, as a person or a workflow starts it. */
async function command(): Promise<{ readonly code: number; readonly watch: Watch }> {
  const args = [path.join(PROJECT, "cli/kiln.mjs"), "watch", "--once", "--json", ...words()];
  const { code, stdout } = await run(process.execPath, args, { env: process.env, allowFailure: true });
  return { code, watch: JSON.parse(stdout) as Watch };
}

async function remoteTags(): Promise<readonly string[]> {
  const { stdout } = await run("git", ["tag", "--list"], { cwd: tags.bare });
  return stdout.split("\n").filter((name) => name !== "");
}

function verdicts({ versions }: Watch): Readonly<Record<string, string>> {
  return Object.fromEntries(versions.map(({ version, verdict }) => [version, verdict]));
}

function image(language: string, version: string): string {
  return `kiln/runner-pulumi-${language}:v${version}`;
}

describe("kiln watch --once", { timeout: 60_000 }, () => {
  it("releases what is new and what was missed, and nothing else; a second time it does nothing", async () => {
    feed.releases = [
      { version: "3.254.0-alpha.1", hoursAgo: 90, prerelease: true },
      { version: "3.253.2", hoursAgo: 3 },
      { version: "3.253.1", hoursAgo: 30, deprecated: "broken" },
      { version: "3.253.0", hoursAgo: 50 },
      { version: "3.252.1", hoursAgo: 80, on: ["github"] },
      { version: "3.252.0", hoursAgo: 100 },
      { version: "3.251.0", hoursAgo: 200 },
      { version: "3.250.0", hoursAgo: 300 },
      { version: "3.249.0", hoursAgo: 400 },
      { version: "nightly", hoursAgo: 60, on: ["github"] },
    ];
    await tags.git("tag", "-a", "-m", "by hand", "v3.250.0");
    await tags.git("push", "--quiet", "origin", "v3.250.0");
    await configure(["holds:", '  - { versions: ">=3.251.0 <3.252.0", reason: "needs another Go" }']);

    const first = await command();
    expect(first.code).toBe(0);
    expect(verdicts(first.watch)).toEqual({
      "3.254.0-alpha.1": "skipped",
      "3.253.2": "waiting",
      "3.253.1": "withdrawn",
      "3.253.0": "release",
      "3.252.1": "waiting",
      "3.252.0": "release",
      "3.251.0": "held",
      "3.250.0": "done",
    });
    expect(watchText(first.watch)).toContain("\npre-releases and drafts left out: 1\n");
    expect(watchText(first.watch)).not.toContain("alpha");
    expect(first.watch.malformed).toEqual([{ source: "github", name: "nightly" }]);
    expect(first.watch.tags).toEqual([
      { tag: "dev-v3.252.0", outcome: "pushed" },
      { tag: "dev-v3.253.0", outcome: "pushed" },
    ]);
    expect(await remoteTags()).toEqual(["dev-v3.252.0", "dev-v3.253.0", "v3.250.0"]);

    const second = await command();
    expect(second.code).toBe(0);
    expect(second.watch.tags).toEqual([]);
    expect(verdicts(second.watch)).toEqual({
      ...verdicts(first.watch),
      "3.253.0": "building",
      "3.252.0": "building",
    });
    expect(await remoteTags()).toEqual(["dev-v3.252.0", "dev-v3.253.0", "v3.250.0"]);
    // What is the same is not sent again.
    expect(feed.asked.filter((line) => line.includes("/releases") || line.includes("tool ")).map(lastWord)).toEqual([
      ...["200", "200", "304", "304"],
    ]);
  });

  it("takes to production what was tried, of the commit that was tried, once", async () => {
    feed.releases = [
      { version: "3.252.0", hoursAgo: 100 },
      { version: "3.253.0", hoursAgo: 50 },
    ];
    await configure(["promote: { production: after, afterHours: 0 }"]);
    await look();
    const tried = (await tags.git("rev-parse", "HEAD")).trim();
    await tags.commit({ a: "2" });
    await tags.git("push", "--quiet", "origin", "main");
    // 3.252.0 fails in one language, which does not stop the next version.
    for (const of of [image("golang", "3.252.0"), image("golang", "3.253.0"), image("python", "3.253.0")]) {
      feed.images.add(of);
    }
    const promoted = await look();
    expect(verdicts(promoted.watch)).toEqual({ "3.253.0": "promote", "3.252.0": "building" });
    expect(promoted.watch.tags.map(({ tag }) => tag)).toEqual(["v3.253.0", "latest-v3.253.0"]);
    for (const tag of ["v3.253.0", "latest-v3.253.0"]) {
      const { stdout } = await run("git", ["rev-parse", `${tag}^{commit}`], { cwd: tags.bare });
      expect(stdout.trim()).toBe(tried);
    }
    const again = await look();
    expect(verdicts(again.watch)).toEqual({ "3.253.0": "done", "3.252.0": "building" });
    expect(again.text).toMatch(/no changes$/);
  });

  it("shows what it would do, and does nothing", async () => {
    feed.releases = [{ version: "3.253.0", hoursAgo: 50 }];
    const { watch, text } = await look({ "dry-run": true });
    expect(watch.tags).toEqual([{ tag: "dev-v3.253.0", outcome: "dry run" }]);
    expect(text).toContain("3.253.0  release  new: known to github and npm; dev-v3.253.0 dry run");
    expect(text).toMatch(/dry run: 1 tag would be pushed to origin$/);
    expect(await remoteTags()).toEqual([]);
  });

  it("goes on with the next version where a tag cannot be pushed, and ends with 1", async () => {
    feed.releases = [
      { version: "3.252.0", hoursAgo: 100 },
      { version: "3.253.0", hoursAgo: 50 },
    ];
    const hook = "#!/bin/sh\ncase $1 in refs/tags/dev-v3.252.0) echo no >&2; exit 1 ;; esac\n";
    await writeFile(path.join(tags.bare, "hooks/update"), hook, { mode: 0o755 });
    const { watch, text, exitCode } = await look();
    expect(exitCode).toBe(1);
    expect(watch.tags.map(({ tag, outcome }) => [tag, outcome])).toEqual([
      ["dev-v3.252.0", "failed"],
      ["dev-v3.253.0", "pushed"],
    ]);
    expect(text).toContain("dev-v3.252.0 was not pushed: git push");
  });

  it("releases nothing where too few sources answer", async () => {
    feed.releases = [{ version: "3.253.0", hoursAgo: 50 }];
    feed.refusals.set("/@acme", { status: 401 });
    await expect(look()).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining("npm") as string,
    });
    expect(await remoteTags()).toEqual([]);
  });
});

describe("kiln watch", () => {
  it.each<[string, Readonly<Record<string, string | boolean | readonly string[]>>, RegExp]>([
    ["--json without an end", { json: true }, /--json prints one document/],
    ["no number of minutes", { every: "0" }, /--every 0/],
    ["another way", { once: true, via: "ftp" }, /--via ftp/],
    ["another environment", { once: true, registry: ["staging=a.b/c"] }, /--registry staging=a\.b\/c/],
    ["a file that is not there", { once: true, config: "/nowhere" }, /\/nowhere cannot be read/],
  ])("refuses %s", async (_, given, message) => {
    const values = { config: path.join(folder, "watch.yaml"), checkout: tags.checkout, ...given };
    const refused = watchCommand.run({ values, positionals: [], progress: silent });
    await expect(refused).rejects.toMatchObject({ kind: "usage", message: expect.stringMatching(message) as string });
  });

  it("ends with 3 where images of a version never came, and with 1 where a tag was not pushed", () => {
    const failed = [{ version: "1.0.0", verdict: "failed", reason: "", knownTo: [], tags: [] }] as const;
    expect(exitCodeOf({ tags: [], versions: failed })).toBe(3);
    expect(exitCodeOf({ tags: [{ tag: "v1.0.0", outcome: "failed" }], versions: failed })).toBe(1);
    expect(exitCodeOf({ tags: [], versions: [] })).toBe(0);
    expect(watchText({ repository: "r", dryRun: false, sources: [], versions: [], malformed: [], tags: [] })).toBe(
      "no changes",
    );
  });
});

it("prints what upstream says on one line, and obeys none of it", () => {
  const reason = "npm: deprecated: a\n::error::b \u001b[2J";
  const versions = [{ version: "1.0.0", verdict: "withdrawn", reason, knownTo: [], tags: [] }] as const;
  expect(watchText({ repository: "r", dryRun: false, sources: [], versions, malformed: [], tags: [] })).toBe(
    "1.0.0  withdrawn  npm: deprecated: a\u240a::error::b \u241b[2J\nno changes",
  );
});

function lastWord(line: string): string {
  return line.slice(line.lastIndexOf(" ") + 1);
}
