import { beforeEach, describe, expect, it, vi } from "vitest";
import { markUsed, usedTag, usedUntil } from "../../../cache/used-tag.ts";
import { isTag } from "../../../registry/image-reference.ts";

const registry = vi.hoisted(() => ({ tags: new Map<string, string>(), refuses: false, set: 0 }));
vi.mock("../../../registry/client.ts", () => ({
  readDigest: (_: unknown, { tag }: { tag: string }) => Promise.resolve(registry.tags.get(tag)),
}));
vi.mock("../../../registry/tag-manifest.ts", () => ({
  tagManifest: (_: unknown, { digest }: { digest: string }, tag: string) => {
    if (registry.refuses) return Promise.reject(new Error("no permission"));
    registry.tags.set(tag, digest);
    registry.set++;
    return Promise.resolve();
  },
}));

const DIGEST = `sha256:0123456789ab${"c".repeat(52)}`;
const NOON = Date.parse("2026-01-31T12:00:00Z");

beforeEach(() => {
  registry.tags.clear();
  Object.assign(registry, { refuses: false, set: 0 });
});

describe("the tag of an image that was found again", () => {
  it("is of the day and of the image, and is read again", () => {
    const tag = usedTag(DIGEST, NOON);
    expect([tag, isTag(tag)]).toEqual(["used-20260131-0123456789ab", true]);
    expect(usedUntil(tag)).toBe(Date.parse("2026-02-01T00:00:00Z"));
  });

  it.each(["used", "used-20260131", "used-20261331-0123456789ab", "used-20260131-0123456789abc", "v1.2.3"])(
    "is not %s",
    (tag) => {
      expect(usedUntil(tag)).toBeUndefined();
    },
  );

  it("is set once a day", async () => {
    const notes: string[] = [];
    const progress = { step: vi.fn(), update: vi.fn(), note: (text: string) => notes.push(text) };
    const mark = (now: number) =>
      markUsed({ regctl: "none" }, { repository: "r/warm", digest: DIGEST }, { now, progress });
    for (const now of [NOON, NOON + 3_600_000, NOON + 86_400_000]) await mark(now);
    expect([[...registry.tags.keys()], registry.set]).toEqual([
      ["used-20260131-0123456789ab", "used-20260201-0123456789ab"],
      2,
    ]);
    registry.refuses = true;
    await mark(NOON + 2 * 86_400_000);
    expect(notes).toEqual([expect.stringContaining("r/warm:used-20260202-0123456789ab could not be set")]);
  });
});
