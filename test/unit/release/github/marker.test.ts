import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitted, isMarked, LONGEST_BODY, marked, markerOf, sameText } from "../../../../release/github/marker.ts";

describe("a marker", () => {
  it("stands above the text, and finds it again", () => {
    const { body, cut } = marked("bake", "**3 packages**\r\n\r\n");
    expect({ body, cut }).toEqual({ body: "<!-- kiln:bake -->\n**3 packages**", cut: false });
    expect(isMarked("bake", body)).toBe(true);
    expect(isMarked("drift", body)).toBe(false);
    expect(isMarked("bake", `quoted: ${body}`)).toBe(false);
    expect(isMarked("bake", null)).toBe(false);
  });

  it.each(["", "a b", "-->", "UPPER", "x".repeat(65)])("has no name like %j", (name) => {
    expect(() => markerOf(name)).toThrow(/cannot name/);
  });

  it("takes line ends and blanks at the end for nothing", () => {
    expect(sameText("a\r\nb\r\n", "a\nb")).toBe(true);
    expect(sameText("a\n b", "a\nb")).toBe(false);
  });
});

describe("fitted", () => {
  it("leaves what fits as it is", () => {
    const text = "x".repeat(LONGEST_BODY);
    expect(fitted(text)).toBe(text);
  });

  it("ends after a whole line, closes what is open, and says how much is missing", () => {
    const text = `<details><summary>packages</summary>\n\n\`\`\`text\n${"one line of it\n".repeat(5000)}`;
    const short = fitted(text);
    expect(short).toMatch(
      /one line of it\n```\n<\/details>\n\n_\d+ characters more were cut: GitHub takes 65536 in one text\._$/,
    );
    const missing = Number(/_(\d+) characters/.exec(short)?.[1]);
    expect(missing + short.indexOf("\n```\n</details>")).toBe(text.length);
  });

  it("never splits a character, and is never longer than GitHub takes", () => {
    const part = fc.constantFrom("🦀", "a", "\n", "```\n", "<details>", "</details>");
    fc.assert(
      fc.property(fc.array(part, { minLength: 600, maxLength: 1200 }), (parts) => {
        const text = parts.join("");
        const short = fitted(text, 600);
        expect(short.length).toBeLessThanOrEqual(600);
        expect(short.isWellFormed()).toBe(true);
        expect(short === text).toBe(text.length <= 600);
      }),
      { numRuns: 50 },
    );
  });
});
