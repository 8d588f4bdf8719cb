import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { languageBuild, type LanguageChoice, type PulumiRelease } from "../execution/language/build-plan.ts";
import { catalogue } from "../execution/language/catalogue.ts";
import { pinnedPulumi } from "../execution/language/pulumi-release.ts";

export interface LanguageImageArgs extends Omit<LanguageChoice, "pulumi"> {
  /** Where the image is pushed, without a tag. */
  readonly repository: pulumi.Input<string>;
  /** A name for people. What runs is pinned by `image`. */
  readonly tag: string;
  /** The release of Pulumi inside, with its checksum; the pinned one where left out. */
  readonly pulumi?: PulumiRelease;
  /** Build during previews too. */
  readonly buildOnPreview: boolean;
}

/** A Pulumi language runner of one's own, built by the catalogue of images/pulumi-runner and pushed by `docker.Image`. */
export class LanguageImage extends pulumi.ComponentResource {
  /** `repository@sha256:…` of the pushed image: what to run. */
  readonly image: pulumi.Output<string>;
  /** The release of Pulumi inside. */
  readonly pulumiVersion: pulumi.Output<string>;

  constructor(name: string, args: LanguageImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kiln:image:LanguageImage", name, args, opts);
    const release = args.pulumi ?? pinnedPulumi(args.platform);
    const { target, args: built } = languageBuild(catalogue, { ...args, pulumi: release });
    const image = new docker.Image(
      name,
      {
        imageName: pulumi.interpolate`${args.repository}:${args.tag}`,
        build: {
          context: "images/pulumi-runner",
          dockerfile: "images/pulumi-runner/Dockerfile",
          target,
          args: { ...built },
          platform: args.platform,
        },
        buildOnPreview: args.buildOnPreview,
      },
      { parent: this },
    );
    this.image = image.repoDigest;
    this.pulumiVersion = pulumi.output(release.version);
    this.registerOutputs({ image: this.image, pulumiVersion: this.pulumiVersion });
  }
}
