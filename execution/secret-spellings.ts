import { jsonInsides, jsonSpellings } from "./json-spellings.ts";
import { markupSpellings, shellSpellings } from "./quoted-spellings.ts";

/** Shorter secrets are left alone: hiding every `a` would hide everything, and tell what the secret is. */
const LEAST_BYTES = 4;
const LEAST_LINE_BYTES = 8;
/** Line lengths at which programs wrap base64: `base64` of coreutils, and PEM. */
const WRAPS = [76, 64] as const;
/**
 * Signs beside letters and digits that encoders of URLs leave as they are: RFC 3986 (Go's query, Python's quote without safe
 * signs), encodeURIComponent, HTML forms, Python's quote, Go's path, Go's user name and password, encodeURI.
 */
const UNESCAPED = ["-_.~", "-_.~!'()*", "-_.*", "-_.~/", "-_.~$&+=:@", "-_.~$&+,;=", "-_.~;/?:@&=+$,#!'()*"] as const;

/**
 * Every text under which a secret may show up in output: as it is, JSON-escaped (once and twice, as many encoders do it), as HTML
 * and XML have it, as shells quote it, URL-encoded, in base64 at any alignment, also JSON-escaped before, in hexadecimal; of one with
 * several lines also each line. That base64 may be folded over lines is found when a text is read (unfolded.ts).
 */
export function spellingsOf(secret: string): readonly string[] {
  const lines = /[\r\n]/.test(secret) ? secret.split(/[\r\n]+/).map((line) => line.trim()) : [];
  const texts = [
    ...[secret, secret.trim()].filter((text) => bytes(text) >= LEAST_BYTES),
    ...lines.filter((line) => bytes(line) >= LEAST_LINE_BYTES),
  ];
  return [...new Set(texts.flatMap(spellingsOfText))];
}

function spellingsOfText(text: string): readonly string[] {
  return [
    text,
    ...jsonSpellings(text),
    ...markupSpellings(text),
    ...shellSpellings(text),
    ...urlSpellings(text),
    ...[...new Set([text, ...jsonInsides(text)])].flatMap(base64Spellings),
    ...hexSpellings(text),
  ];
}

function urlSpellings(text: string): readonly string[] {
  const forms = UNESCAPED.map((signs) => percentEncoded(text, signs));
  const all = [...forms, ...forms.map((form) => form.replaceAll("%20", "+"))];
  return [...all, ...all.map((form) => form.replace(/%../g, (code) => code.toLowerCase()))];
}

function percentEncoded(text: string, unescaped: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const sign = String.fromCharCode(byte);
      return /[A-Za-z0-9]/.test(sign) || unescaped.includes(sign) ? sign : `%${hexOf(byte).toUpperCase()}`;
    })
    .join("");
}

function base64Spellings(text: string): readonly string[] {
  const whole = Buffer.from(text).toString("base64");
  const wrapped = WRAPS.flatMap((width) =>
    whole.length > width ? (whole.match(RegExp(`.{1,${width}}`, "g")) ?? []) : [],
  );
  const spellings = [
    whole,
    ...wrapped.filter((line) => line.length >= LEAST_LINE_BYTES),
    ...[0, 1, 2].map((at) => inside(text, at)),
  ].flatMap((one) => [one, one.replace(/=+$/, "")]);
  return [...spellings, ...spellings.map((one) => one.replaceAll("+", "-").replaceAll("/", "_"))].filter(
    (one) => one.length >= LEAST_BYTES,
  );
}

/** What base64 of something longer shows of a text that begins at a byte `offset` (modulo 3): without the digits shared with neighbours. */
function inside(text: string, offset: number): string {
  const padded = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]);
  return padded.toString("base64").slice(Math.ceil((offset * 8) / 6), Math.floor((padded.length * 8) / 6));
}

function hexSpellings(text: string): readonly string[] {
  const hex = Buffer.from(text).toString("hex");
  return [hex, hex.toUpperCase()];
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}

function hexOf(code: number): string {
  return code.toString(16).padStart(2, "0");
}
