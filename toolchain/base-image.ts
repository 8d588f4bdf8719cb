import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { canInstallPackages, debianMirrors, installPackages } from "./debian.ts";
import { engineEnvironment, type Engine } from "./docker-engine.ts";
import { findExecutable } from "./executables.ts";
import { withLock } from "./lock.ts";
import { DEFAULT_BASE_IMAGE, platformName } from "./pins.ts";
import type { Places } from "./places.ts";
import { run } from "./process.ts";

/** A base image that stands in the engine. */
export interface BaseImage {
  readonly reference: string;
  /** What it is made of, to the byte: enters cache keys. */
  readonly recipe: string;
}

/** Stands in for the public base of stacks that name none, and for no other. */
const LOCAL_REFERENCE = "kiln-base:bookworm";
const SUITE = "bookworm";
const PACKAGES = ["ca-certificates", "git"];
/** The time that every file of the local base carries, so that the same packages make the same bytes. */
const SOURCE_DATE_EPOCH = "1700000000";

interface BaseOptions {
  readonly engine: Engine;
  /** The public base image that the stack's config names. */
  readonly reference: string;
  readonly progress: Progress;
  readonly places: Places;
}

/**
 * Has the base image in the engine: as it is there, or pulled. Where no registry gives it, the default one, and no
 * other, is replaced by one of Debian's packages, with a note each time: a stack that names its base gets that base or
 * a KilnError with what the pull said.
 */
export async function readyBaseImage(options: BaseOptions): Promise<BaseImage> {
  const { engine, reference, progress } = options;
  const present = await inspectImage(engine, reference);
  if (present !== undefined) return present;
  progress.step(`pulling ${reference}`);
  const pulled = await docker(engine, ["pull", "--quiet", reference]);
  if (pulled.code === 0) return inspected(engine, reference);
  const reason = pulled.stderr.trim().split("\n").at(-1) ?? "";
  const local = reference === DEFAULT_BASE_IMAGE ? await inspectImage(engine, LOCAL_REFERENCE) : undefined;
  if (local === undefined && (reference !== DEFAULT_BASE_IMAGE || !(await canInstallPackages()))) {
    throw new KilnError("unreachable", `cannot pull the base image ${reference}: ${reason}`, {
      mend: "let this machine reach that registry, or `docker load` the image, or name another one in the stack's file",
    });
  }
  progress.note(`${reference} cannot be pulled (${reason}); using ${LOCAL_REFERENCE}, built from Debian packages`);
  if (local !== undefined) return local;
  const archive = await readyArchive(options);
  progress.step(`importing ${LOCAL_REFERENCE}`);
  const change = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const imported = await docker(engine, ["import", "--change", change, archive, LOCAL_REFERENCE]);
  if (imported.code !== 0) throw new KilnError("failed", `cannot import ${archive}: ${imported.stderr}`);
  return inspected(engine, LOCAL_REFERENCE);
}

/** The archive of the Debian base, kept in the cache and shared by every engine. */
async function readyArchive({ places, progress }: BaseOptions): Promise<string> {
  const archive = path.join(places.cache, "base", `${SUITE}-${platformName()}.tar`);
  await withLock(`${archive}.lock`, progress, "the base image", async () => {
    if (existsSync(archive)) return;
    const env = { ...process.env, SOURCE_DATE_EPOCH };
    const missing: string[] = [];
    if ((await findExecutable("mmdebstrap", env)) === undefined) missing.push("mmdebstrap");
    if (!existsSync("/usr/share/keyrings/debian-archive-keyring.gpg")) missing.push("debian-archive-keyring");
    if (missing.length > 0) await installPackages(missing, "the base image", progress);
    progress.step(`building a ${SUITE} base from Debian packages`);
    const fresh = `${archive}.${process.pid}.part`;
    await mkdir(path.dirname(archive), { recursive: true });
    try {
      await run("mmdebstrap", bootstrapArguments(fresh, await debianMirrors(SUITE)), { env });
      await rename(fresh, archive);
    } catch (cause) {
      if (cause instanceof KilnError && cause.kind === "interrupted") throw cause;
      const message = `cannot build a base image from Debian packages: ${messageOf(cause)}`;
      throw new KilnError("unreachable", message, { cause, mend: "let this machine reach a Debian mirror over HTTP" });
    } finally {
      await rm(fresh, { force: true });
    }
  });
  return archive;
}

/** Arguments of mmdebstrap: built from this machine's mirrors, but naming the public ones inside. */
export function bootstrapArguments(target: string, mirrors: readonly string[]): readonly string[] {
  const publicSources = [
    `deb http://deb.debian.org/debian ${SUITE} main`,
    `deb http://deb.debian.org/debian ${SUITE}-updates main`,
    `deb http://security.debian.org/debian-security ${SUITE}-security main`,
  ];
  const lines = publicSources.map((line) => `'${line}'`).join(" ");
  return [
    ...["--mode=root", "--format=tar", "--variant=minbase", `--include=${PACKAGES.join(",")}`],
    `--customize-hook=rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*`,
    `--customize-hook=printf '%s\\n' ${lines} > "$1"/etc/apt/sources.list`,
    ...[SUITE, target, ...mirrors],
  ];
}

async function inspected(engine: Engine, reference: string): Promise<BaseImage> {
  const image = await inspectImage(engine, reference);
  if (image) return image;
  throw new KilnError("failed", `${reference} is not in the engine, although it was put there`);
}

async function inspectImage(engine: Engine, reference: string): Promise<BaseImage | undefined> {
  const found = await docker(engine, ["image", "inspect", reference]);
  if (found.code !== 0) return undefined;
  const [image] = JSON.parse(found.stdout) as [
    { readonly RepoDigests?: readonly string[]; readonly RootFS: { readonly Layers: readonly string[] } },
  ];
  const layers = image.RootFS.Layers.join(" ");
  if (reference === LOCAL_REFERENCE) {
    return { reference, recipe: `mmdebstrap ${SUITE} minbase ${PACKAGES.join(" ")} ${layers}` };
  }
  // An image also carries the digests of every repository that it was pushed to: only the one that it came from counts.
  const digest = image.RepoDigests?.find((name) => name.startsWith(`${repositoryOf(reference)}@`));
  return { reference, recipe: digest ?? `${reference} ${layers}` };
}

/** The repository of a reference, without tag and digest. */
export function repositoryOf(reference: string): string {
  return reference.replace(/@.*$/, "").replace(/:[^:/]*$/, "");
}

function docker(engine: Engine, args: readonly string[]) {
  return run(engine.docker, args, { env: engineEnvironment(engine), allowFailure: true });
}
