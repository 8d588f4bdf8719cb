import { engineEnvironment, type Engine } from "../toolchain/docker-engine.ts";
import { run, type RunOptions, type RunResult } from "../toolchain/process.ts";

/** Runs the docker client on the bench's engine. */
export function docker(
  { engine }: { readonly engine: Engine },
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return run(engine.docker, args, { env: engineEnvironment(engine), ...options });
}

/** Has an image of the bench's registry in the engine. */
export async function pull(context: { readonly engine: Engine }, image: string): Promise<string> {
  const present = await docker(context, ["image", "inspect", image], { allowFailure: true });
  if (present.code !== 0) await docker(context, ["pull", "--quiet", image]);
  return image;
}

/** Removes an image; one that is not there is gone already. */
export async function removeImage(context: { readonly engine: Engine }, image: string): Promise<void> {
  await docker(context, ["image", "rm", "--force", image], { allowFailure: true });
}

/** Removes from the engine every image of the bench, those of earlier runs on other ports too. Registries keep theirs. */
export async function removeBenchImages(context: { readonly engine: Engine }): Promise<void> {
  const format = "{{.Repository}} {{.Tag}} {{.Digest}}";
  const { stdout } = await docker(context, ["image", "ls", "--digests", "--format", format]);
  for (const image of benchImages(stdout)) await removeImage(context, image);
}

/** The images of the bench in what `docker image ls` printed, lines of repository, tag and digest. */
export function benchImages(printed: string): readonly string[] {
  return printed.split("\n").flatMap((line) => {
    const [repository = "", tag = "", digest = ""] = line.split(" ");
    if (!/^localhost:\d+\/kiln-bench\//.test(repository)) return [];
    return [tag === "<none>" ? `${repository}@${digest}` : `${repository}:${tag}`];
  });
}

/** Ids of the engine's build cache. */
export async function buildCacheIds(context: { readonly engine: Engine }): Promise<ReadonlySet<string>> {
  const format = "{{range .BuildCache}}{{println .ID}}{{end}}";
  const { stdout } = await docker(context, ["system", "df", "--verbose", "--format", format], { allowFailure: true });
  return new Set(stdout.split("\n").filter((line) => line !== ""));
}

/**
 * Removes from the engine's build cache what came into it since `before`: whole caches of gigabytes, which no other build
 * uses. What was there stays.
 */
export async function pruneBuildCache(
  context: { readonly engine: Engine },
  before: ReadonlySet<string>,
): Promise<void> {
  const since = [...(await buildCacheIds(context))].filter((id) => !before.has(id));
  for (const id of since) {
    await docker(context, ["builder", "prune", "--all", "--force", "--filter", `id=${id}`], { allowFailure: true });
  }
}

/** Bytes of all files below some folders of an image, as they are and in blocks of the disk. */
export async function imageBytes(
  context: { readonly engine: Engine },
  image: string,
  folders: readonly string[],
): Promise<{ readonly bytes: number; readonly diskBytes: number; readonly files: number }> {
  const script = `find "$@" -type f -printf '%s %b\\n' 2>/dev/null | awk '{ s += $1; b += $2 } END { printf "%.0f %.0f %d\\n", s, b * 512, NR }'`;
  const command = ["run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "/bin/sh", image];
  const { stdout } = await docker(context, [...command, "-c", script, "sh", ...folders]);
  const [bytes = 0, diskBytes = 0, files = 0] = stdout.trim().split(" ").map(Number);
  return { bytes, diskBytes, files };
}
