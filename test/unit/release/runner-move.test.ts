import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { requireBuildTag, runnerMove, type TaggedRunner } from "../../../release/runner-move.ts";
import { parseRunnerTag, type RunnerChannel } from "../../../release/runner-tag.ts";
import { compareVersions } from "../../../release/version.ts";

const version = (text: string) => parseRunnerTag(`v${text}`).version;
const [A, B] = ["sha256:" + "a".repeat(64), "sha256:" + "b".repeat(64)] as const;

function move(channel: RunnerChannel, before: TaggedRunner | undefined, allowOlder = false, digest: string = A) {
  const image = { digest, version: version("3.253.0") };
  return runnerMove({ at: "r:latest", channel, image, before, allowOlder });
}

describe("a moving tag", () => {
  it.each<[string, RunnerChannel, TaggedRunner | undefined, object]>([
    ["is new", "latest", undefined, { kind: "new", digest: A }],
    ["stays", "version", { digest: A, version: version("3.253.0") }, { kind: "unchanged", digest: A }],
    [
      "is released anew",
      "version",
      { digest: B, version: version("3.253.0") },
      { kind: "replaced", digest: A, replaces: B },
    ],
    [
      "is released anew over what says nothing",
      "dev",
      { digest: B, version: undefined },
      { kind: "replaced", digest: A, replaces: B },
    ],
    ["goes up", "latest", { digest: B, version: version("3.9.9") }, { kind: "moved", digest: A, replaces: B }],
    [
      "is built anew",
      "latest",
      { digest: B, version: version("3.253.0") },
      { kind: "replaced", digest: A, replaces: B },
    ],
  ])("%s", (_, channel, before, wanted) => {
    expect(move(channel, before)).toEqual(wanted);
  });

  it.each<[string, TaggedRunner]>([
    ["r:latest is 3.300.0 (bbbbbbbbbbbb): it does not go back to 3.253.0", { digest: B, version: version("3.300.0") }],
    ["r:latest is an image that says no version (bbbbbbbbbbbb)", { digest: B, version: undefined }],
  ])("latest does not go back: %s", (said, before) => {
    expect(() => move("latest", before)).toThrow(said);
    expect(move("latest", before, true)).toEqual({ kind: "moved back", digest: A, replaces: B });
  });

  it("latest is the highest release after any order of releases, and remembers each image that it named", () => {
    const releases = fc.uniqueArray(fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 12 })), {
      minLength: 1,
      maxLength: 8,
      selector: (numbers) => numbers.join("."),
    });
    fc.assert(
      fc.property(releases, (all) => {
        let tagged: TaggedRunner | undefined;
        const named: string[] = [];
        for (const [index, numbers] of all.entries()) {
          const image = {
            digest: `sha256:${String(index).padStart(64, "0")}`,
            version: version(`${numbers.join(".")}.0`),
          };
          try {
            const { replaces } = runnerMove({
              at: "r:latest",
              channel: "latest",
              image,
              before: tagged,
              allowOlder: false,
            });
            expect(replaces).toBe(tagged?.digest);
            tagged = image;
            named.push(image.digest);
          } catch {
            expect(compareVersions(image.version, tagged?.version ?? image.version)).toBeLessThan(0);
          }
        }
        const highest = all.map((numbers) => version(`${numbers.join(".")}.0`)).sort(compareVersions);
        expect(tagged?.version?.text).toBe(highest.at(-1)?.text);
      }),
    );
  });
});

describe("a build tag", () => {
  it("is written once", () => {
    expect(() => {
      requireBuildTag("r:v1.2.3-0123456789ab", A, undefined);
    }).not.toThrow();
    expect(() => {
      requireBuildTag("r:v1.2.3-0123456789ab", A, A);
    }).not.toThrow();
    expect(() => {
      requireBuildTag("r:v1.2.3-0123456789ab", A, B);
    }).toThrow(`r:v1.2.3-0123456789ab is ${B}`);
  });
});
