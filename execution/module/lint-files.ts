import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { unaccepted } from "./lint-acceptance.ts";
import { lintDockerfile, type LintFinding } from "./lint.ts";

/** A finding with the file that it is in, relative to the folder that was asked for. */
export interface FileFinding extends LintFinding {
  readonly file: string;
}

/** What the Dockerfiles below a folder were found to be. */
export interface LintedFiles {
  readonly files: readonly string[];
  readonly findings: readonly FileFinding[];
}

/** Reads and checks every `Dockerfile` and `Dockerfile.<name>` below a folder, in the order of their names. */
export async function lintDockerfiles(folder: string): Promise<LintedFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && /^Dockerfile(?:\.(?!dockerignore$)\w+)?$/.test(entry.name))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
  const findings: FileFinding[] = [];
  for (const file of files) {
    const text = await readFile(path.join(folder, file), "utf8");
    findings.push(...unaccepted(text, lintDockerfile(text)).map((finding) => ({ ...finding, file })));
  }
  return { files, findings };
}
