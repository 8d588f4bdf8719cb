import { writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { run } from "../../toolchain/process.ts";

/** What osv-scanner exits with: nothing found, something found, no package found at all. */
const [CLEAN, FOUND, NO_PACKAGES] = [0, 1, 128];

/** What a scan gave: the scanner's JSON, and the ecosystems for which the database has nothing to say. */
export interface Scanned {
  readonly report: string;
  readonly missing: readonly string[];
}

/**
 * Scans an image's archive against a database folder, without network. A database that lacks an ecosystem is a result, since
 * osv-scanner takes its packages for sound and exits as if all were well. Throws "failed" where it could not scan.
 */
export async function scanArchive(
  scanner: string,
  { archive, database, scratch }: { readonly archive: string; readonly database: string; readonly scratch: string },
): Promise<Scanned> {
  // Without one it reads osv-scanner.toml beside what it scans: by the image's paths, and therefore from this machine.
  const config = path.join(scratch, "no-exceptions.toml");
  await writeFile(config, "");
  const flags = [
    "--format",
    "json",
    "--offline",
    "--local-db-path",
    database,
    "--config",
    config,
    "--verbosity",
    "error",
  ];
  const { code, stdout, stderr } = await run(scanner, ["scan", "image", ...flags, "--archive", archive], {
    // Layers are unpacked below it.
    env: { ...process.env, TMPDIR: scratch },
    allowFailure: true,
  });
  const missing = missingEcosystems(stderr);
  // It exits with 127 for any error that it printed; a database that it lacks is one.
  if ([CLEAN, FOUND].includes(code) || (missing.length > 0 && stdout.trim() !== "")) return { report: stdout, missing };
  if (code === NO_PACKAGES) {
    throw new KilnError("failed", "the image has no package that osv-scanner knows: nothing can be said of it", {
      mend: "Name the image of a runner, not a layer, a cache or an artifact.",
    });
  }
  const said = stderr.trim().split("\n").at(-1) ?? "";
  throw new KilnError("failed", `osv-scanner failed (exit ${code}): ${said}`, {
    mend: "Free space for the image's files (TMPDIR) where the disk is full; otherwise read the message.",
  });
}

/** The ecosystems, such as `Debian`, of which osv-scanner says that it has no database. Pure. */
export function missingEcosystems(stderr: string): readonly string[] {
  const found = stderr.matchAll(/could not load db for (.+?) ecosystem: (.*)/g);
  return [...new Set([...found].map(([, name = ""]) => name))].sort();
}
