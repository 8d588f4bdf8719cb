import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { run } from "../../../../toolchain/process.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

/** A Git that knows of nobody's settings: a test commits as the same person everywhere. */
export const GIT_ENV: NodeJS.ProcessEnv = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: "test",
  GIT_AUTHOR_EMAIL: "test@example.com",
  GIT_COMMITTER_NAME: "test",
  GIT_COMMITTER_EMAIL: "test@example.com",
};

/** A checkout of a bare repository, both in folders of the running test. */
export interface GitRepository {
  readonly checkout: string;
  readonly bare: string;
  readonly git: (...args: readonly string[]) => Promise<string>;
  /** Writes files and commits all that changed. Gives the commit. */
  readonly commit: (files: Readonly<Record<string, string>>) => Promise<string>;
}

/** Makes both, with the branch main and one commit of these files pushed. */
export async function gitRepository(files: Readonly<Record<string, string>>): Promise<GitRepository> {
  const folder = await temporaryDirectory();
  const [checkout, bare] = [path.join(folder, "checkout"), path.join(folder, "bare.git")];
  const env = { ...process.env, ...GIT_ENV };
  const git = async (...args: readonly string[]) => (await run("git", args, { cwd: checkout, env })).stdout;
  const commit = async (written: Readonly<Record<string, string>>) => {
    for (const [name, content] of Object.entries(written)) {
      await mkdir(path.dirname(path.join(checkout, name)), { recursive: true });
      await writeFile(path.join(checkout, name), content);
    }
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "a change");
    return (await git("rev-parse", "HEAD")).trim();
  };
  await mkdir(checkout);
  await git("init", "--quiet", "--initial-branch=main");
  await run("git", ["init", "--quiet", "--bare", "--initial-branch=main", bare], { env });
  await git("remote", "add", "origin", bare);
  await commit(files);
  await git("push", "--quiet", "origin", "main");
  return { checkout, bare, git, commit };
}
