type Replacements = Readonly<Record<string, string>>;

const TAGS: Replacements = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** What encoders of HTML and XML replace; the same as markups of images/programs/redact/quoted.go. */
const MARKUPS: readonly Replacements[] = [
  {}, // the text between tags
  { '"': "&quot;" }, // an attribute
  { '"': "&quot;", "'": "&#39;" }, // .NET, Ruby, lodash
  { '"': "&quot;", "'": "&#x27;" }, // Python
  { '"': "&quot;", "'": "&#039;" }, // PHP
  { '"': "&quot;", "'": "&apos;" }, // XML
  { '"': "&#34;", "'": "&#39;" }, // Go
  { '"': "&#34;", "'": "&#39;", "+": "&#43;" }, // Go's templates
  { '"': "&quot;", "'": "&#x27;", "+": "&#x2B;", "`": "&#x60;" }, // System.Text.Encodings.Web
  { '"': "&quot;", "'": "&#x27;", "`": "&#x60;", "=": "&#x3D;" }, // Handlebars
  { '"': "&quot;", "'": "&#39;", "`": "&#x60;", "=": "&#x3D;", "/": "&#x2F;" }, // Mustache
].map((signs) => ({ ...TAGS, ...signs }));

/** What is replaced in quotes; the same as quotings of images/programs/redact/quoted.go. */
const QUOTINGS: readonly Replacements[] = [
  { "'": String.raw`'\''` }, // a shell's single quotes
  { "'": `'"'"'` }, // the same, by Python's shlex
  { "'": "''" }, // YAML, PowerShell, SQL
  { '"': '\\"', "\\": "\\\\", $: "\\$", "`": "\\`" }, // a shell's double quotes
  { "'": "\\'", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" }, // $'…', Python's repr
];

/** A text as HTML and XML have it. */
export function markupSpellings(text: string): readonly string[] {
  return MARKUPS.map((signs) => replaced(text, signs));
}

/** A text as shells, and those who write for them, quote it. */
export function shellSpellings(text: string): readonly string[] {
  return [
    // printf %q of bash; # and ~ have a meaning at the beginning only.
    text.replace(/^[#~]|[ !"$&'()*,;<>?[\\\]^`{|}]/g, String.raw`\$&`),
    // Ruby's Shellwords
    text.replace(/[^A-Za-z0-9_\-.,:+/@\n]/gu, String.raw`\$&`),
    ...QUOTINGS.map((signs) => replaced(text, signs)),
  ];
}

function replaced(text: string, signs: Replacements): string {
  return text.replace(/[^0-9A-Za-z]/g, (unit) => signs[unit] ?? unit);
}
