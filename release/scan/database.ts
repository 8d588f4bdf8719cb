import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { Downloader, shownUrl } from "../../toolchain/download.ts";

/** Where OSV publishes its database, one archive an ecosystem: `Debian/all.zip`. */
export const OSV_DATABASE = "https://osv-vulnerabilities.storage.googleapis.com";

/** What every runner image has; others are fetched when a scan asks for them. */
const COMMON = ["Debian", "Go"];

/** What an ecosystem may be called. An image says which it has, and the name becomes that of a folder. */
const ECOSYSTEM = /^\w[\w-]*(?:[ .]\w[\w-]*)*$/;

/** How old a fetched archive may be: vulnerabilities are published all day. */
const FRESH_MS = 4 * 3_600_000;

/** A folder in the layout that osv-scanner reads: `osv-scanner/<ecosystem>/all.zip`. */
export interface Database {
  readonly folder: string;
  /** Gets anew what a scan found lacking or could not read; an empty answer says that there is nothing more to be had. */
  readonly more: (ecosystems: readonly string[]) => Promise<readonly string[]>;
}

/** A database that stands in a folder, or is kept in `cache` as fetched from a URL. Throws where it cannot be had. */
export async function readyDatabase(
  from: string,
  { cache, now, progress }: { readonly cache: string; readonly now: number; readonly progress: Progress },
): Promise<Database> {
  if (!/^https?:\/\//.test(from)) {
    await requireFolder(from);
    await requireRecords(path.join(from, "osv-scanner"));
    return { folder: path.resolve(from), more: () => Promise.resolve([]) };
  }
  const base = from.replace(/\/+$/, "");
  const folder = path.join(cache, "vulnerabilities", createHash("sha256").update(base).digest("hex").slice(0, 16));
  const archiveOf = (ecosystem: string) => path.join(folder, "osv-scanner", ecosystem, "all.zip");
  const downloader = new Downloader();
  const more = async (ecosystems: readonly string[]) => {
    const known = ecosystems.filter((ecosystem) => ECOSYSTEM.test(ecosystem));
    for (const ecosystem of known) {
      progress.step(`getting the vulnerability database of ${ecosystem}`);
      await fetchArchive(
        downloader,
        `${base}/${encodeURIComponent(ecosystem)}/all.zip`,
        archiveOf(ecosystem),
        progress,
      );
    }
    return known;
  };
  for (const ecosystem of COMMON) if (!(await isFresh(archiveOf(ecosystem), now))) await more([ecosystem]);
  return { folder, more };
}

async function requireFolder(folder: string): Promise<void> {
  const found = await stat(path.join(folder, "osv-scanner")).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new KilnError("usage", `--db ${folder} is no vulnerability database: it has no folder osv-scanner`, {
    mend: `Put archives there as osv-scanner/Debian/all.zip, from ${OSV_DATABASE}/Debian/all.zip, or name a URL.`,
  });
}

async function isFresh(file: string, now: number): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && now - found.mtimeMs < FRESH_MS;
}

/** Beside the place, then renamed: a broken-off archive is never read. */
async function fetchArchive(downloader: Downloader, url: string, target: string, progress: Progress): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const part = `${target}.${randomUUID()}.part`;
  const came = await downloader.download(url, part, progress);
  if ("reason" in came) {
    await rm(part, { force: true });
    throw new KilnError("unreachable", `${shownUrl(url)} cannot be had: ${came.reason}`, {
      mend: "Name a mirror or a folder by --db, or KILN_VULNERABILITY_DB (docs/vulnerabilities.md).",
    });
  }
  if (await isEmptyArchive(part)) {
    await rm(part, { force: true });
    throw withoutRecord(shownUrl(url));
  }
  await rename(part, target);
}

/** Throws where an archive of a database's folder has no record: the scanner would take all that it is of for sound. */
async function requireRecords(home: string): Promise<void> {
  for (const ecosystem of await readdir(home)) {
    const archive = path.join(home, ecosystem, "all.zip");
    if (await isEmptyArchive(archive)) throw withoutRecord(archive);
  }
}

/** How a zip begins that has nothing in it: with the end of its directory (APPNOTE.TXT, section 4.3.16). */
const EMPTY_ZIP = "PK\u0005\u0006";

async function isEmptyArchive(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(EMPTY_ZIP.length), 0, EMPTY_ZIP.length, 0);
    return buffer.toString("latin1", 0, bytesRead) === EMPTY_ZIP;
  } finally {
    await handle.close();
  }
}

function withoutRecord(archive: string): KilnError {
  return new KilnError("failed", `the vulnerability database ${archive} has no record: nothing would be found`, {
    mend: `Get it anew, as from ${OSV_DATABASE}/Debian/all.zip, or name another by --db (docs/vulnerabilities.md).`,
  });
}
