/** How an encoder writes the inside of a JSON text, beside what JSON requires. */
interface JsonForm {
  /** Escaped by their number, where JSON allows that they stay. */
  readonly signs?: string;
  /** All but printable ASCII is escaped by its number. */
  readonly ascii?: boolean;
  /** The digits of numbers are 0-9 and A-F. */
  readonly upper?: boolean;
  /** `/` is `\/`. */
  readonly slash?: boolean;
}

/** Of encoders that people meet; the same as jsonForms of images/programs/redact/jsontexts.go. */
const JSON_FORMS: readonly JsonForm[] = [
  {}, // JavaScript
  { signs: "<>&\u2028\u2029" }, // Go, Ruby on Rails
  { ascii: true }, // Python
  { ascii: true, upper: true }, // Jackson
  { signs: "<>&='\u2028\u2029" }, // Gson
  { signs: "\"<>&'\u0085\u2028\u2029" }, // Newtonsoft for HTML
  { signs: "\"&'+<>`", ascii: true, upper: true }, // System.Text.Json
  { ascii: true, slash: true }, // PHP
  { slash: true }, // PHP with JSON_UNESCAPED_UNICODE
  { signs: "\"<>&'", slash: true, upper: true }, // PHP with JSON_HEX_*
];

const SHORT: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** The inside of a JSON text in each form, and the same within another JSON text. */
export function jsonSpellings(text: string): readonly string[] {
  return JSON_FORMS.flatMap((form) => {
    const once = written(text, form);
    return [once, written(once, {})];
  });
}

/** The inside of a JSON text as JavaScript, Go and Python write it: what stands in base64 of a document, such as a login of Docker. */
export function jsonInsides(text: string): readonly string[] {
  return JSON_FORMS.slice(0, 3).map((form) => written(text, form));
}

function written(text: string, { signs = "", ascii = false, upper = false, slash = false }: JsonForm): string {
  return text.replace(/[^0-9A-Za-z]/g, (unit) => {
    const short = SHORT[unit];
    if (short !== undefined) return short;
    if (signs.includes(unit) || unit < " " || (ascii && unit > "~")) {
      const digits = unit.charCodeAt(0).toString(16).padStart(4, "0");
      return `\\u${upper ? digits.toUpperCase() : digits}`;
    }
    return unit === '"' || (unit === "/" && slash) ? `\\${unit}` : unit;
  });
}
