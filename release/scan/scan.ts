import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { regctl, type RegistryClient } from "../../registry/client.ts";
import { formatReference, type PinnedImage } from "../../registry/image-reference.ts";
import type { Database } from "./database.ts";
import type { Finding } from "./finding.ts";
import { findingsOf } from "./osv-report.ts";
import { scanArchive } from "./scanner.ts";
import { verdictOf, type Verdict } from "./verdict.ts";
import type { Acceptance } from "./vex.ts";

export interface ScanOptions {
  readonly client: RegistryClient;
  readonly image: PinnedImage;
  /** The osv-scanner binary. */
  readonly scanner: string;
  readonly database: Database;
  readonly acceptances: readonly Acceptance[];
  readonly now: number;
  readonly progress: Progress;
}

/** What is known of one image's vulnerabilities. */
export interface Scan extends Verdict {
  readonly image: string;
}

/**
 * Scans an image by digest, all of its layers: a cache may hold finished programs. Nothing of it is run, and no Docker is needed.
 * Throws where the registry does not have it, or the database not all that it needs.
 */
export async function scanImage(options: ScanOptions): Promise<Scan> {
  const { image, acceptances, now } = options;
  const findings = await readFindings(options);
  const scanned = { images: productNames(image), digest: image.digest, now };
  return { image: formatReference(image), ...verdictOf(findings, acceptances, scanned) };
}

/** What a VEX document may call an image: the last part of its repository, and of a warm image the runner that it becomes. */
function productNames({ repository }: PinnedImage): readonly string[] {
  const [name = ""] = repository.split("/").slice(-1);
  return [name, name.replace(/-warm$/, "")];
}

async function readFindings({ client, image, scanner, database, progress }: ScanOptions): Promise<readonly Finding[]> {
  const scratch = await mkdtemp(path.join(tmpdir(), "kiln-scan-"));
  try {
    const archive = path.join(scratch, "image.tar");
    progress.step(`reading ${formatReference(image)}`);
    await regctl(client, image.repository, ["image", "export", formatReference(image), archive]);
    for (let fetched: readonly string[] = []; ;) {
      progress.step("looking for vulnerabilities");
      const { report, missing } = await scanArchive(scanner, { archive, database: database.folder, scratch });
      if (missing.length === 0) return findingsOf(report);
      if (missing.some((ecosystem) => fetched.includes(ecosystem))) throw incomplete(missing);
      fetched = await database.more(missing);
      if (fetched.length === 0) throw incomplete(missing);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function incomplete(missing: readonly string[]): KilnError {
  return new KilnError("failed", `the vulnerability database has nothing of ${missing.join(", ")}`, {
    mend: `Put ${missing.map((ecosystem) => `osv-scanner/${ecosystem}/all.zip`).join(", ")} there: docs/vulnerabilities.md.`,
  });
}
