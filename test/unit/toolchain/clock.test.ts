import { mkdir, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { clockFinding, clockRefusal, pastDates } from "../../../toolchain/clock.ts";
import { isBlocked } from "../../../toolchain/finding.ts";
import { places } from "../../../toolchain/places.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const at = (text: string) => new Date(`${text}T12:00:00Z`);
const past = [
  { date: at("2026-03-01"), by: "/p/package-lock.json" },
  { date: at("2026-05-01"), by: "the release of go1.26.8" },
];

test("a clock before the latest date that has passed is refused with that date and its witness", () => {
  const refusal = clockRefusal(at("2020-01-01"), past);
  expect(refusal?.reason).toContain("2020-01-01");
  expect(refusal?.reason).toContain("the release of go1.26.8 is of 2026-05-01");
  expect(isBlocked([clockFinding(at("2020-01-01"), past)])).toBe(true);
});

test.each(["2026-04-30", "2026-05-01", "2031-01-01"])("on %s nothing speaks against the clock", (now) => {
  expect(clockRefusal(at(now), past)).toBeUndefined();
  expect(isBlocked([clockFinding(at(now), past)])).toBe(false);
});

test("a checkout's files and Go's VERSION are the witnesses; a Go without a date is none", async () => {
  const home = await temporaryDirectory();
  await mkdir(path.join(home, "toolchain"));
  for (const name of ["package-lock.json", "toolchain/pins.json"]) {
    await writeFile(path.join(home, name), "{}");
    await utimes(path.join(home, name), at("2025-01-01"), at("2025-01-01"));
  }
  await writeFile(path.join(home, "VERSION"), "go1.26.8\ntime 2026-08-28T16:20:06Z\n");
  const dates = await pastDates(places({}, home), home);
  expect(dates.map(({ date }) => date.toISOString().slice(0, 10))).toEqual(["2025-01-01", "2025-01-01", "2026-08-28"]);
  await writeFile(path.join(home, "VERSION"), "go1.20\n");
  expect(await pastDates(places({}, home), home)).toHaveLength(2);
});
