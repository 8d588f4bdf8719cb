import { EXIT, KilnError } from "../../errors.ts";
import { formatReference, type PinnedImage } from "../../registry/image-reference.ts";
import { readStoredManifest } from "../../registry/stored-manifest.ts";
import { readPackageLists, type PackageList } from "../../release/supply/package-list.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command } from "../command.ts";
import { noArguments, repeated } from "../options.ts";
import { printableLine } from "../printable.ts";
import { table } from "../printer.ts";
import { imagesOf } from "./seal.ts";

/** `kiln release sbom`. */
export const sbomCommand: Command = {
  name: "release sbom",
  summary: "Show the list of packages (SBOM) that is attached to images by digest. Exit 3 where one has none.",
  usage: "--image REPOSITORY@DIGEST…",
  options: { image: { type: "string", multiple: true } },
  help: { image: "an image; of an index every platform (may be repeated). --json prints the SPDX document" },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const named = imagesOf(repeated(values, "image"));
    const { path: regctl } = await resolveTool("regctl", { places: places(), progress });
    const found: Listed[] = [];
    for (const image of named) {
      const stored = await readStoredManifest({ regctl }, image);
      if (stored === undefined) {
        throw new KilnError("difference", `there is no ${formatReference(image)}`, {
          mend: "Name an image that its registry has.",
        });
      }
      const digests = stored.children.length > 0 ? stored.children : [image.digest];
      for (const digest of digests) {
        const one = { repository: image.repository, digest };
        found.push({ image: one, list: (await readPackageLists({ regctl }, one))[0] });
      }
    }
    return {
      json: {
        images: found.map(({ image, list }) => ({
          image: formatReference(image),
          ...(list && { list: list.digest, sealed: list.isSealed, document: list.document }),
        })),
      },
      text: found.map(listText).join("\n\n"),
      exitCode: found.every(({ list }) => list !== undefined) ? EXIT.done : EXIT.difference,
    };
  },
};

/** An image, and its list where it has one. */
interface Listed {
  readonly image: PinnedImage;
  readonly list: PackageList | undefined;
}

/** A list in lines for a person. */
export function listText({ image, list }: Listed): string {
  const name = formatReference(image);
  if (list === undefined) return `${name}\nhas no list of packages (SBOM)`;
  const rows = list.packages.map(({ name: own, version, foundIn }) => [
    "",
    ...[own, version, foundIn].map(printableLine),
  ]);
  const word = list.isSealed
    ? "sealed: `kiln release verify` verifies who signed it"
    : "unsigned: it tells those who trust the registry's writers";
  return `${name}\n${table(rows)}\n${list.packages.length} packages, listed in ${list.digest}; ${word}`;
}
