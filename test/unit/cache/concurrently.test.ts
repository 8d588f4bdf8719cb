import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concurrently } from "../../../cache/concurrently.ts";

describe("concurrently", () => {
  it("does the work on every item once, and never on more than sixteen at a time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 60 }), async (items) => {
        const done: number[] = [];
        let [running, most] = [0, 0];
        await concurrently(items, async (item) => {
          most = Math.max(most, ++running);
          await Promise.resolve();
          running -= 1;
          done.push(item);
        });
        expect(done.sort()).toEqual([...items].sort());
        expect(most).toBeLessThanOrEqual(Math.min(16, items.length));
      }),
    );
  });

  it("ends with the first error, begins nothing after it, and leaves nothing under way", async () => {
    let [begun, running] = [0, 0];
    const work = async (item: number) => {
      begun += 1;
      running += 1;
      await new Promise((resolve) => setTimeout(resolve, item === 3 ? 1 : 5));
      running -= 1;
      if (item === 3) throw new Error("no room");
    };
    const items = Array.from({ length: 100 }, (_, index) => index);
    await expect(concurrently(items, work)).rejects.toThrow("no room");
    expect(running).toBe(0);
    expect(begun).toBeLessThan(40);
  });
});
