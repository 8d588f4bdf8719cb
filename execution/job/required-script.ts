import { KilnError } from "../../errors.ts";
import type { JobDescription } from "./description.ts";
import type { ScriptFile } from "./script-file.ts";

const EXTENSIONS = [".py", ".ps1"];
const LFS_POINTER = "version https://git-lfs.github.com/spec/";

/**
 * Throws a usage error where scripts that are read here have none of a job's name, two, or a pointer in its place: the
 * entrypoint would say so too, but in a container that was made for it.
 */
export function requireScript({ script, source }: JobDescription, scripts: readonly ScriptFile[]): void {
  // A folder that was pinned is compared as a whole, which says more.
  if (source.kind === "repository" || (source.kind === "directory" && source.sha256 !== undefined)) return;
  const place = source.kind === "directory" ? source.path : `${source.path} at ${source.commit.slice(0, 12)}`;
  const named = EXTENSIONS.map((extension) => `${script}${extension}`);
  const [found, second] = scripts.filter(({ name }) => named.includes(name));
  if (found === undefined) {
    throw new KilnError("usage", `there is no ${named.join(" and no ")} in ${place}`, { mend: mendOf(script) });
  }
  if (second !== undefined) {
    throw new KilnError("usage", `there are both ${named.join(" and ")} in ${place}: one name is one script`, {
      mend: "Give one of them another name.",
    });
  }
  if (!found.content.subarray(0, LFS_POINTER.length).equals(Buffer.from(LFS_POINTER))) return;
  throw new KilnError("usage", `${found.name} in ${place} is a pointer of Git LFS`, {
    mend: "Put the script itself into the repository, or `git lfs pull` it into the folder.",
  });
}

function mendOf(script: string): string {
  const extension = EXTENSIONS.find((end) => script.endsWith(end));
  if (extension !== undefined) return `Write --script ${script.slice(0, -extension.length)}, without ${extension}.`;
  return "Put the script there, or name with --repo the folder that has it, or the address of a repository and its --ref.";
}
