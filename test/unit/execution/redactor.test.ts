import fc from "fast-check";
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it, test } from "vitest";
import { parseExactJson, type Json } from "../../../execution/module/json.ts";
import { REDACTED, Redactor } from "../../../execution/redactor.ts";

interface Vector {
  readonly name: string;
  readonly secrets: readonly string[];
  readonly writes: readonly string[];
  readonly expected: string;
}

const FILE = path.resolve(import.meta.dirname, "../../../execution/redactor-vectors.json");
interface DocumentVector {
  readonly name: string;
  readonly secrets: readonly string[];
  readonly document: Json;
  readonly expected: Json;
}

const { vectors, documents } = parseExactJson(readFileSync(FILE, "utf8")) as unknown as {
  vectors: readonly Vector[];
  documents: readonly DocumentVector[];
};

function through(secrets: readonly string[], writes: readonly string[]): string {
  const redactor = new Redactor(secrets);
  return writes.map((piece) => redactor.write(piece)).join("") + redactor.end();
}

it.each(vectors)("$name", ({ secrets, writes, expected }) => {
  expect(through(secrets, writes)).toBe(expected);
});

it.each(documents)("document: $name", ({ secrets, document, expected }) => {
  expect(JSON.stringify(new Redactor(secrets).document(document))).toBe(JSON.stringify(expected));
});

/** Texts as passwords, tokens and keys are, without what `[secret]` itself is made of. */
const SECRET = fc.string({
  unit: fc.constantFrom(...Array.from("aAbB19+/=%\\\"'<& \n\tüß€😀Z_-.~")),
  minLength: 8,
  maxLength: 60,
});

const SPELLINGS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => JSON.stringify(text),
  (text) => JSON.stringify(JSON.stringify(text)),
  (text) => encodeURIComponent(text),
  (text) => new URLSearchParams({ a: text }).toString(),
  (text) => Buffer.from(text).toString("base64"),
  (text) => Buffer.from(text).toString("base64url"),
  (text) => Buffer.from(text).toString("hex"),
  (text) => JSON.stringify(text).replace(/[/]/g, String.raw`\/`),
  (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;"),
  (text) => text.replaceAll("'", String.raw`'\''`),
];

/** The parts of a text that would tell the secret: all of it, or where it has lines each longer one. */
function tells(text: string, secret: string): boolean {
  return SPELLINGS.some((spell) => text.includes(spell(secret).replace(/^"|"$|^\\"|\\"$|^a=/g, "")));
}

test("no spelling of a secret comes through, wherever the pieces end", () => {
  fc.assert(
    fc.property(SECRET, fc.nat(SPELLINGS.length - 1), fc.array(fc.nat(400)), (secret, spelling, cuts) => {
      const text = `before ${SPELLINGS[spelling]?.(secret) ?? ""} after`;
      const ends = [...new Set([0, ...cuts.map((cut) => cut % text.length), text.length])].sort((a, b) => a - b);
      const out = through(
        [secret],
        ends.slice(1).map((end, at) => text.slice(ends[at], end)),
      );
      expect(out).toContain(REDACTED);
      expect(tells(out, secret)).toBe(false);
      expect(out).toMatch(/^before [^]* after$/);
      expect(out).toBe(through([secret], [text]));
    }),
  );
});

test("base64 of something longer is found wherever the secret begins in it, and wherever it is folded", () => {
  const around = fc.string({ unit: fc.constantFrom("x", "y"), minLength: 32, maxLength: 90 });
  fc.assert(
    fc.property(
      SECRET,
      around,
      around,
      fc.constantFrom(60, 64, 76),
      fc.nat(200),
      (secret, before, after, width, cut) => {
        const folded = Buffer.from(before + secret + after)
          .toString("base64")
          .replace(RegExp(`.{${width}}`, "g"), "$&\n");
        const out = through([secret], [folded.slice(0, cut), folded.slice(cut)]);
        expect(out).toBe(through([secret], [folded]));
        expect(Buffer.from(out.replaceAll(/\[secret\]|\n/g, ""), "base64").length).toBeLessThan(
          Buffer.byteLength(before + after) + 4,
        );
      },
    ),
    { numRuns: 50 },
  );
});

test("fifty secrets of 4 KiB are known soon, and take little memory", () => {
  const secrets = Array.from({ length: 50 }, (_, at) => `${at}/"é`.repeat(820));
  const start = performance.now();
  const before = process.memoryUsage().heapUsed;
  const redactor = new Redactor(secrets);
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(600e6);
  expect(redactor.text(`a ${secrets[7]} b`)).toBe("a [secret] b");
});

test("text without secrets comes through as it was, whatever the pieces", () => {
  const words = fc.array(fc.constantFrom("hunter", "hun", "22", " ", "\n", "hunter2", "h"));
  fc.assert(
    fc.property(words, (pieces) => {
      fc.pre(!pieces.join("").includes("hunter22x"));
      expect(through(["hunter22x"], pieces)).toBe(pieces.join(""));
    }),
  );
});

test("only what may begin a secret is held back: people see lines as they come", () => {
  const redactor = new Redactor(["hunter22"]);
  expect(redactor.write("creating a bucket\nthe hun")).toBe("creating a bucket\nthe ");
  expect(redactor.write("dred\n")).toBe("hundred\n");
});

test("base64 that is wrapped over lines, as of a file, is found line by line", () => {
  const key = Array.from({ length: 30 }, (_, at) => `key material ${at};`).join("");
  for (const width of [64, 76]) {
    const wrapped =
      Buffer.from(key)
        .toString("base64")
        .match(RegExp(`.{1,${width}}`, "g")) ?? [];
    expect(through([key], [wrapped.join("\n")])).toBe(wrapped.map(() => REDACTED).join("\n"));
  }
});

test("Python's JSON of a secret with letters beyond ASCII is found", () => {
  expect(through(["grün-gelb"], [String.raw`{"v": "gr\u00fcn-gelb"}`])).toBe('{"v": "[secret]"}');
});

test("documents are redacted in values and names; other numbers and the stream beside stay", () => {
  const redactor = new Redactor(["hunter22"]);
  expect(redactor.write("hunt")).toBe("");
  expect(redactor.document({ a: ["x hunter22"], hunter22: { n: 1, t: true, z: null } })).toEqual({
    a: ["x [secret]"],
    "[secret]": { n: 1, t: true, z: null },
  });
  expect(redactor.write("er22") + redactor.end()).toBe("[secret]");
});

test("a megabyte with hundred secrets takes no noticeable time", () => {
  const secrets = Array.from({ length: 100 }, (_, at) => `secret number ${at} `.repeat(4));
  const redactor = new Redactor(secrets);
  const start = performance.now();
  expect(redactor.write("secret numbers of 1000 lines\n".repeat(36_000)).length).toBeGreaterThan(1_000_000);
  expect(performance.now() - start).toBeLessThan(5_000);
});
