/** Spellings of a text that is secret, by what anyone has at hand and not by the redactor's own list. None has a line end. */
export function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const shifted = [0, 1, 2].map((by) =>
    Buffer.concat([Buffer.alloc(by, "x"), bytes])
      .toString("base64")
      .slice(4, -4),
  );
  const json = JSON.stringify(secret).slice(1, -1);
  const hex = bytes.toString("hex");
  return [
    ...secret.split("\n"),
    ...[json, JSON.stringify(json).slice(1, -1), asciiJson(json), json.replaceAll("&", "\\u0026")],
    ...[encodeURIComponent(secret), formEncoded(secret)],
    ...[hex, hex.toUpperCase(), bytes.toString("base64url").slice(0, -2), ...shifted],
  ];
}

/** As forms of web pages have it: a space is a plus. */
export function formEncoded(text: string): string {
  return new URLSearchParams({ text }).toString().slice("text=".length);
}

function asciiJson(json: string): string {
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A text, and where it is JSON, or a JSON document a line, every text in that as a program would read it. */
export function readTexts(text: string): string {
  const documents = [text, ...text.split("\n")].flatMap((part) => {
    try {
      return [JSON.parse(part) as unknown];
    } catch {
      return [];
    }
  });
  return [text, ...documents.flatMap(textsOf)].join("\n");
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
