import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Recipe, Verification } from "../settings.ts";
import type { Platform } from "../toolchain/platforms.ts";

export interface RunnerImageArgs {
  /** Where the image is pushed, without a tag. */
  readonly repository: pulumi.Input<string>;
  /** A name for people. What runs is pinned by `image`. */
  readonly tag: string;
  /** Always given: the provider would otherwise take the machine's own, and two machines would undo each other's work. */
  readonly platform: Platform;
  /** A warm image with labels on it, or caches warmed inside the docker build. */
  readonly recipe: Recipe;
  /** Build during previews too. */
  readonly buildOnPreview: boolean;
}

/** The merged-cache IaC runner image of a stack, built and pushed by `docker.Image`. */
export class RunnerImage extends pulumi.ComponentResource {
  /** `repository@sha256:…` of the pushed image: what to run. */
  readonly image: pulumi.Output<string>;
  /** The warm image below it; nothing for a standalone image. */
  readonly warmImage: pulumi.Output<string | undefined>;
  /** Where the offline check of the warm image is recorded; nothing for a standalone image. */
  readonly verification: pulumi.Output<Verification | undefined>;

  constructor(name: string, args: RunnerImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kiln:image:RunnerImage", name, args, opts);
    const image = new docker.Image(
      name,
      {
        imageName: pulumi.interpolate`${args.repository}:${args.tag}`,
        build: { ...buildOf(args.recipe), platform: args.platform },
        buildOnPreview: args.buildOnPreview,
      },
      { parent: this },
    );
    const warm = args.recipe.kind === "merged" ? args.recipe : undefined;
    this.image = image.repoDigest;
    this.warmImage = pulumi.output(warm?.warmImage);
    this.verification = pulumi.output(warm?.verification);
    this.registerOutputs({ image: this.image, warmImage: this.warmImage, verification: this.verification });
  }
}

/** What `docker build` is told. Paths are relative to the project: an absolute one would differ on every machine. */
function buildOf(recipe: Recipe): docker.types.input.DockerBuild {
  if (recipe.kind === "merged") {
    return {
      context: "images/iac-runner",
      dockerfile: "images/iac-runner/Dockerfile.merged",
      args: { WARM: recipe.warmImage },
    };
  }
  return {
    context: ".",
    dockerfile: "images/iac-runner/Dockerfile",
    target: "standalone",
    args: {
      BASE_IMAGE: recipe.base,
      MODULES: recipe.modules,
      ...(recipe.tools === undefined ? {} : { TOOLS_IMAGE: recipe.tools }),
      ...(recipe.certificates === undefined ? {} : { CA_IMAGE: recipe.certificates }),
    },
  };
}
