import { KilnError } from "../../errors.ts";
import kilnPackage from "../../package.json" with { type: "json" };
import { parsePinnedImage, type PinnedImage } from "../../registry/image-reference.ts";
import { readStackSettings } from "../../release/stack-file.ts";
import { readBuildFacts } from "../../release/supply/build-facts.ts";
import { seal, type Sealed } from "../../release/supply/seal.ts";
import { policyText } from "../../release/supply/seal-faults.ts";
import { signerHere } from "../../release/supply/signer.ts";
import { stackFile } from "../../settings.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command } from "../command.ts";
import { noArguments, optional, repeated, required } from "../options.ts";
import { table } from "../printer.ts";
import { notaryHere } from "./notary.ts";
import { packageReader } from "./package-reader.ts";

/** `kiln release seal`. */
export const sealCommand: Command = {
  name: "release seal",
  summary: "Attach a list of packages (SBOM), provenance and a signature to images by digest, as a stack demands them.",
  usage: "--stack S --image REPOSITORY@DIGEST… [--key FILE] [--plan PLAN.json] [--this-commit]",
  options: {
    stack: { type: "string" },
    image: { type: "string", multiple: true },
    key: { type: "string" },
    plan: { type: "string" },
    "this-commit": { type: "boolean" },
  },
  help: {
    stack: "whose images they are: its kiln:signatures says who has to sign; without it nothing is done",
    image: "an image, or an index of images (may be repeated); a warm image before what is built from it",
    key: "sign with this private key, whose password is in COSIGN_PASSWORD, or with one in a KMS (or KILN_SIGNING_KEY); else by OIDC, as in a workflow",
    plan: "the plan by which shards were compiled, for the provenance",
    "this-commit":
      "as a build that a tag may release: provenance of this commit too, where the image was taken from an earlier one of the same inputs",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const stack = required(values, "stack");
    const images = imagesOf(repeated(values, "image"));
    const here = places();
    const settings = await readStackSettings(here.project, stack);
    const policy = settings.signatures;
    if (policy === undefined) {
      const text = `nothing to do: ${stackFile(stack)} has no kiln:signatures, so stack ${stack} takes images without`;
      return { json: { stack, policy: null, sealed: [] }, text };
    }
    const signer = await signerHere(optional(values, "key"), process.env);
    const { path: regctl } = await resolveTool("regctl", { places: here, progress });
    const { version } = kilnPackage;
    const [client, plan] = [{ regctl }, optional(values, "plan")];
    const facts = await readBuildFacts({ client, project: here.project, settings, plan, version, env: process.env });
    const readPackages = packageReader(client, here, progress);
    const sealed: Sealed[] = [];
    for (const image of images) {
      sealed.push(
        ...(await seal(
          {
            ...{ client, notary: notaryHere(here, progress), signer, policy, stack, facts, readPackages, progress },
            thisCommit: values["this-commit"] === true,
          },
          image,
        )),
      );
    }
    return { json: { stack, policy, sealed }, text: `${sealedText(sealed)}\nsigned by ${policyText(policy)}` };
  },
};

/** The images of `--image`. Throws a usage error where there is none, or one without a digest. */
export function imagesOf(texts: readonly string[]): readonly PinnedImage[] {
  if (texts.length === 0) throw new KilnError("usage", "--image is missing", { mend: "See --help." });
  return texts.map((text) => {
    const image = parsePinnedImage(text);
    if (image !== undefined) return image;
    throw new KilnError("usage", `--image ${text} is no image by digest`, { mend: "Write repository@sha256:…" });
  });
}

function sealedText(sealed: readonly Sealed[]): string {
  return sealed
    .map(({ image, parts, added }) => {
      const rows = Object.entries(parts).map(([part, digest]) => {
        const isNew = added.some((one) => one === part);
        return ["", part, isNew ? "attached" : "was there", digest];
      });
      return `${image}\n${table(rows)}`;
    })
    .join("\n");
}
