import { KilnError, messageOf } from "../../errors.ts";
import { asText, folded, isList, isMap, looselyEqual, type Value } from "./value.ts";

/** What became of the jobs or steps before: what the status functions answer. */
export interface Status {
  readonly success: boolean;
  readonly failure: boolean;
  readonly cancelled: boolean;
}

/** What a function of expressions gives; `syntax.ts` has checked its name and the number of its arguments. */
export function call(name: string, [first = null, ...others]: readonly Value[], status: Status): Value {
  const [second = null] = others;
  switch (name) {
    case "contains":
      if (isList(first)) return first.some((one) => looselyEqual(one, second));
      return !isMap(first) && folded(asText(first)).includes(folded(asText(second)));
    case "startswith":
      return folded(asText(first)).startsWith(folded(asText(second)));
    case "endswith":
      return folded(asText(first)).endsWith(folded(asText(second)));
    case "format":
      return formatted(asText(first), others);
    case "join":
      return isList(first) ? first.map(asText).join(others.length === 0 ? "," : asText(second)) : asText(first);
    case "tojson":
      return JSON.stringify(first, null, 2);
    case "fromjson":
      return parsedJson(asText(first));
    case "always":
      return true;
    default:
      return status[name as keyof Status];
  }
}

function formatted(text: string, values: readonly Value[]): string {
  return text.replace(/\{\{|\}\}|\{(\d+)\}|[{}]/g, (found, index: string | undefined) => {
    if (found === "{{" || found === "}}") return found.charAt(0);
    const value = index === undefined ? undefined : values[Number(index)];
    if (value !== undefined) return asText(value);
    throw new KilnError("failed", `format('${text}') has no value for ${found}`, {
      mend: "Give as many values as it has places; {{ and }} stand for single braces.",
    });
  });
}

function parsedJson(text: string): Value {
  try {
    return JSON.parse(text) as Value;
  } catch (cause) {
    // What it says of the text may hold a secret: only where, not what.
    throw new KilnError("failed", `fromJSON() got ${text === "" ? "an empty text" : "what is no JSON"}`, {
      mend: "Look at the job or step that should have made it.",
      cause: messageOf(cause),
    });
  }
}
