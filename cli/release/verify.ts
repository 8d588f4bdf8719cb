import path from "node:path";
import { EXIT, KilnError } from "../../errors.ts";
import { formatReference } from "../../registry/image-reference.ts";
import { readStackSettings } from "../../release/stack-file.ts";
import { policyText, readSealState, type SealState } from "../../release/supply/seal-faults.ts";
import { stackFile } from "../../settings.ts";
import { GITHUB_ISSUER, type SignaturePolicy } from "../../settings/signatures.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command, Invocation } from "../command.ts";
import { noArguments, optional, repeated } from "../options.ts";
import { table } from "../printer.ts";
import { notaryHere } from "./notary.ts";
import { imagesOf } from "./seal.ts";

/** `kiln release verify`. */
export const verifySealCommand: Command = {
  name: "release verify",
  summary:
    "Verify signature, provenance and list of packages (SBOM) of images by digest; exit 3 where one does not stand.",
  usage: "--image REPOSITORY@DIGEST… (--stack S | --key FILE | --identity ID… [--issuer URL])",
  options: {
    image: { type: "string", multiple: true },
    stack: { type: "string" },
    key: { type: "string" },
    identity: { type: "string", multiple: true },
    issuer: { type: "string" },
  },
  help: {
    image: "an image, or an index of images (may be repeated)",
    stack: "whoever kiln:signatures of this stack names must have signed",
    key: "the owner of this public key must have signed",
    identity: "this workflow, or another identity, must have signed (may be repeated: any of them)",
    issuer: `who vouches for the identity; ${GITHUB_ISSUER} by default`,
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const images = imagesOf(repeated(values, "image"));
    const here = places();
    const policy = await policyOf(here.project, values);
    const { path: regctl } = await resolveTool("regctl", { places: here, progress });
    const check = { client: { regctl }, notary: notaryHere(here, progress), policy };
    const results = [];
    for (const image of images) {
      const { sound, faults } = await readSealState(check, image);
      results.push({ image: formatReference(image), sound, faults });
    }
    const isSound = results.every(({ faults }) => faults.length === 0);
    return {
      json: { policy, images: results.map(({ image, ...state }) => ({ image, ...stateJson(state) })) },
      text: [
        ...results.map(({ image, ...state }) => `${image}\n${stateText(state)}`),
        isSound ? `verified: signed by ${policyText(policy)}` : `not verified for ${policyText(policy)}`,
      ].join("\n"),
      exitCode: isSound ? EXIT.done : EXIT.difference,
    };
  },
};

async function policyOf(project: string, values: Invocation["values"]): Promise<SignaturePolicy> {
  const [stack, key, identities] = [optional(values, "stack"), optional(values, "key"), repeated(values, "identity")];
  const ways = [stack, key, identities[0]].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    throw new KilnError("usage", "who must have signed is not said exactly once", {
      mend: "Give one of --stack, --key and --identity.",
    });
  }
  if (key !== undefined) return { kind: "key", key: key.includes("://") ? key : path.resolve(key) };
  if (stack === undefined) return { kind: "keyless", identities, issuer: optional(values, "issuer") ?? GITHUB_ISSUER };
  const { signatures } = await readStackSettings(project, stack);
  if (signatures !== undefined) return signatures;
  throw new KilnError("usage", `${stackFile(stack)} has no kiln:signatures: stack ${stack} demands no signature`, {
    mend: "Say who must have signed by --key or --identity.",
  });
}

function stateJson({ sound, faults }: SealState) {
  const parts = sound.map(({ image, part, bundle }) => ({
    ...{ digest: image.digest, part, bundle: bundle.digest },
    ...(part === "signature" ? {} : { predicate: bundle.statement.predicate }),
  }));
  return { verified: faults.length === 0, parts, faults };
}

function stateText({ sound, faults }: SealState): string {
  const rows = [
    ...sound.map(({ part, bundle }) => ["", part, bundle.digest]),
    ...faults.map((fault) => ["", "fault", `it ${fault}`]),
  ];
  return table(rows);
}
