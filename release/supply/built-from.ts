import { KilnError } from "../../errors.ts";
import { formatReference, type PinnedImage } from "../../registry/image-reference.ts";
import { commitsIn } from "./provenance.ts";
import { readSoundPart, type SealCheck } from "./seal-faults.ts";

/**
 * Throws a difference unless a provenance that stands says that an image was built from a tag's commit. Others beside it do not
 * matter: an image of unchanged inputs is taken again by later commits, and has one of each.
 */
export async function requireBuiltFrom(
  check: SealCheck,
  image: PinnedImage,
  { commit, tag, stack }: { readonly commit: string; readonly tag: string; readonly stack: string },
): Promise<void> {
  const isOf = await readSoundPart(check, image, "provenance", (predicate) => commitsIn(predicate).includes(commit));
  if (isOf !== undefined) return;
  const other = await readSoundPart(check, image, "provenance", () => true);
  const commits = other === undefined ? [] : commitsIn(other.statement.predicate);
  const named = commits.length === 0 ? "no commit" : `commit ${commits.join(" and ")}`;
  const reference = formatReference(image);
  throw new KilnError(
    "difference",
    `${reference} is not of ${tag}, which is commit ${commit}: its provenance names ${named}`,
    {
      mend:
        "Publish what the workflow built from that tag, or tag the commit that was built. Where the inputs of both are the same, " +
        `\`npx kiln release seal --stack ${stack} --this-commit --image ${reference}\` at the tag's commit adds its provenance.`,
    },
  );
}
