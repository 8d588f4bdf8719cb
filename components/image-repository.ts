import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { isPublicEcr, PUBLIC_ECR_REGION, publicRepositoryName } from "../registry/public-ecr.ts";
import { imageRepository, type ImageName } from "../registry/repository-names.ts";
import { publishedBy } from "../release/publisher.ts";

export interface ImageRepositoryArgs {
  /** A loopback registry (`localhost:5180`), `ghcr.io/<owner>/<repository>`, or `public.ecr.aws/<alias>`. */
  readonly registry: string;
  /** Which image of the stack; the IaC runner where left out. */
  readonly image?: ImageName;
  /** The name below the registry of an image that is none of the stack's own, such as `runner-pulumi-golang`. */
  readonly repositoryName?: string;
  /** The one role that may push, by its ARN. In public ECR alone. */
  readonly publisher?: pulumi.Input<string>;
  /** One line for the public gallery. In public ECR alone, as are the next two. */
  readonly description?: string;
  /** What it is, in Markdown. */
  readonly about?: string;
  /** How it is used, in Markdown. */
  readonly usage?: string;
  /** Pulumi refuses to delete it before it is unprotected: its images are other people's. */
  readonly protect?: boolean;
}

/** What the gallery shows as badges: every image is for both. */
const PLATFORMS = { architectures: ["ARM 64", "x86-64"], operatingSystems: ["Linux"] };

/**
 * Where an image is pushed. GHCR and the loopback registry make a repository at its first push, so there is nothing to create;
 * public ECR wants it made beforehand, with what its gallery shows, and a policy by which one role pushes.
 */
export class ImageRepository extends pulumi.ComponentResource {
  /** The repository without a tag. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: ImageRepositoryArgs, opts?: pulumi.ComponentResourceOptions) {
    const { registry, image, repositoryName } = args;
    const ecr = isPublicEcr(registry)
      ? publicRepositoryName(registry, repositoryName ?? imageRepository("", image).slice(1))
      : undefined;
    super("kiln:registry:ImageRepository", name, args, opts);
    const address = repositoryName === undefined ? imageRepository(registry, image) : `${registry}/${repositoryName}`;
    this.url = ecr === undefined ? pulumi.output(address) : this.#publicRepository(name, ecr, address, args);
    this.registerOutputs({ url: this.url });
  }

  #publicRepository(
    name: string,
    repositoryName: string,
    address: string,
    { publisher, description, about, usage, protect = false }: ImageRepositoryArgs,
  ): pulumi.Output<string> {
    const repository = new aws.ecrpublic.Repository(
      name,
      {
        repositoryName,
        region: PUBLIC_ECR_REGION,
        catalogData: {
          ...PLATFORMS,
          ...(description === undefined ? {} : { description }),
          ...(about === undefined ? {} : { aboutText: about }),
          ...(usage === undefined ? {} : { usageText: usage }),
        },
      },
      { parent: this, protect },
    );
    if (publisher !== undefined) {
      new aws.ecrpublic.RepositoryPolicy(
        `${name}-publisher`,
        {
          repositoryName: repository.repositoryName,
          region: PUBLIC_ECR_REGION,
          policy: pulumi.jsonStringify(pulumi.output(publisher).apply(publishedBy)),
        },
        { parent: this },
      );
    }
    repository.repositoryUri.apply((uri) => {
      // Only Amazon knows which alias an account has: images that name another would go nowhere.
      if (isPublicEcr(uri) && uri !== address) void pulumi.log.warn(`Amazon calls it ${uri}, not ${address}`, this);
    });
    return repository.repositoryName.apply(() => address);
  }
}
