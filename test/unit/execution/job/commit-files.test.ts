import { existsSync } from "node:fs";
import { chmod, mkdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { extract } from "tar-stream";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { readCommit } from "../../../../execution/job/commit-files.ts";
import { inputTar, readInput, writeInputFolder } from "../../../../execution/job/input-folder.ts";
import { jobSecretData } from "../../../../execution/job/job-secret.ts";
import { jobManifest } from "../../../../execution/job/manifest.ts";
import { pinSource } from "../../../../execution/job/pinned-source.ts";
import { run } from "../../../../toolchain/process.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { aJob } from "./job-values.ts";

const SUBMODULE = "b".repeat(40);
const SCRIPT = "print('$Format:%H$')\r\n";
const ATTRIBUTES = [
  ...["*.schema.json export-ignore", "a.py export-subst", "*.dat filter=shout", "*.py text eol=lf", ""],
].join("\n");

let folder: string;

beforeEach(async () => {
  folder = await temporaryDirectory();
  await git("init", "--quiet", "--initial-branch=main");
});

const who = ["-c", "user.name=kiln", "-c", "user.email=kiln@example.com", "-c", "commit.gpgSign=false"];

async function git(...args: readonly string[]): Promise<string> {
  return (await run("git", [...who, "-C", folder, ...args])).stdout.trim();
}

async function write(name: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
  await writeFile(path.join(folder, name), text);
}

/** A commit of all that is in the folder, and of what `git update-index` is told beside. */
async function commit(...index: readonly string[]): Promise<string> {
  await git("add", "--all");
  if (index.length > 0) await git("update-index", "--add", "--cacheinfo", index.join(","));
  await git("commit", "--quiet", "--message=all");
  return git("rev-parse", "HEAD");
}

/** The commit of a tree whose one entry is called what no Git would call it. */
async function commitOfTree(entry: string): Promise<string> {
  const file = path.join(await temporaryDirectory(), "tree");
  await writeFile(file, "");
  const blob = await git("hash-object", "-w", file);
  await writeFile(file, Buffer.concat([Buffer.from(`100644 ${entry}\0`, "latin1"), Buffer.from(blob, "hex")]));
  const tree = await git("hash-object", "-t", "tree", "-w", "--literally", file);
  return git("commit-tree", "-m", "odd", tree);
}

const contentsOf = async (at: string, below = folder) =>
  Object.fromEntries((await readCommit(below, at)).map(({ name, content }) => [name, content.toString()]));

describe("the files of a commit", () => {
  it("are those that it has, whatever its attributes say of archives and work trees", async () => {
    await write(".gitattributes", ATTRIBUTES);
    await write("a.schema.json", "{}");
    await write("a.dat", "quiet");
    await write("deep/er/ä b\n.txt", "x");
    await write("empty", "");
    // As it is in the repository, which no attribute has normalised on the way in.
    const blob = path.join(await temporaryDirectory(), "blob");
    await writeFile(blob, SCRIPT);
    const at = await commit("100644", await git("hash-object", "-w", "--no-filters", blob), "a.py");
    expect(await contentsOf(at)).toEqual({
      ...{ ".gitattributes": ATTRIBUTES, "a.schema.json": "{}", "a.dat": "quiet", "a.py": SCRIPT },
      ...{ "deep/er/ä b\n.txt": "x", empty: "" },
    });
  });

  it("run no program that the repository's settings name, and are not those that others were put in the place of", async () => {
    const ran = path.join(await temporaryDirectory(), "ran");
    const program = path.join(await temporaryDirectory(), "program");
    await writeFile(program, `#!/bin/sh\ntouch ${ran}\ncat\n`);
    await chmod(program, 0o755);
    await write(".gitattributes", "*.py filter=shout diff=shout\n");
    await write("a.py", "true one");
    const at = await commit();
    const other = path.join(await temporaryDirectory(), "other");
    await writeFile(other, "put in its place");
    await git("replace", await git("rev-parse", "HEAD:a.py"), await git("hash-object", "-w", other));
    for (const key of ["filter.shout.smudge", "filter.shout.clean", "diff.shout.textconv", "core.fsmonitor"])
      await git("config", key, program);
    for (const key of ["core.pager", "core.sshCommand", "tar.tar.command"]) await git("config", key, program);
    expect((await contentsOf(at))["a.py"]).toBe("true one");
    expect(existsSync(ran)).toBe(false);
  });

  it("are not fetched by what a partial clone names for it", async () => {
    const ran = path.join(await temporaryDirectory(), "ran");
    await write("a.py", "1");
    const at = await commit();
    const blob = await git("rev-parse", "HEAD:a.py");
    await rm(path.join(folder, ".git/objects", blob.slice(0, 2), blob.slice(2)));
    const promised = { "remote.origin.promisor": "true", "remote.origin.partialclonefilter": "blob:none" };
    const settings = { "core.repositoryformatversion": "1", "extensions.partialClone": "origin", ...promised };
    for (const [key, value] of Object.entries(settings)) await git("config", key, value);
    await git("config", "remote.origin.url", `ext::touch ${ran}`);
    await git("config", "protocol.ext.allow", "always");
    await expect(readCommit(folder, at)).rejects.toThrow("does not give the files of the commit");
    expect(existsSync(ran)).toBe(false);
    // It is Git's setting that the absence is due to: left to itself it runs that.
    await run("git", ["-C", folder, "cat-file", "-p", blob], { allowFailure: true });
    expect(existsSync(ran)).toBe(true);
  });

  it("below a folder of the repository are those of that folder, by their names below it", async () => {
    await write("ops/jobs/a.py", "1");
    await write("b.py", "2");
    const at = await commit();
    expect(await contentsOf(at, path.join(folder, "ops"))).toEqual({ "jobs/a.py": "1" });
    await mkdir(path.join(folder, "new"));
    await expect(readCommit(path.join(folder, "new"), at)).rejects.toThrow("new is no folder of the commit");
    await expect(readCommit(folder, "c".repeat(40))).rejects.toThrow("is no folder of the commit");
    await expect(readCommit(await temporaryDirectory(), at)).rejects.toThrow("not a git repository");
  });

  it("keep the right to be run on every way into a container", async () => {
    await write("ops/restart.py", "1");
    await write("ops/tool", "#!/bin/sh\n");
    await chmod(path.join(folder, "ops/tool"), 0o755);
    const job = aJob({ source: { kind: "checkout", path: folder, commit: await commit() } });
    const modes = { "scripts/ops/restart.py": 0o444, "scripts/ops/tool": 0o555 };
    for (const source of [job.source, { kind: "directory", path: folder }]) {
      const input = await readInput(aJob({ source }));
      const written = await writeInputFolder(input, await temporaryDirectory());
      const tarred: Record<string, number | undefined> = {};
      for await (const entry of Readable.from([await inputTar(input, "scripts")]).pipe(extract())) {
        await buffer(entry);
        if (entry.header.type === "file") tarred[`scripts/${entry.header.name}`] = entry.header.mode;
      }
      expect(tarred).toEqual(modes);
      for (const [name, mode] of Object.entries(modes))
        expect((await stat(path.join(written, name))).mode & 0o777).toBe(mode);
      const { files } = jobSecretData({}, input);
      const volumes = jobManifest(job, { namespace: "jobs", files }).spec?.template.spec?.volumes;
      expect(volumes?.find(({ name }) => name === "input")?.secret).toMatchObject({
        defaultMode: 0o444,
        items: [
          { key: "input-0", path: "scripts/ops/restart.py" },
          { key: "input-1", path: "scripts/ops/tool", mode: 0o555 },
        ],
      });
    }
  });

  it("are refused with a submodule, in the words of the entrypoint", async () => {
    await write("a.py", "1");
    const at = await commit("160000", SUBMODULE, "vendored");
    await expect(readCommit(folder, at)).rejects.toMatchObject({
      kind: "usage",
      message: 'the repository has a submodule, "vendored": submodules are not fetched',
    });
  });

  it.each([
    ["/etc/passwd", 'the repository has a link that leads out of it: "ops/link"'],
    ["../../x", 'the repository has a link that leads out of it: "ops/link"'],
    ["../a.py", /^ops\/link in .* is no regular file$/],
    ["..b", /^ops\/link in .* is no regular file$/],
  ])("are refused with a link to %s", async (target, message) => {
    await write("a.py", "1");
    await mkdir(path.join(folder, "ops"));
    await symlink(target, path.join(folder, "ops/link"));
    const refused = expect.stringMatching(message) as string;
    await expect(readCommit(folder, await commit())).rejects.toMatchObject({ kind: "usage", message: refused });
  });

  it("are refused where they are too many or too large, before they are read", async () => {
    const [large, many] = [path.join(folder, "large"), path.join(folder, "many")];
    await writeFile(large, Buffer.alloc(65 * 1024 * 1024));
    await expect(readCommit(folder, await commit())).rejects.toThrow("too much for scripts");
    await rm(large);
    await mkdir(many);
    await Promise.all(Array.from({ length: 10_001 }, (_, number) => writeFile(path.join(many, `${number}`), "")));
    await expect(readCommit(folder, await commit())).rejects.toThrow("too much for scripts");
  });

  it.each(["..", ".", ".GIT", "a\xff"])("are refused with one that is called %j", async (name) => {
    const at = await commitOfTree(name);
    await expect(readCommit(folder, at)).rejects.toThrow("is no name that a file of scripts can have");
  });

  it("are of the commit that a ref is, not of one that was put in its place", async () => {
    await write("a.py", "1");
    const first = await commit();
    await git("tag", "--annotate", "--message=one", "v1");
    await write("a.py", "2");
    await git("replace", await git("rev-parse", "v1"), await commit(), "-f");
    expect(await pinSource(folder, "v1")).toMatchObject({ kind: "checkout", commit: first, ref: "v1" });
  });
});
