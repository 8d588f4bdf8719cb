import type * as provider from "@pulumi/pulumi/provider/index.js";
import { messageOf } from "../../../errors.ts";
import { PLUGIN_VERSIONS, refusalOf, stackOfUrn } from "../allowed-stacks.ts";
import type { EngineLog } from "../engine-log.ts";
import { contextDigest } from "./context-digest.ts";
import { buildImage, removeImage } from "./docker-build.ts";
import { isUnknown, needsBuild, withDefaults } from "./image-inputs.ts";
import type { CheckedInputs, ImageInputs, ImageState } from "./image-inputs.ts";

const IMAGE = "docker:index/image:Image";

/** `docker.Image` on the `docker` command, for machines that cannot download the official plugin. Previews build nothing. */
export class ImageProvider implements provider.Provider {
  readonly version = PLUGIN_VERSIONS.docker;
  readonly #log: EngineLog;
  #announced = false;

  constructor(log: EngineLog) {
    this.#log = log;
  }

  readonly check = async (urn: string, _state: ImageState, inputs: ImageInputs): Promise<provider.CheckResult> => {
    await this.#announce();
    if (!urn.includes(IMAGE))
      return { failures: [{ property: "", reason: `kiln's loopback plugin has only ${IMAGE}` }] };
    const checked = withDefaults(inputs);
    if (checked.buildOnPreview)
      await this.#log.status(urn, "kiln's loopback docker plugin builds nothing in a preview");
    const { context, dockerfile } = checked.build;
    if ([context, dockerfile].some(isUnknown)) return { inputs: checked };
    try {
      return {
        inputs: { ...checked, build: { ...checked.build, contextDigest: await contextDigest(context, dockerfile) } },
      };
    } catch (error) {
      return { failures: [{ property: "build", reason: `cannot read the build context: ${messageOf(error)}` }] };
    }
  };

  readonly diff = (_id: string, _urn: string, state: ImageState, inputs: CheckedInputs): Promise<provider.DiffResult> =>
    Promise.resolve({ changes: needsBuild(state, inputs) });

  readonly create = async (urn: string, inputs: CheckedInputs): Promise<provider.CreateResult> => ({
    id: inputs.imageName,
    outs: await this.#build(urn, inputs),
  });

  readonly update = async (
    _id: string,
    urn: string,
    _state: ImageState,
    inputs: CheckedInputs,
  ): Promise<provider.UpdateResult> => ({ outs: await this.#build(urn, inputs) });

  readonly delete = async (_id: string, urn: string, state: ImageState): Promise<void> => {
    requireLoopbackStack(urn);
    await removeImage(state.imageName);
  };

  async #build(urn: string, inputs: CheckedInputs): Promise<ImageState> {
    requireLoopbackStack(urn);
    const repoDigest = await buildImage(inputs, (line) => {
      if (line.trim() !== "") void this.#log.status(urn, line);
    });
    return {
      ...inputs,
      baseImageName: inputs.imageName,
      context: inputs.build.context,
      dockerfile: inputs.build.dockerfile,
      platform: inputs.build.platform,
      registryServer: inputs.registry?.server ?? "",
      repoDigest,
    };
  }

  async #announce(): Promise<void> {
    if (this.#announced) return;
    this.#announced = true;
    await this.#log.info("Using kiln's loopback docker plugin: the official one is not installed.");
  }
}

/** Pulumi's provider server prints the stack trace of what is thrown; a refusal is for people, so it has none. */
function requireLoopbackStack(urn: string): void {
  const refusal = refusalOf(stackOfUrn(urn));
  if (refusal === undefined) return;
  const error = new Error(refusal);
  error.stack = "";
  throw error;
}
