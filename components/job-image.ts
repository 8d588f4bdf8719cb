import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { KilnError } from "../errors.ts";
import {
  JOB_VERSIONS_FILE,
  unpinnedDownloads,
  versionArguments,
  type JobImageName,
  type JobVersions,
} from "../execution/job/image-versions.ts";
import type { Platform } from "../toolchain/platforms.ts";

export interface JobImageArgs {
  /** Which of the images it is. */
  readonly image: JobImageName;
  /** Where the image is pushed, without a tag. */
  readonly repository: pulumi.Input<string>;
  /** A name for people. What runs is pinned by `reference`. */
  readonly tag: string;
  /** Always given: the provider would otherwise take the machine's own, and two machines would undo each other's work. */
  readonly platform: Platform;
  /** The one list of versions, `images/job-runner/versions.json`. */
  readonly versions: JobVersions;
  /** What it stands on; the public image of the list otherwise. */
  readonly base?: string;
  /** An image that has the entrypoint; it is compiled in the build otherwise. */
  readonly entrypoint?: string;
  /** Leave PowerShell out, where its releases cannot be reached. */
  readonly withoutPowerShell?: boolean;
  /** An image with `/ca.crt`, for builders behind a proxy that looks into TLS. */
  readonly certificates?: string;
  /** Build during previews too. */
  readonly buildOnPreview: boolean;
}

/** An image that jobs run in, built and pushed by `docker.Image`. */
export class JobImage extends pulumi.ComponentResource {
  /** `repository@sha256:…` of the pushed image: what `kiln job run --image` takes. */
  readonly reference: pulumi.Output<string>;

  constructor(name: string, args: JobImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kiln:image:JobImage", name, pinned(args), opts);
    const image = new docker.Image(
      name,
      {
        imageName: pulumi.interpolate`${args.repository}:${args.tag}`,
        build: {
          context: ".",
          dockerfile: "images/job-runner/Dockerfile",
          target: args.image,
          args: jobImageArguments(args),
          platform: args.platform,
        },
        buildOnPreview: args.buildOnPreview,
      },
      { parent: this },
    );
    this.reference = image.repoDigest;
    this.registerOutputs({ reference: this.reference });
  }
}

/** The arguments, unless the build would refuse them, minutes later: nothing is downloaded that has no checksum. */
function pinned(args: JobImageArgs): JobImageArgs {
  const { image, platform, versions, withoutPowerShell = false } = args;
  const lacking = unpinnedDownloads(versions, image, platform).filter(
    (name) => name !== "powershell" || !withoutPowerShell,
  );
  if (lacking.length === 0) return args;
  const what = `the job image ${image} for ${platform} has downloads without a checksum: ${lacking.join(", ")}`;
  throw new KilnError("usage", what, {
    mend: `Look them up as images/job-runner/README.md says, and write them into ${JOB_VERSIONS_FILE}`,
  });
}

/** What `docker build` is told beside the target. The versions are in it, so that a new one is a new build. */
function jobImageArguments(args: JobImageArgs): Record<string, string> {
  const { image, tag } = args.versions.base;
  return {
    ...versionArguments(args.versions),
    BASE_IMAGE: args.base ?? `${image}:${tag}`,
    ...(args.entrypoint === undefined ? {} : { ENTRYPOINT_IMAGE: args.entrypoint }),
    ...(args.withoutPowerShell === true ? { POWERSHELL_IMAGE: "no-powershell" } : {}),
    ...(args.certificates === undefined ? {} : { CA_IMAGE: args.certificates }),
  };
}
