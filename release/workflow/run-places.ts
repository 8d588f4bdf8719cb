import { createHash } from "node:crypto";
import path from "node:path";

/** The folders of one run. */
export interface RunPlaces {
  readonly root: string;
  readonly jobs: string;
  readonly artifacts: string;
  /** What `actions/cache` keeps, for every run of this checkout. */
  readonly cache: string;
  /** Locks of concurrency groups, of every run of this checkout too. */
  readonly groups: string;
}

/** The folders of one job, made anew when it begins. */
export interface JobPlaces {
  readonly root: string;
  readonly workspace: string;
  readonly home: string;
  readonly temp: string;
}

/** Where a tag's run of a workflow keeps its things, below `.kiln/`. */
export function runPlaces(work: string, tag: string, workflow: string): RunPlaces {
  const releases = path.join(work, "release");
  const root = path.join(releases, `${encodeURIComponent(tag)}@${path.parse(workflow).name}`);
  return {
    root,
    jobs: path.join(root, "jobs"),
    artifacts: path.join(root, "artifacts"),
    cache: path.join(releases, "cache"),
    groups: path.join(releases, "groups"),
  };
}

export function jobPlaces(run: RunPlaces, folder: string): JobPlaces {
  const root = path.join(run.jobs, folder);
  return {
    root,
    workspace: path.join(root, "workspace"),
    home: path.join(root, "home"),
    temp: path.join(root, "temp"),
  };
}

/** A folder name for a job's key or a step's title; none of those `taken` already by another. */
export function folderName(text: string, taken: ReadonlySet<string> = new Set()): string {
  const plain = text
    .replace(/[^\w.]+/g, "-")
    .replace(/^[-.]+|-+$/g, "")
    .slice(0, 80);
  if (plain !== "" && !taken.has(plain)) return plain;
  return `${plain}-${createHash("sha256").update(text).digest("hex").slice(0, 8)}`;
}
