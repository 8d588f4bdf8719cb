import { readdir } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { readZip } from "../../toolchain/unzip.ts";

/**
 * After how many days without a new record a database counts as old. Those of Debian and of Go get records every day, and a
 * vulnerability is exploited within days of its publication; a mirror that is filled once a week is just within.
 */
export const OLD_DAYS = 7;

const DAY_MS = 86_400_000;

/** How new a database is, by what it says itself: a folder that was copied yesterday may be of last year. */
export interface DatabaseAge {
  readonly ecosystem: string;
  /** When the newest of its records was last changed, milliseconds since 1970; nothing where none of them says. */
  readonly newest: number | undefined;
}

/** Reads the age of each archive in a database's folder, by the name of the ecosystem. */
export async function readDatabaseAge(folder: string, now: number): Promise<readonly DatabaseAge[]> {
  const home = path.join(folder, "osv-scanner");
  const ages: DatabaseAge[] = [];
  for (const ecosystem of (await readdir(home)).sort()) {
    try {
      ages.push({ ecosystem, newest: await readNewest(path.join(home, ecosystem, "all.zip"), now) });
    } catch (error) {
      // A folder without an archive, or a file beside the folders.
      if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) continue;
      // What the scanner makes of it is its own business.
      if (!(error instanceof KilnError)) throw error;
      ages.push({ ecosystem, newest: undefined });
    }
  }
  return ages;
}

async function readNewest(archive: string, now: number): Promise<number | undefined> {
  let newest: number | undefined;
  for await (const record of readZip(archive)) {
    const [, text = ""] = /"modified"\s*:\s*"([^"]+)"/.exec(record.toString("utf8")) ?? [];
    const modified = Date.parse(text);
    // A date that is still to come would hide how old the rest is.
    if (modified <= now + DAY_MS && modified > (newest ?? -Infinity)) newest = modified;
  }
  return newest;
}

/** What a person has to know of a database's age: a line, and one more for each part that is old. Pure. */
export function databaseAgeText(ages: readonly DatabaseAge[], now: number): readonly string[] {
  const said = ages.map(({ ecosystem, newest }) =>
    newest === undefined
      ? `${ecosystem} of unknown age`
      : `${ecosystem} of ${dayOf(newest)}, ${daysText(now - newest)}`,
  );
  const old = ages.flatMap(({ ecosystem, newest }) => {
    const age = newest === undefined ? Infinity : (now - newest) / DAY_MS;
    if (age <= OLD_DAYS) return [];
    const why = newest === undefined ? "does not say how new it is" : `has no record of the last ${OLD_DAYS} days`;
    return [
      `warning: the database of ${ecosystem} ${why}: what was published since is not found. ` +
        "Get it anew, or look at what fills the mirror",
    ];
  });
  return [`database: ${said.join("; ")}`, ...old];
}

function daysText(milliseconds: number): string {
  const days = Math.max(0, Math.floor(milliseconds / DAY_MS));
  return days === 0 ? "today" : days === 1 ? "1 day old" : `${days} days old`;
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
