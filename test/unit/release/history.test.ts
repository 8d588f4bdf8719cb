import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { namedImages, warmImageIn, type FileVersion } from "../../../release/history.ts";

const IMAGE = { a: `r/warm@sha256:${"a".repeat(64)}`, b: `r/warm@sha256:${"b".repeat(64)}` };
const text = (image?: string) =>
  `config:\n  kiln:registry: localhost:5180\n${image === undefined ? "" : `  kiln:warmImage: ${image} # baked\n`}`;

/** Versions, the newest first, one a day from the first of January on. */
function versions(texts: readonly (string | undefined)[]): readonly FileVersion[] {
  return texts.map((one, index) => {
    const date = `2026-01-${String(texts.length - index).padStart(2, "0")}T00:00:00+00:00`;
    return { commit: `c${texts.length - index}`, committed: date, authored: date, subject: "s", text: one };
  });
}

const day = (number: number) => `2026-01-0${number}T00:00:00+00:00`;

describe("namedImages", () => {
  it("lists what was named from which commit to which, the newest first", () => {
    const found = namedImages(
      versions([text(IMAGE.a), text(IMAGE.b), `# moved\n${text(IMAGE.a)}`, text(IMAGE.a), text(), undefined]),
    );
    expect(found.map(({ warmImage, commit, since, until }) => [warmImage, commit, since, until])).toEqual([
      [IMAGE.a, "c6", day(6), undefined],
      [IMAGE.b, "c5", day(5), day(6)],
      [IMAGE.a, "c3", day(3), day(5)],
    ]);
  });

  it("ends with the commit that took the image out, or the file away, or made it no YAML", () => {
    for (const last of [text(), undefined, "config: [\n"]) {
      expect(namedImages(versions([last, text(IMAGE.a)]))).toMatchObject([{ warmImage: IMAGE.a, until: day(2) }]);
    }
  });

  it("has no two neighbours alike without a gap, and at most one that lasts", () => {
    const some = fc.array(fc.constantFrom(undefined, text(), text(IMAGE.a), text(IMAGE.b)), { maxLength: 9 });
    fc.assert(
      fc.property(some, (texts) => {
        const found = namedImages(versions(texts));
        expect(found.filter(({ until }) => until === undefined).length).toBe(
          warmImageIn(texts[0]) === undefined ? 0 : 1,
        );
        for (const [index, one] of found.entries()) {
          const newer = found[index - 1];
          if (newer === undefined) continue;
          expect((one.until ?? "") <= newer.since).toBe(true);
          expect(newer.warmImage === one.warmImage && newer.since === one.until).toBe(false);
        }
      }),
    );
  });
});
