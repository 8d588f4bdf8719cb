import { readFile } from "node:fs/promises";
import path from "node:path";
import { EXIT, KilnError } from "../../errors.ts";
import { readDigest, type RegistryClient } from "../../registry/client.ts";
import { formatReference, parsePinnedImage, parseReference, type PinnedImage } from "../../registry/image-reference.ts";
import { readStoredManifest } from "../../registry/stored-manifest.ts";
import { engineImage } from "../../execution/engine-image.ts";
import type { Progress } from "../../progress.ts";
import { databaseAgeText, readDatabaseAge, type DatabaseAge } from "../../release/scan/database-age.ts";
import { OSV_DATABASE, readyDatabase, type Database } from "../../release/scan/database.ts";
import type { Finding } from "../../release/scan/finding.ts";
import { registryImage, scanImage, type Scan, type ScannedImage } from "../../release/scan/scan.ts";
import { ACCEPTED_DAYS, type Accepted } from "../../release/scan/verdict.ts";
import { readAcceptances, type Acceptance } from "../../release/scan/vex.ts";
import { readStackSettings } from "../../release/stack-file.ts";
import { stackFile } from "../../settings.ts";
import { readStackNames } from "../../toolchain/local-backend.ts";
import { readyEngine } from "../../toolchain/docker-engine.ts";
import { isLocalStack } from "../../toolchain/local-stacks.ts";
import { places, type Places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command, Invocation } from "../command.ts";
import { noArguments, optional, repeated } from "../options.ts";
import { table } from "../printer.ts";

/** Where accepted findings stand, unless `--vex` says otherwise: OpenVEX, dated. */
export const VEX_FILE = "images/accepted.openvex.json";

/** Files of an image that a line names before it only counts them. */
const SHOWN_FILES = 2;

/** `kiln release scan`. */
export const scanCommand: Command = {
  name: "release scan",
  summary:
    "Look for vulnerabilities in images. Exit 3 where one is high or critical, can be mended, and is not accepted.",
  usage: "[--image REF]… [--engine-image NAME]… [--stack S]… [--vex FILE] [--db DIR|URL]",
  options: {
    image: { type: "string", multiple: true },
    "engine-image": { type: "string", multiple: true },
    stack: { type: "string", multiple: true },
    vex: { type: "string" },
    db: { type: "string" },
  },
  help: {
    image: "an image in its registry, by digest or tag; of an index every platform (may be repeated)",
    "engine-image": "an image of the Docker engine, before it is pushed (may be repeated)",
    stack: "the warm image that this stack's file names (may be repeated; default: those of all stacks but local)",
    vex: `the accepted findings, an OpenVEX document (default: ${VEX_FILE}, where it is)`,
    db: `the vulnerability database: a folder, or the URL of a mirror (default: KILN_VULNERABILITY_DB, or ${OSV_DATABASE})`,
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const here = places();
    const acceptances = await readVex(here.project, optional(values, "vex"));
    const wanted = await chosenImages(here.project, values);
    const own = repeated(values, "engine-image");
    if (wanted.length + own.length === 0) {
      return { json: { images: [] }, text: "no stack's file names a warm image yet" };
    }
    const options = { db: optional(values, "db"), acceptances, places: here, progress };
    const { database, now, scan } = await readyScanner(options);
    const images: Scan[] = [];
    if (own.length > 0) {
      const engine = await readyEngine({ places: here, progress });
      for (const name of own) images.push(await scan(await engineImage(engine, name, { progress })));
    }
    if (wanted.length > 0) {
      const client = { regctl: (await resolveTool("regctl", { places: here, progress })).path };
      for (const name of wanted) {
        for (const image of await readPlatforms(client, name)) images.push(await scan(registryImage(client, image)));
      }
    }
    const passed = images.every((one) => one.passed);
    const ages = await readDatabaseAge(database.folder, now);
    return {
      json: { passed, images, database: ages.map(ageJson) },
      text: [databaseAgeText(ages, now).join("\n"), ...images.map(scanText)].join("\n\n"),
      exitCode: passed ? EXIT.done : EXIT.difference,
    };
  },
};

/** Whether nobody looks for vulnerabilities: on a laptop that reaches no database, and says so. Never on GitHub. */
export function isScanLeftOut(env: NodeJS.ProcessEnv): boolean {
  return env.KILN_VULNERABILITY_DB === "none" && env.GITHUB_ACTIONS !== "true";
}

/** What scans images on this machine. */
export interface ImageScanner {
  readonly database: Database;
  /** By which the ages of acceptances are counted, in milliseconds since 1970. */
  readonly now: number;
  readonly scan: (image: ScannedImage) => Promise<Scan>;
}

/** A scanner with its database, that of `db` or of KILN_VULNERABILITY_DB. Throws where it cannot be had. */
export async function readyScanner(options: {
  readonly db?: string | undefined;
  readonly acceptances: readonly Acceptance[];
  readonly places: Places;
  readonly progress: Progress;
}): Promise<ImageScanner> {
  const { db, acceptances, places: here, progress } = options;
  const now = Date.now();
  const from = db ?? process.env.KILN_VULNERABILITY_DB;
  const { path: scanner } = await resolveTool("osv-scanner", { places: here, progress });
  const database = await readyDatabase(from === undefined || from === "" ? OSV_DATABASE : from, {
    ...{ cache: here.cache, now, progress },
  });
  const scan = (image: ScannedImage) => scanImage({ image, scanner, database, acceptances, now, progress });
  return { database, now, scan };
}

/** The accepted findings of a file, or of the committed one, which need not be there. */
export async function readVex(project: string, given?: string): Promise<readonly Acceptance[]> {
  const file = given ?? path.join(project, VEX_FILE);
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    if (given === undefined && (cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new KilnError("usage", `${file} cannot be read`, { mend: "Name an OpenVEX document by --vex.", cause });
  });
  return text === undefined ? [] : readAcceptances(text, given ?? VEX_FILE, Date.now());
}

/** What was asked for, each image once: several stacks may name the same one. */
async function chosenImages(project: string, values: Invocation["values"]): Promise<readonly string[]> {
  const [images, asked] = [repeated(values, "image"), repeated(values, "stack")];
  const all = images.length + asked.length + repeated(values, "engine-image").length === 0;
  const stacks = all ? (await readStackNames(project)).filter((stack) => !isLocalStack(stack)) : asked;
  const named: string[] = [...images];
  for (const stack of stacks) {
    const { warmImage } = await readStackSettings(project, stack);
    if (warmImage !== undefined) named.push(warmImage);
    else if (!all) {
      throw new KilnError("usage", `${stackFile(stack)} names no warm image`, {
        mend: `Bake one: \`npx kiln cache bake --stack ${stack}\`; of a standalone stack name what it runs by --image.`,
      });
    }
  }
  return [...new Set(named)];
}

/** An image by digest; of an index those of its platforms. Throws where the registry does not have it. */
async function readPlatforms(client: RegistryClient, name: string): Promise<readonly PinnedImage[]> {
  const reference = parsePinnedImage(name) ?? parseReference(name);
  const digest = await readDigest(client, reference);
  const { repository } = reference;
  const manifest = digest === undefined ? undefined : await readStoredManifest(client, { repository, digest });
  if (digest === undefined || manifest === undefined) {
    throw new KilnError("difference", `there is no ${formatReference(reference)}`, {
      mend: "Name an image that its registry has: `npx kiln release image --stack S` prints one.",
    });
  }
  const digests = manifest.children.length > 0 ? manifest.children : [digest];
  return digests.map((one) => ({ repository, digest: one }));
}

function ageJson({ ecosystem, newest }: DatabaseAge) {
  return { ecosystem, newest: newest === undefined ? null : new Date(newest).toISOString() };
}

/** What a scan found, in lines for a person: what fails first, then what to do about acceptances, then the rest in numbers. */
export function scanText(scan: Scan): string {
  const { failing, expired, accepted, unrated, unused, others } = scan;
  const rows = [
    ...failing.map((finding) => row("fails", finding, "")),
    ...expired.map((one) => row("fails", one.finding, `accepted until ${dayOf(one.until)}, which is over`)),
    ...accepted.map((one) => row("accepted", one.finding, acceptedText(one))),
    ...unrated.map((finding) => row("unrated", finding, "nobody says how bad it is")),
  ];
  const counts = Object.entries(others).map(([severity, count]) => `${count} ${severity}`);
  return [
    scan.image,
    ...(rows.length > 0 ? [table(rows)] : []),
    ...unused.map(
      ({ names, lookedAt }) => `  unused: nothing to accept for ${names.join(", ")} of ${dayOf(lookedAt)}; take it out`,
    ),
    ...(counts.length > 0 ? [`  no fix yet, or milder: ${counts.join(", ")}`] : []),
    ending(scan),
  ].join("\n");
}

function row(what: string, finding: Finding, note: string): readonly string[] {
  const { id, severity, package: name, version, fixedIn, where } = finding;
  const more = where.length > SHOWN_FILES ? ` and ${where.length - SHOWN_FILES} more` : "";
  const files = `${where.slice(0, SHOWN_FILES).join(", ")}${more}`;
  return [`  ${what}`, severity, id, `${name} ${version}`, `fixed in ${fixedIn.join(", ")}`, files, note];
}

function acceptedText({ acceptance, until }: Accepted): string {
  return `until ${dayOf(until)}: ${acceptance.reason}`;
}

function ending({ passed, failing, expired }: Scan): string {
  if (passed) return "passed: nothing high or critical that can be mended";
  const old =
    expired.length === 0 ? "" : `, ${expired.length} of them accepted more than ${ACCEPTED_DAYS} days ago: look again`;
  return `failed: ${failing.length + expired.length} high or critical that can be mended${old}`;
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
