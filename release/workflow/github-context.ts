import { userInfo } from "node:os";
import type { ValueMap } from "./value.ts";

/** The `github` context of a run that a tag started; a job adds its own name and workspace. */
export function githubContext(run: {
  readonly tag: string;
  readonly commit: string;
  readonly repository: string;
  /** The workflow's name, or its path. */
  readonly name: string;
  readonly attempt: number;
  readonly inputs: Readonly<Record<string, string>>;
  readonly env: NodeJS.ProcessEnv;
}): ValueMap {
  const ref = `refs/tags/${run.tag}`;
  const [owner = ""] = run.repository.split("/");
  return {
    ...{ event_name: "push", ref, ref_name: run.tag, ref_type: "tag", sha: run.commit },
    ...{ repository: run.repository, repository_owner: owner, server_url: "https://github.com" },
    // The same in every attempt, as on GitHub: names made of it stay the same.
    ...{
      run_id: String(Number.parseInt(run.commit.slice(0, 12), 16)),
      run_number: "1",
      run_attempt: String(run.attempt),
    },
    ...{ workflow: run.name, actor: run.env.GITHUB_ACTOR ?? userInfo().username, token: run.env.GITHUB_TOKEN ?? "" },
    event: { ref, after: run.commit, inputs: run.inputs, repository: { full_name: run.repository } },
  };
}
