import * as pulumi from "@pulumi/pulumi";
import { imageRepository, type ImageName } from "../registry/repository-names.ts";

export interface ImageRepositoryArgs {
  /** A loopback registry (`localhost:5180`), or `ghcr.io/<owner>/<repository>`. */
  readonly registry: string;
  /** Which image; the IaC runner where left out. */
  readonly image?: ImageName;
}

/**
 * Where an image of a stack is pushed. GHCR and the loopback registry make a repository at its first push,
 * so there is nothing to create yet; a registry that wants repositories made beforehand makes them here.
 */
export class ImageRepository extends pulumi.ComponentResource {
  /** The repository without a tag. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: ImageRepositoryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kiln:registry:ImageRepository", name, args, opts);
    this.url = pulumi.output(imageRepository(args.registry, args.image));
    this.registerOutputs({ url: this.url });
  }
}
