import kilnPackage from "../../package.json" with { type: "json" };
import { JOB_IMAGES } from "../../execution/job/image-versions.ts";
import { jobRunnerName, jobTargets } from "../../release/job-image.ts";
import { LATEST, publishJobImage, type PublishedJobImage } from "../../release/job-publish.ts";
import { makeJobRollback, parseNamedRelease, readJobRollbacks } from "../../release/job-rollback.ts";
import { readTagHistory } from "../../release/tag-history.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command } from "../command.ts";
import { movesText, pinnedImagesOf, publishedText, tagHistoryText } from "../language/publish.ts";
import { noArguments, optional, repeated, required } from "../options.ts";
import { packageReader } from "../release/package-reader.ts";
import { JOB_REGISTRY_HELP, jobRegistriesOf, REGISTRY_OPTION } from "../release/plan.ts";
import { jobImageNamed, jobTargetOf, TARGET, TARGET_HELP } from "./image-build.ts";

/** `kiln job image publish`. */
export const imagePublishCommand: Command = {
  name: "job image publish",
  summary: "Give a pushed image of jobs the tags of its release; latest where no higher release is there.",
  usage: "--tag TAG --name NAME --image REPOSITORY@DIGEST… [--allow-older]",
  options: { ...TARGET, image: { type: "string", multiple: true }, "allow-older": { type: "boolean" } },
  help: {
    ...TARGET_HELP,
    image: "as `kiln job image push` prints it; several, one a platform, become an index",
    "allow-older": "let latest go back to an older version, or to one that it was set back from",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const { release, target } = await jobTargetOf(values);
    const images = pinnedImagesOf(values);
    const here = places();
    const client = { regctl: (await resolveTool("regctl", { places: here, progress })).path };
    const published = await publishJobImage({
      ...{ client, release, target, images, allowOlder: values["allow-older"] === true, now: new Date(), progress },
      ...{ version: kilnPackage.version, readPackages: packageReader(client, here, progress) },
    });
    return { json: published, text: publishedJobText(published) };
  },
};

/** What was published, in lines for a person. */
export function publishedJobText(published: PublishedJobImage): string {
  const { latest } = published;
  const said =
    latest === undefined
      ? `${LATEST} stays where it is: this is a pre-release, a higher release is there, or it was set back from this one`
      : movesText(latest, LATEST);
  return `${publishedText(published)}\n${said}`;
}

/** `kiln job image history`. */
export const imageHistoryCommand: Command = {
  name: "job image history",
  summary: "Show what a tag of an image of jobs named, and which releases and rollbacks moved it.",
  usage: "--name NAME [--image-tag TAG]",
  options: { name: { type: "string" }, "image-tag": { type: "string" }, ...REGISTRY_OPTION },
  help: {
    name: TARGET_HELP.name ?? "",
    "image-tag": `such as v1.2.3 (default: ${LATEST})`,
    ...JOB_REGISTRY_HELP,
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const [target] = jobTargets(await jobRegistriesOf(values), [jobImageNamed(required(values, "name"))]);
    const { path: regctl } = await resolveTool("regctl", { places: places(), progress });
    const at = { repository: target?.repositories[0] ?? "", imageTag: optional(values, "image-tag") ?? LATEST };
    const records = await readTagHistory({ regctl }, at);
    return { json: { ...at, records }, text: tagHistoryText(at, records) };
  },
};

/** `kiln job image rollback`. */
export const imageRollbackCommand: Command = {
  name: "job image rollback",
  summary: "Set latest of the images of jobs to a release that is there already, and record it.",
  usage: "--to VERSION|BUILD-TAG [--name NAME]… [--dry-run]",
  options: {
    ...{ to: { type: "string" }, name: { type: "string", multiple: true }, ...REGISTRY_OPTION },
    "dry-run": { type: "boolean" },
  },
  help: {
    to: "1.2.3, or the tag of one build as `kiln job image history` prints it",
    name: `only this image; repeat it for several (default: all that have that release, of ${JOB_IMAGES.join(", ")})`,
    ...JOB_REGISTRY_HELP,
    "dry-run": "say what would move, and move nothing",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const to = parseNamedRelease(required(values, "to"));
    const names = repeated(values, "name").map(jobImageNamed);
    const targets = jobTargets(await jobRegistriesOf(values), names.length > 0 ? names : JOB_IMAGES);
    const { path: regctl } = await resolveTool("regctl", { places: places(), progress });
    const client = { regctl };
    // Of all images first: no half of them goes back.
    const { rollbacks, without } = await readJobRollbacks(client, { targets, mayLack: names.length === 0 }, to);
    if (values["dry-run"] !== true) {
      for (const rollback of rollbacks) await makeJobRollback(client, rollback, { now: new Date(), progress });
    }
    const lacking = without.map(({ image }) => image);
    const stays = lacking.map((image) => `${jobRunnerName(image)} has no ${to.imageTag}: its ${LATEST} stays`);
    const text = [...rollbacks.map(({ moves }) => movesText(moves, LATEST)), ...stays].join("\n");
    return { json: { rollbacks, without: lacking }, text };
  },
};
