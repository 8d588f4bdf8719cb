import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { stackFile } from "../../settings.ts";
import { LOCAL_STACKS } from "../../toolchain/local-stacks.ts";
import { run } from "../../toolchain/process.ts";
import { kiln, makeCheckout, PROJECT, removeCheckout, type Checkout, type KilnResult } from "./checkout.ts";

/** The project with its workflows, committed and tagged; its local stacks bake the fixture's programs. */
export class ReleaseCheckout {
  readonly checkout: Checkout;
  /** A folder with an npm of the test's own. */
  readonly #programs: string;

  private constructor(checkout: Checkout, programs: string) {
    this.checkout = checkout;
    this.#programs = programs;
  }

  static async make(tag: string): Promise<ReleaseCheckout> {
    const checkout = await makeCheckout();
    const { directory } = checkout;
    for (const stack of LOCAL_STACKS) {
      const file = path.join(directory, stackFile(stack));
      const source = '  kiln:source:\n    path: test/fixtures/programs\n    modules: "{provider}/{module}"\n';
      await writeFile(file, `${(await readFile(file, "utf8")).trimEnd()}\n${source}`);
    }
    await rm(path.join(directory, "node_modules"));
    const who = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
    const git = (...args: readonly string[]) => run("git", [...who, ...args], { cwd: directory });
    await git("init", "--quiet", "--initial-branch", "main");
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "Release the fixture");
    await git("tag", tag);
    // The command itself runs from the checkout; its jobs see only what is committed.
    await symlink(path.join(PROJECT, "node_modules"), path.join(directory, "node_modules"));
    return new ReleaseCheckout(checkout, await writeNpm());
  }

  /** `kiln release run --json` of a tag, for the stack `local` in two shards. */
  release(tag: string, ...flags: readonly string[]): Promise<KilnResult> {
    const inputs = ["stack=local", "shards=2"].flatMap((input) => ["--input", input]);
    return kiln(this.checkout, ["release", "run", "--tag", tag, ...inputs, "--json", ...flags], {
      // What looks for vulnerabilities takes minutes to build: scan.test.ts runs it.
      env: { PATH: `${this.#programs}:${process.env.PATH ?? ""}`, KILN_VULNERABILITY_DB: "none" },
    });
  }

  async remove(): Promise<void> {
    await kiln(this.checkout, ["down"]);
    await removeCheckout(this.checkout);
    await rm(this.#programs, { recursive: true, force: true });
  }
}

/**
 * `npm ci` takes half a minute a job and has nothing to do with what is tried here: packages are those of this project, and the
 * command is the workspace's own, as npm links it.
 */
async function writeNpm(): Promise<string> {
  const programs = await mkdtemp(path.join(tmpdir(), "kiln-release-npm-"));
  const file = path.join(programs, "npm");
  const packages = path.join(PROJECT, "node_modules");
  const script = [
    "#!/bin/sh",
    "set -e",
    '[ "$*" = ci ] || { echo "npm $*: not here" >&2; exit 1; }',
    "mkdir node_modules",
    `ln -s '${packages}'/* node_modules`,
    // By its date kiln sees that packages were installed.
    `cp '${packages}/.package-lock.json' node_modules`,
    "exec node toolchain/link-command.mjs",
  ];
  await writeFile(file, `${script.join("\n")}\n`);
  await chmod(file, 0o755);
  return programs;
}
