import { mkdir } from "node:fs/promises";
import path from "node:path";
import { withoutGitPlaces } from "../../../cache/git-environment.ts";
import { KilnError } from "../../../errors.ts";
import { run } from "../../../toolchain/process.ts";
import type { ActionCall, StandIn } from "../stand-in.ts";

/** A job must not push to where a person's checkout would: this is no address. */
const NO_PUSH = "no-push:from-a-run-on-this-machine";

/** `actions/checkout`: a clone of this checkout at the commit of the run, or at `ref`. */
export const checkout: StandIn = {
  here: "clone of this checkout at the commit of the tag",
  takes: ["ref", "path", "repository"],
  // A clone here has the whole history and all tags, and no token.
  ignores: ["token", "persist-credentials", "fetch-depth", "fetch-tags", "show-progress", "clean"],
  async run(call) {
    const { ref = "", path: below = ".", repository = "" } = call.with;
    if (repository !== "" && repository !== call.run.repository) {
      throw new KilnError("failed", `${repository} is another repository than ${call.run.repository}`, {
        mend: "A run on this machine has this one alone.",
      });
    }
    const folder = path.resolve(call.job.workspace, below);
    await mkdir(folder, { recursive: true });
    const wanted = ref === "" ? call.run.commit : ref;
    await git(call, folder, ["clone", "--quiet", "--no-checkout", "--", call.run.project, "."]);
    await git(call, folder, ["checkout", "--quiet", "--detach", await commitOf(call, folder, wanted)]);
    await git(call, folder, ["remote", "set-url", "--push", "origin", NO_PUSH]);
    const { stdout } = await git(call, folder, ["rev-parse", "HEAD"]);
    call.say(`${stdout.trim()} of ${call.run.project}`);
    return { outputs: { commit: stdout.trim(), ref: wanted } };
  },
};

/** The commit that a ref names on GitHub: a branch there is a remote branch in a clone. */
async function commitOf(call: ActionCall, folder: string, ref: string): Promise<string> {
  for (const name of [ref, `refs/remotes/origin/${ref.replace(/^refs\/heads\//, "")}`]) {
    const found = await git(call, folder, ["rev-parse", "--quiet", "--verify", `${name}^{commit}`], true);
    if (found.code === 0) return found.stdout.trim();
  }
  throw new KilnError("failed", `${ref} is no commit, branch or tag of this checkout`, { mend: "Fetch it first." });
}

async function git(call: ActionCall, cwd: string, args: readonly string[], allowFailure = false) {
  const settings = ["-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"];
  const env = { ...withoutGitPlaces(call.env), GIT_TERMINAL_PROMPT: "0" };
  return run("git", [...settings, ...args], { cwd, env, signal: call.signal, allowFailure });
}
