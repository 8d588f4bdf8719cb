import { KilnError } from "../../errors.ts";
import kilnPackage from "../../package.json" with { type: "json" };
import { pushLanguageImage } from "../../execution/language/push.ts";
import { parsePinnedImage, type PinnedImage } from "../../registry/image-reference.ts";
import { publishRunner, type PublishedRunner } from "../../release/runner-publish.ts";
import { requireReady } from "../../release/runner-readiness.ts";
import type { RunnerRecord } from "../../release/runner-record.ts";
import {
  runnerRelease,
  type RunnerLanguage,
  type RunnerRelease,
  type RunnerTarget,
  type RunnerVariant,
} from "../../release/runner-image.ts";
import { parseRunnerTag } from "../../release/runner-tag.ts";
import { readTagHistory } from "../../release/tag-history.ts";
import type { TagMoves } from "../../release/tag-moves.ts";
import { readyEngine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command, Invocation } from "../command.ts";
import { noArguments, repeated, required } from "../options.ts";
import { table } from "../printer.ts";
import { packageReader } from "../release/package-reader.ts";
import { REGISTRY_HELP, REGISTRY_OPTION, registriesOf } from "../release/plan.ts";
import { BASE, BASE_HELP, baseOf, languageOf, variantOf } from "./selection.ts";

const TARGET: Command["options"] = {
  tag: { type: "string" },
  language: { type: "string" },
  variant: { type: "string" },
  ...REGISTRY_OPTION,
};
const TARGET_HELP: Command["help"] = {
  tag: "the Git tag of the release: v1.2.3, latest-v1.2.3 or dev-v1.2.3",
  language: "the language of the image",
  variant: "slim or tools (default: slim)",
  ...REGISTRY_HELP,
};

/** `kiln language push`. */
export const languagePushCommand: Command = {
  name: "language push",
  summary: "Push a language runner to the registry of its release, by digest alone: no tag of a release moves.",
  usage: "--tag TAG --language L [--variant V] --image REF",
  options: { ...TARGET, ...BASE, image: { type: "string" } },
  help: { ...TARGET_HELP, ...BASE_HELP, image: "the image's name in the engine" },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const image = required(values, "image");
    const { release, target } = await targetOf(values, languageOf(values), variantOf(values));
    const base = baseOf(values);
    requireReady(target, base);
    const here = places();
    const { path: regctl } = await resolveTool("regctl", { places: here, progress });
    const engine = await readyEngine({ places: here, progress });
    const client = { regctl };
    const pushed = await pushLanguageImage({ engine, client, image, release, target, ...base, progress });
    return { json: pushed, text: `${pushed.repository}@${pushed.digest}` };
  },
};

/** `kiln language publish`. */
export const languagePublishCommand: Command = {
  name: "language publish",
  summary:
    "Give a pushed language runner the tags of its release and a list of its packages (SBOM), in its registry and the mirrors.",
  usage: "--tag TAG --language L [--variant V] --image REPOSITORY@DIGEST… [--allow-older]",
  options: { ...TARGET, ...BASE, image: { type: "string", multiple: true }, "allow-older": { type: "boolean" } },
  help: {
    ...TARGET_HELP,
    ...BASE_HELP,
    image: "as `kiln language push` prints it; several, one a platform, become an index",
    "allow-older": "let latest go back to an older version",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const { release, target } = await targetOf(values, languageOf(values), variantOf(values));
    const images = pinnedImagesOf(values);
    const here = places();
    const client = { regctl: (await resolveTool("regctl", { places: here, progress })).path };
    const published = await publishRunner({
      ...{ client, release, target, images, allowOlder: values["allow-older"] === true, now: new Date(), progress },
      ...baseOf(values),
      ...{ version: kilnPackage.version, readPackages: packageReader(client, here, progress) },
    });
    return { json: published, text: publishedText(published) };
  },
};

/** `kiln language history`: what the image of a tag replaced. */
export const languageHistoryCommand: Command = {
  name: "language history",
  summary: "Show which releases set the tag of a language runner, and the digests that they replaced.",
  usage: "--tag TAG --language L [--variant V]",
  options: TARGET,
  help: TARGET_HELP,
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const { target } = await targetOf(values, languageOf(values), variantOf(values));
    const [repository] = target.repositories;
    const { path: regctl } = await resolveTool("regctl", { places: places(), progress });
    const at = { repository, imageTag: target.imageTag };
    const records = await readTagHistory({ regctl }, at);
    return { json: { ...at, records }, text: tagHistoryText(at, records) };
  },
};

/** The images of `--image`, which are named by their digests. */
export function pinnedImagesOf(values: Invocation["values"]): readonly PinnedImage[] {
  return repeated(values, "image").map((text) => {
    const image = parsePinnedImage(text);
    if (image !== undefined) return image;
    throw new KilnError("usage", `--image ${text} is no image by digest`, { mend: "Write repository@sha256:…" });
  });
}

/** What a tag named, in lines for a person. */
export function tagHistoryText(
  { repository, imageTag }: { readonly repository: string; readonly imageTag: string },
  records: readonly RunnerRecord[],
): string {
  if (records.length === 0) return `${repository}:${imageTag} was never released`;
  const rows = records.map(({ at, release, buildTag, move, replaces = "" }) => [at, release, buildTag, move, replaces]);
  return table([["at", "release", "build tag", "", "replaced"], ...rows]);
}

/** The release of `--tag`, and its target for one image. */
export async function targetOf(
  values: Invocation["values"],
  language: RunnerLanguage,
  variant: RunnerVariant,
): Promise<{ readonly release: RunnerRelease; readonly target: RunnerTarget }> {
  const registries = await registriesOf(values);
  const options = { registries, languages: [language], variants: [variant] };
  const release = runnerRelease(parseRunnerTag(required(values, "tag")), options);
  const [target] = release.targets;
  if (target !== undefined) return { release, target };
  throw new KilnError("usage", `no registry is named for ${release.environment}`, { mend: "Name it by --registry." });
}

/** What was published, in lines for a person. */
export function publishedText(published: PublishedRunner): string {
  const { digest, platforms, imageTag, buildTag, packageLists, moves } = published;
  const lists = Object.values(packageLists).map((list) => `\npackages (SBOM) in ${list}`);
  return `${movesText(moves, imageTag)}\n${digest} (${platforms.join(", ")}), for ever ${buildTag}${lists.join("")}`;
}

/** What happened to a tag, a line a repository. */
export function movesText(moves: TagMoves, imageTag: string): string {
  const rows = Object.entries(moves).map(([repository, { kind, replaces }]) => [
    `${repository}:${imageTag}`,
    kind,
    replaces === undefined ? "" : `was ${replaces}`,
  ]);
  return table(rows);
}
