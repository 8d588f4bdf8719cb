import { KilnError } from "../../errors.ts";
import { parseDocument } from "../../settings/checkout-document.ts";
import { RUNNER_LANGUAGES, RUNNER_VARIANTS } from "../../release/runner-image.ts";
import { PLATFORMS } from "../../toolchain/platforms.ts";
import type { Archive, Catalogue, CatalogueDownload, CataloguePart, LanguageProgram } from "./catalogue.ts";

/** Below a checkout. */
export const CATALOGUE_FILE = "images/pulumi-runner/languages.json";

/** The catalogue that a text is. Throws a usage error that names the file, and what is wrong in it. */
export function parseCatalogue(text: string): Catalogue {
  return readCatalogue(parseDocument(text, CATALOGUE_FILE));
}

/**
 * Checks the shape of a catalogue and returns it typed. Throws a usage error that names the first wrong key: also a key that
 * means nothing, a download that nothing pins, and a language that is missing.
 */
export function readCatalogue(document: unknown): Catalogue {
  const top = record(document, "the catalogue", [
    "base",
    "user",
    "packages",
    "languages",
    "tools",
    "clouds",
    "downloads",
  ]);
  const downloads = entries(top.downloads, "downloads", readDownload);
  const part = (value: Fields, at: string) => readPart(value, at, Object.keys(downloads));
  const base = record(top.base, "base", ["image", "tag", "digest"]);
  const user = record(top.user, "user", ["uid", "gid"]);
  const found = record(top.languages, "languages", RUNNER_LANGUAGES);
  const languages = RUNNER_LANGUAGES.map((name) => {
    const at = `languages.${name}`;
    const fields = record(found[name], at, ["runtime", "hosts", "budget", ...PART]);
    const budget = record(fields.budget, `${at}.budget`, RUNNER_VARIANTS);
    const language = {
      ...part(fields, at),
      runtime: text(fields.runtime, `${at}.runtime`, /^[a-z]+$/),
      hosts: texts(fields.hosts, `${at}.hosts`, /^pulumi-[a-z-]+\??$/),
      budget: {
        slim: whole(budget.slim, `${at}.budget.slim`, 1),
        tools: whole(budget.tools, `${at}.budget.tools`, 1),
      },
    };
    return [name, language] as const;
  });
  return {
    base: {
      image: text(base.image, "base.image", /^[a-z0-9.-]+\.[a-z]+(\/[a-z0-9._-]+)+$/),
      tag: text(base.tag, "base.tag", /^(?!latest$)[\w][\w.-]*$/),
      digest: base.digest === null ? undefined : text(base.digest, "base.digest", /^sha256:[0-9a-f]{64}$/),
    },
    user: { uid: whole(user.uid, "user.uid", 1), gid: whole(user.gid, "user.gid", 0) },
    packages: texts(top.packages, "packages", PACKAGE),
    languages: Object.fromEntries(languages) as Catalogue["languages"],
    tools: part(record(top.tools, "tools", PART), "tools"),
    clouds: entries(top.clouds, "clouds", (value, at) => {
      const fields = record(value, at, ["budget", ...PART]);
      return { ...part(fields, at), budget: whole(fields.budget, `${at}.budget`, 1) };
    }),
    downloads,
  };
}

type Fields = Readonly<Record<string, unknown>>;

const PART = ["packages", "downloads", "programs"];
const PACKAGE = /^[a-z0-9][a-z0-9.+-]+(=[\w.+~:-]+)?$/;
const VERSION = /^\d+(\.\d+)*$/;
// A line of the build has its fields between | and their parts between blanks.
const PLACE = /^\/[\w./@+-]+$/;
const INSIDE = /^[\w./@*+-]+$/;

function readPart(fields: Fields, at: string, known: readonly string[]): CataloguePart {
  const downloads = texts(fields.downloads, `${at}.downloads`, /./);
  const unknown = downloads.find((name) => !known.includes(name));
  if (unknown !== undefined) throw wrong(`${at}.downloads`, `of: ${known.join(", ")}`, unknown);
  return {
    packages: texts(fields.packages, `${at}.packages`, PACKAGE),
    downloads,
    programs: entries(fields.programs, `${at}.programs`, readProgram),
  };
}

function readProgram(value: unknown, at: string): LanguageProgram {
  const fields = record(value, at, ["version", "ask"]);
  const [program, ...args] = texts(fields.ask, `${at}.ask`, /^[\w./-]+$/);
  if (program === undefined) throw wrong(`${at}.ask`, "a command", fields.ask);
  return { version: text(fields.version, `${at}.version`, VERSION), ask: [program, ...args] };
}

function readDownload(value: unknown, at: string): CatalogueDownload {
  const keys = ["version", "format", "strip", "folder", "files", "links", "programs", "archives"];
  const fields = record(value, at, keys);
  const folder = fields.folder === undefined ? undefined : text(fields.folder, `${at}.folder`, PLACE);
  const files = places(fields.files, `${at}.files`, INSIDE, PLACE);
  if ((folder === undefined) === (Object.keys(files).length === 0)) throw wrong(at, "a folder, or files", value);
  return {
    version: text(fields.version, `${at}.version`, VERSION),
    format: text(fields.format, `${at}.format`, /^(tar\.gz|zip|file)$/) as CatalogueDownload["format"],
    strip: whole(fields.strip, `${at}.strip`, 0),
    folder,
    files,
    links: places(fields.links, `${at}.links`, PLACE, INSIDE),
    programs: fields.programs === undefined ? [] : texts(fields.programs, `${at}.programs`, INSIDE),
    archives: Object.fromEntries(
      PLATFORMS.map((platform) => [
        platform,
        readArchive(record(fields.archives, `${at}.archives`, PLATFORMS)[platform], `${at}.archives.${platform}`),
      ]),
    ),
  };
}

function readArchive(value: unknown, at: string): Archive {
  const fields = record(value, at, ["url", "sha256", "sha512"]);
  const url = text(fields.url, `${at}.url`, /^https:\/\/[^\s|]+$/);
  if (fields.sha512 !== undefined) {
    return { url, algorithm: "sha512", checksum: text(fields.sha512, `${at}.sha512`, /^[0-9a-f]{128}$/) };
  }
  return { url, algorithm: "sha256", checksum: text(fields.sha256, `${at}.sha256`, /^[0-9a-f]{64}$/) };
}

function places(value: unknown, at: string, from: RegExp, to: RegExp): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  return entries(value, at, (place, key) => {
    text(key.slice(at.length + 1), key, from);
    return text(place, key, to);
  });
}

function entries<Value>(value: unknown, at: string, read: (value: unknown, at: string) => Value) {
  return Object.fromEntries(Object.entries(record(value, at)).map(([key, one]) => [key, read(one, `${at}.${key}`)]));
}

function record(value: unknown, at: string, keys?: readonly string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(at, "an object", value);
  const unknown = keys && Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw wrong(`${at}.${unknown}`, `left away, or one of ${keys?.join(", ") ?? ""}`, unknown);
  return value as Fields;
}

function text(value: unknown, at: string, pattern: RegExp): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw wrong(at, `text like ${String(pattern)}`, value);
}

function texts(value: unknown, at: string, pattern: RegExp): readonly string[] {
  if (!Array.isArray(value)) throw wrong(at, "a list of texts", value);
  return value.map((item, index) => text(item, `${at}[${index}]`, pattern));
}

function whole(value: unknown, at: string, least: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  throw wrong(at, `a whole number from ${least} on`, value);
}

function wrong(at: string, expected: string, found: unknown): KilnError {
  const shown = found === undefined ? "nothing" : JSON.stringify(found);
  return new KilnError("usage", `${CATALOGUE_FILE}: ${at} must be ${expected}, found ${shown}`, {
    mend: "Restore that file from git, or correct the key.",
  });
}
