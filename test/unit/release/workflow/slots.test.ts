import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { laneOf, Slots } from "../../../../release/workflow/slots.ts";

it("has a lane for every label that is not GitHub's own", () => {
  expect(laneOf(["ubuntu-latest"])).toBe("");
  expect(laneOf(["trusted-lane-0"])).toBe("trusted-lane-0");
  expect(laneOf(["self-hosted", "docker"])).toBe("self-hosted, docker");
});

it("runs as many as it has room for, of one lane one, and the next that can as soon as there is room", async () => {
  const slots = new Slots(2);
  const running = new Set<string>();
  const seen: string[] = [];
  const job = (name: string, lane: string) =>
    slots.within(lane, async () => {
      running.add(name);
      seen.push([...running].join(" "));
      await sleep(10);
      running.delete(name);
    });
  await Promise.all([job("a0", "a"), job("a1", "a"), job("b0", "b"), job("c", ""), job("d", "")]);
  expect(seen[1]).toBe("a0 b0");
  expect(seen.every((names) => names.split(" ").length <= 2 && !(names.includes("a0") && names.includes("a1")))).toBe(
    true,
  );
  expect(seen).toHaveLength(5);
});

it("gives its room back when a job throws", async () => {
  const slots = new Slots(1);
  await expect(slots.within("a", () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await slots.within("a", () => Promise.resolve("free"))).toBe("free");
});
