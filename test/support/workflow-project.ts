import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Progress } from "../../progress.ts";
import { runRelease, type ReleaseRun, type RunOptions } from "../../release/workflow/release-run.ts";
import { places } from "../../toolchain/places.ts";
import { run } from "../../toolchain/process.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** The tag that starts the workflows of these tests. */
export const TAG = "image-v1.2.3";

/** A Git repository with workflows, for the running test. */
export class WorkflowProject {
  readonly folder: string;
  /** What runs said. */
  readonly notes: string[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<WorkflowProject> {
    const project = new WorkflowProject(await temporaryDirectory());
    await project.#git("init", "--quiet", "--initial-branch=main");
    await writeFile(path.join(project.folder, ".gitignore"), ".kiln/\n");
    return project;
  }

  /** Commits workflows by name and puts the tag there. */
  async commit(workflows: Readonly<Record<string, string>>): Promise<void> {
    await mkdir(path.join(this.folder, ".github/workflows"), { recursive: true });
    for (const [name, text] of Object.entries(workflows)) await this.write(name, text);
    await this.#git("add", "-A");
    await this.#git("commit", "--quiet", "--allow-empty", "-m", "workflows");
    await this.#git("tag", "-f", TAG);
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(path.join(this.folder, `.github/workflows/${name}.yml`), text);
  }

  /** Runs what the tag starts, in an environment of its own. */
  async run(more: Partial<RunOptions> = {}): Promise<ReleaseRun> {
    const say = (text: string) => {
      this.notes.push(text);
    };
    const progress: Progress = { step: say, note: say, update: () => undefined };
    const env = { PATH: process.env.PATH, DEMO_TOKEN: "hunter2222", MODE: "quick" };
    const here = {
      ...places({}, this.folder),
      cache: `${this.folder}/.kiln/cache`,
      state: `${this.folder}/.kiln/state`,
    };
    return runRelease({ places: here, env, tag: TAG, inputs: {}, jobs: 2, fresh: false, progress, ...more });
  }

  async #git(...args: readonly string[]): Promise<void> {
    await run("git", ["-c", "user.name=kiln", "-c", "user.email=kiln@example.com", ...args], { cwd: this.folder });
  }
}

/** Results by the titles of jobs, as the timeline shows them. */
export function resultsOf({ timeline }: ReleaseRun): Readonly<Record<string, string>> {
  return Object.fromEntries(
    timeline.rows.map(({ title, result, recalled }) => [title, recalled ? "done before" : result]),
  );
}

export async function jobFile({ folder }: ReleaseRun, job: string, file: string): Promise<string> {
  return readFile(path.join(folder, "jobs", job, file), "utf8");
}

/** A workflow of one job, `a`, of these steps. */
export function oneJob(steps: string, more = ""): string {
  return `on: { push: { tags: ["image-v*"] } }\njobs:\n  a:\n    runs-on: ubuntu-latest\n${more}    steps:\n${steps}`;
}
