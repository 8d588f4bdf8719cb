import { isImageReference } from "../registry/image-reference.ts";
import { described, refusal, textOf, type Field } from "./field.ts";

/** The image reference in a field; nothing where it is not set. `example` is what an error proposes. */
export function imageReferenceOf(field: Field, example: string): string | undefined {
  const image = textOf(field);
  if (image === undefined || isImageReference(image)) return image;
  throw refusal(field, `is ${described(image)}, which is no image reference`, {
    mend: `Set it to an image such as ${example}`,
  });
}
