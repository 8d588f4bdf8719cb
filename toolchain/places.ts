import { createHash } from "node:crypto";
import { homedir } from "node:os";
import path from "node:path";

/** The folders that kiln writes to. Absolute paths. */
export interface Places {
  /** The checkout: where package.json and Pulumi.yaml stand. */
  readonly project: string;
  /** Scratch and warm stores (`.kiln/`, ignored by git): may be deleted at any time, costs only time. */
  readonly work: string;
  /** Pinned tools and the downloaded base image, shared by every checkout: may be deleted at any time, costs only time. */
  readonly cache: string;
  /** The local environment itself: Pulumi backend, registry data, engine data. `kiln down` removes it. */
  readonly state: string;
}

const PROJECT = path.dirname(import.meta.dirname);

/**
 * Where kiln writes. `KILN_CACHE_DIR` and `KILN_STATE_DIR` move the last two; otherwise they follow the XDG base
 * directories, the state under a name of this checkout so that two checkouts do not share an environment.
 */
export function places(env: NodeJS.ProcessEnv = process.env, project = PROJECT): Places {
  const name = `${path.basename(project)}-${createHash("sha256").update(project).digest("hex").slice(0, 8)}`;
  return {
    project,
    work: path.join(project, ".kiln"),
    cache: env.KILN_CACHE_DIR ?? path.join(env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "kiln"),
    state: env.KILN_STATE_DIR ?? path.join(env.XDG_STATE_HOME ?? path.join(homedir(), ".local/state"), "kiln", name),
  };
}
