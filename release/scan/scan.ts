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

/** An image to scan, wherever it is. */
export interface ScannedImage {
  /** As a person finds it. */
  readonly name: string;
  /** Its digest in a registry; the ID of an engine's image, which may be in none yet. */
  readonly digest: string;
  /** What a VEX document may call it. */
  readonly products: readonly string[];
  /** Writes it to a file, as an archive with a `manifest.json`. */
  readonly save: (archive: string) => Promise<void>;
}

export interface ScanOptions {
  readonly image: ScannedImage;
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

/** An image of a registry, by digest: no Docker is needed. Saving it throws where the registry does not have it. */
export function registryImage(client: RegistryClient, image: PinnedImage): ScannedImage {
  const { repository, digest } = image;
  const name = formatReference(image);
  return {
    ...{ name, digest, products: productNames(repository) },
    save: async (archive) => {
      await regctl(client, repository, ["image", "export", name, archive]);
    },
  };
}

/** What a VEX document may call a repository: its last part, and of a warm image the runner that it becomes. */
export function productNames(repository: string): readonly string[] {
  const [name = ""] = repository.split("/").slice(-1);
  return [...new Set([name, name.replace(/-warm$/, "")])];
}

/**
 * Scans an image, all of its layers: a cache may hold finished programs. Nothing of it is run. Throws where it cannot be had, or
 * the database has not all that it needs.
 */
export async function scanImage(options: ScanOptions): Promise<Scan> {
  const { image, acceptances, now } = options;
  const findings = await readFindings(options);
  const scanned = { images: image.products, digest: image.digest, now };
  return { image: image.name, ...verdictOf(findings, acceptances, scanned) };
}

async function readFindings({ image, scanner, database, progress }: ScanOptions): Promise<readonly Finding[]> {
  const scratch = await mkdtemp(path.join(tmpdir(), "kiln-scan-"));
  try {
    const archive = path.join(scratch, "image.tar");
    progress.step(`reading ${image.name}`);
    await image.save(archive);
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
