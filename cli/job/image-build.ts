import { KilnError } from "../../errors.ts";
import { dockerCall } from "../../execution/docker-call.ts";
import { JOB_IMAGES, type JobImageName } from "../../execution/job/image-versions.ts";
import { readyJobImage } from "../../execution/job/job-image.ts";
import { pushReleased } from "../../execution/released-push.ts";
import { jobTargets, parseJobTag, releasedJobImage, type JobTarget } from "../../release/job-image.ts";
import type { VersionTag } from "../../release/version-tag.ts";
import { engineEnvironment, readyEngine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";
import { ownPlatform, PLATFORMS } from "../../toolchain/platforms.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command, Invocation } from "../command.ts";
import { noArguments, optional, required } from "../options.ts";
import { JOB_REGISTRY_HELP, jobRegistriesOf, REGISTRY_OPTION } from "../release/plan.ts";

type Values = Invocation["values"];

/** Options that say which image of which release is meant. */
export const TARGET: Command["options"] = {
  tag: { type: "string" },
  name: { type: "string" },
  ...REGISTRY_OPTION,
};
export const TARGET_HELP: Command["help"] = {
  tag: "the Git tag of the release: job-runner-v1.2.3",
  name: `one of ${JOB_IMAGES.join(", ")}`,
  ...JOB_REGISTRY_HELP,
};

/** `kiln job image build`. */
export const imageBuildCommand: Command = {
  name: "job image build",
  summary: "Build an image that jobs run in, by images/job-runner/versions.json.",
  usage: "--name NAME --image REF [--platform P] [--without-powershell]",
  options: {
    ...{ name: { type: "string" }, image: { type: "string" }, platform: { type: "string" } },
    ...{ "base-image": { type: "string" }, source: { type: "string" }, revision: { type: "string" } },
    "without-powershell": { type: "boolean" },
  },
  help: {
    name: TARGET_HELP.name ?? "",
    image: "the image's name in the engine",
    platform: `${PLATFORMS.join(" or ")} (default: this machine's)`,
    "base-image": "what the image stands on, in place of the list's",
    source: "address of the repository, for a label",
    revision: "the commit, for a label",
    "without-powershell": "for a machine that cannot reach its releases; such an image leaves no machine",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const [name, image, here] = [jobImageNamed(required(values, "name")), required(values, "image"), places()];
    const engine = await readyEngine({ places: here, progress });
    const base = optional(values, "base-image");
    const built = await readyJobImage(engine, {
      ...{ image: name, platform: platformOf(values), places: here, progress },
      ...(base === undefined ? {} : { base }),
      powershell: values["without-powershell"] === true ? "none" : "required",
      ...originOf(values),
    });
    await dockerCall({ docker: engine.docker, env: engineEnvironment(engine) }, ["tag", built, image]);
    return { json: { image, name, built }, text: `${image} is ${built}` };
  },
};

/** `kiln job image push`. */
export const imagePushCommand: Command = {
  name: "job image push",
  summary: "Push an image of jobs to the registry of its release, by digest alone: no tag of a release moves.",
  usage: "--tag TAG --name NAME --image REF",
  options: { ...TARGET, image: { type: "string" } },
  help: { ...TARGET_HELP, image: "the image's name in the engine" },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const image = required(values, "image");
    const { release, target } = await jobTargetOf(values);
    const here = places();
    const { path: regctl } = await resolveTool("regctl", { places: here, progress });
    const engine = await readyEngine({ places: here, progress });
    const released = releasedJobImage(release, target);
    const pushed = await pushReleased({ engine, client: { regctl }, image, released, progress });
    return { json: pushed, text: `${pushed.repository}@${pushed.digest}` };
  },
};

/** The release of `--tag`, and its target for the image of `--name`. */
export async function jobTargetOf(
  values: Values,
): Promise<{ readonly release: VersionTag; readonly target: JobTarget }> {
  const release = parseJobTag(required(values, "tag"));
  const image = jobImageNamed(required(values, "name"));
  const [target] = jobTargets(await jobRegistriesOf(values), [image]);
  if (target !== undefined) return { release, target };
  throw new KilnError("usage", "no registry is named for job runners", { mend: "Name it by --registry." });
}

/** The image of a name. Throws a usage error on any other text. */
export function jobImageNamed(name: string): JobImageName {
  return oneOf("--name", name, JOB_IMAGES);
}

function originOf(values: Values) {
  const [source, revision] = [optional(values, "source") ?? "", optional(values, "revision") ?? ""];
  return source === "" && revision === "" ? {} : { origin: { source, revision } };
}

function platformOf(values: Values): string {
  return oneOf("--platform", optional(values, "platform") ?? ownPlatform(), PLATFORMS);
}

function oneOf<Name extends string>(option: string, name: string, names: readonly Name[]): Name {
  const known = names.find((one) => one === name);
  if (known !== undefined) return known;
  throw new KilnError("usage", `${option} ${name} is none that there is`, { mend: `Choose of: ${names.join(", ")}.` });
}
