import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { RunnerRelease } from "../runners/upkeep/freshness.ts";
import { runnerImageArguments, type RunnerImageSource } from "../runners/upkeep/runner-image-source.ts";
import type { Platform } from "../toolchain/platforms.ts";

export interface ActionsRunnerImageArgs extends RunnerImageSource {
  /** Where the image is pushed, without a tag. */
  readonly repository: pulumi.Input<string>;
  /** A name for people. What runs is pinned by `image`. */
  readonly tag: string;
  /** That of the nodes; always given, as the provider would otherwise take the machine's own. */
  readonly platform: Platform;
  /** The runner release below the image. Without it the newest is taken at the first build, and nobody knows its age. */
  readonly release: RunnerRelease | undefined;
  /** Build during previews too. */
  readonly buildOnPreview: boolean;
}

/** The image that the pods of scale sets run: a runner release with kiln's tools, built and pushed by `docker.Image`. */
export class ActionsRunnerImage extends pulumi.ComponentResource {
  /** `repository@sha256:…` of the pushed image: what scale sets run. */
  readonly image: pulumi.Output<string>;

  constructor(name: string, args: ActionsRunnerImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kiln:image:ActionsRunnerImage", name, args, opts);
    const built = new docker.Image(
      name,
      {
        imageName: pulumi.interpolate`${args.repository}:${args.tag}`,
        build: {
          context: "images/actions-runner",
          dockerfile: "images/actions-runner/Dockerfile",
          args: { ...runnerImageArguments(args) },
          platform: args.platform,
        },
        buildOnPreview: args.buildOnPreview,
      },
      { parent: this },
    );
    this.image = built.repoDigest;
    this.registerOutputs({ image: this.image });
  }
}
