import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { lastLines } from "../../toolchain/process.ts";
import { dockerCall } from "../docker-call.ts";
import { contextArchive } from "./context-archive.ts";
import { BUILD_FOLDER, type ContextEntry } from "./context.ts";
import { injectedDockerfile } from "./dockerfile.ts";
import { streamBuild, type StreamBuild } from "./stream-build.ts";

/** Where in the context of a build the Dockerfile is. */
export const DOCKERFILE = `${BUILD_FOLDER}/Dockerfile`;

/** A build whose context and Dockerfile are still to be made. */
export type BuildFrame = Omit<StreamBuild, "context" | "dockerfile" | "args">;

export interface OwnImage {
  readonly directory: string;
  readonly entries: readonly ContextEntry[];
  /** The image of the entrypoint, which goes on top. */
  readonly entrypoint: string;
}

/**
 * Builds a module by its own Dockerfile, and the entrypoint on top of that. The image in between has a name while the second
 * build needs one, and no longer.
 */
export async function buildOwnImage(engine: Engine, frame: BuildFrame, image: OwnImage): Promise<void> {
  const { directory, entries, entrypoint } = image;
  const own = await ownDockerfile(directory);
  const inner = `${frame.tag}-without-entrypoint`;
  frame.progress.step(`building ${frame.tag} by the module's own Dockerfile`);
  try {
    const context = contextArchive({ directory, entries, added: { [DOCKERFILE]: own } });
    await streamBuild(engine, { ...frame, context, dockerfile: DOCKERFILE, tag: inner, args: {} });
    const added = { [DOCKERFILE]: injectedDockerfile() };
    const args = { MODULE_IMAGE: inner, ENTRYPOINT_IMAGE: entrypoint };
    const empty = contextArchive({ directory, entries: [], added });
    await streamBuild(engine, { ...frame, context: empty, dockerfile: DOCKERFILE, args });
  } finally {
    await removeName(engine, inner, frame);
  }
}

/** Also after Ctrl-C, as `dockerCall` does. A name that never came to be is none to remove. */
async function removeName(engine: Engine, name: string, { progress }: BuildFrame): Promise<void> {
  const docker = { docker: engine.docker, env: engineEnvironment(engine) };
  const failed = await dockerCall(docker, ["image", "rm", name], { allowFailure: true }).then(
    ({ code, stderr }) => (code === 0 || /no such image/i.test(stderr) ? undefined : lastLines(stderr, 1)),
    messageOf,
  );
  if (failed !== undefined) progress.note(`${name} is left in the engine (${failed}): docker image rm ${name}`);
}

async function ownDockerfile(directory: string): Promise<string> {
  return readFile(path.join(directory, "Dockerfile"), "utf8").catch((cause: unknown) => {
    throw new KilnError("usage", `${directory} has no Dockerfile of its own`, {
      mend: "Leave --dockerfile away.",
      cause,
    });
  });
}
