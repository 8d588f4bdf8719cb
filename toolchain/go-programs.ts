import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { buildEnvironment } from "./build-from-proxy.ts";
import { goSources } from "./go-sources.ts";
import { withLock } from "./lock.ts";
import { networkMend } from "./network.mjs";
import type { Places } from "./places.ts";
import { run } from "./process.ts";

/** A Go module of this repository, and which of its programs to build. */
export interface GoPrograms {
  /** What the folder of finished programs is named after. */
  readonly name: string;
  /** The folder of the go.mod. */
  readonly source: string;
  readonly packages: readonly string[];
  /** For people: "the stand-ins for …". */
  readonly what: string;
}

/** No path of this machine, no build ID and no commit goes in: equal sources make equal programs, wherever they are. */
const BUILD = ["build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w -buildid="];

/**
 * The folder that holds the programs as static binaries for `platform` (such as `linux-arm64`): built once for each
 * digest of their sources and Go version, from the module proxy that this machine uses. Throws "unreachable".
 */
export async function readyGoPrograms(
  programs: GoPrograms,
  go: { readonly root: string; readonly version: string },
  platform: string,
  { places, progress }: { readonly places: Places; readonly progress: Progress },
): Promise<string> {
  const { name, source, packages, what } = programs;
  const key = await goSourceKey(source, go.version, packages);
  const home = path.join(places.cache, "tools", `${name}-${key}-${platform}`);
  if (existsSync(home)) return home;
  return withLock(`${home}.lock`, progress, `the build of ${what}`, async () => {
    if (existsSync(home)) return home;
    progress.step(`building ${what}`);
    const fresh = `${home}.${randomUUID()}.part`;
    const [copy, bin] = [path.join(fresh, "source"), path.join(fresh, "bin")];
    try {
      await cp(source, copy, { recursive: true });
      await mkdir(bin);
      const env = goProgramsEnvironment(process.env, go.root, { places, platform });
      await run(path.join(go.root, "bin/go"), [...BUILD, "-o", `${bin}/`, ...packages], { cwd: copy, env });
      await rename(bin, home);
      return home;
    } catch (cause) {
      if (cause instanceof KilnError && cause.kind === "interrupted") throw cause;
      const said = messageOf(cause);
      const mend = networkMend(said) ?? "let this machine reach its Go module proxy (`go env GOPROXY`)";
      throw new KilnError("unreachable", `cannot build the programs of ${source}: ${said}`, { mend, cause });
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  });
}

/** The environment that the programs are built and tested in; the module proxy and its checksums are the user's. */
export function goProgramsEnvironment(
  env: NodeJS.ProcessEnv,
  goRoot: string,
  { places, platform }: { readonly places: Places; readonly platform: string },
): NodeJS.ProcessEnv {
  return {
    ...buildEnvironment(env, goRoot, platform),
    // A module cache of its own: a build must not depend on what the user's holds, nor on whether it can be written.
    GOMODCACHE: path.join(places.cache, "go-modules"),
    GOFLAGS: "-mod=readonly -modcacherw",
    GOCACHEPROG: "",
  };
}

/**
 * A digest of what a build of these packages reads below `source`, and of the Go version: another one is another build.
 * Without packages it is of all files there but for Go's tests.
 */
export async function goSourceKey(source: string, goVersion: string, packages?: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(goVersion);
  for (const file of await goSources(source, packages)) {
    const content = await readFile(path.join(source, file));
    hash.update(`\n${file}\n${content.length}\n`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}
