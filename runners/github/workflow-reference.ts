import { KilnError } from "../../errors.ts";

/** A workflow file at a branch: what a runner group can be restricted to. */
export interface WorkflowReference {
  readonly owner: string;
  readonly repository: string;
  /** The file's name in `.github/workflows`. */
  readonly file: string;
  readonly branch: string;
  /** As GitHub compares it: `owner/repository/.github/workflows/file@refs/heads/branch`. */
  readonly text: string;
}

const REFERENCE = /^([\w-]+)\/([\w.-]+)\/\.github\/workflows\/([\w.-]+\.ya?ml)@refs\/(heads|tags)\/([^\s~^:?*[\\]+)$/;

const MEND =
  "Set it to <organization>/<repository>/.github/workflows/<file>.yml@refs/heads/main: a reusable workflow there, which thin " +
  "workflows on pushes and tags call with exactly this reference";

/**
 * Reads the reference of a reusable workflow that alone may use a runner group of `organization`. Throws a usage error
 * that names `at`, the key path where it is written. A tag is refused: GitHub gives the group to jobs that are defined in
 * this very file at this very reference, so a workflow that a tag triggers would only match under that one tag's name.
 */
export function parseWorkflowReference(text: string, organization: string, at: string): WorkflowReference {
  const refusal = (reason: string) =>
    new KilnError("usage", `${at} is ${JSON.stringify(text)}, ${reason}`, { mend: MEND });
  const match = REFERENCE.exec(text);
  if (match === null) throw refusal("which is no workflow file at a branch");
  const [, owner = "", repository = "", file = "", kind, branch = ""] = match;
  if (kind === "tags") throw refusal("but a tag's own reference would not match the next tag");
  if (owner.toLowerCase() !== organization.toLowerCase()) {
    // docs.github.com: "Organization-owned runner groups cannot access workflows from a different organization".
    throw refusal(`but a runner group of ${organization} cannot be given to workflows of another organization`);
  }
  return { owner, repository, file, branch, text };
}
