import { mkdir, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { databaseAgeText, readDatabaseAge } from "../../../../release/scan/database-age.ts";
import { storedZip } from "../../../support/stored-zip.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { writeDatabase } from "../../../support/vulnerability-database.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const DAY_MS = 86_400_000;
const at = (daysAgo: number) => new Date(NOW - daysAgo * DAY_MS).toISOString();
const record = (ecosystem: string, number: number, daysAgo: number) => ({
  ...{ id: `X-${number}`, cve: `CVE-${number}`, ecosystem, package: "p", modified: at(daysAgo) },
});

let folder: string;
beforeEach(async () => {
  folder = await temporaryDirectory();
});

describe("the age of a database", () => {
  it("is that of its newest record, whenever it was copied, and of no record that is still to come", async () => {
    const debian = [record("Debian:12", 1, 30), record("Debian:12", 2, 8), record("Debian:13", 3, 400)];
    await writeDatabase(folder, [...debian, record("Debian:12", 4, -365), record("Go", 5, 0.5)]);
    const archive = path.join(folder, "osv-scanner/Go/all.zip");
    await utimes(archive, 0, 0);
    expect(await readDatabaseAge(folder, NOW)).toEqual([
      { ecosystem: "Debian", newest: NOW - 8 * DAY_MS },
      { ecosystem: "Go", newest: NOW - 0.5 * DAY_MS },
    ]);
  });

  it("is unknown where no record says, or the archive cannot be read, and not asked where there is none", async () => {
    const home = path.join(folder, "osv-scanner");
    for (const name of ["Empty", "None", "Torn"]) await mkdir(path.join(home, name), { recursive: true });
    await writeFile(path.join(home, "README"), "");
    await writeFile(
      path.join(home, "Empty/all.zip"),
      storedZip({ "X-1.json": "{}", "X-2.json": '{"modified":"soon"}' }),
    );
    await writeFile(path.join(home, "Torn/all.zip"), storedZip({ "X-1.json": "{}" }).subarray(0, 40));
    expect(await readDatabaseAge(folder, NOW)).toEqual([
      { ecosystem: "Empty", newest: undefined },
      { ecosystem: "Torn", newest: undefined },
    ]);
  });
});

describe("databaseAgeText", () => {
  const text = (...days: readonly (number | undefined)[]) =>
    databaseAgeText(
      days.map((age, index) => ({
        ecosystem: ["Debian", "Go", "npm"][index] ?? "",
        newest: age === undefined ? undefined : NOW - age * DAY_MS,
      })),
      NOW,
    );

  it("says how old each part is, and warns of none that had a record within a week", () => {
    expect(text(0.2, 1, 7)).toEqual([
      "database: Debian of 2026-11-22, today; Go of 2026-11-21, 1 day old; npm of 2026-11-15, 7 days old",
    ]);
  });

  it("warns of what is older, or does not say, with the reason", () => {
    const ending = "what was published since is not found. Get it anew, or look at what fills the mirror";
    expect(text(7.1, 0, undefined)).toEqual([
      "database: Debian of 2026-11-15, 7 days old; Go of 2026-11-22, today; npm of unknown age",
      `warning: the database of Debian has no record of the last 7 days: ${ending}`,
      `warning: the database of npm does not say how new it is: ${ending}`,
    ]);
  });
});
