import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { aptTrust, canInstallPackages, debianMirrors, installPackages } from "./debian.ts";
import { engineEnvironment, type Engine } from "./docker-engine.ts";
import { findExecutable } from "./executables.ts";
import { loadImage } from "./load-image.ts";
import { withLock } from "./lock.ts";
import { DEFAULT_BASE_IMAGE } from "./pins.ts";
import type { Places } from "./places.ts";
import { ownPlatform } from "./platforms.ts";
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
  /** What it shall run on: `linux/arm64`. */
  readonly platform: string;
  readonly progress: Progress;
  readonly places: Places;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Has the base image in the engine: as it is there, or pulled, an image of Docker Hub from the mirror that
 * `KILN_DOCKER_MIRROR` names. Where no registry gives it, the default one, and no other, is replaced by one of Debian's
 * packages, with a note each time: a stack that names its base gets that base or a KilnError with what the pull said.
 */
export async function readyBaseImage(options: BaseOptions): Promise<BaseImage> {
  const { engine, platform, progress, env = process.env } = options;
  const reference = mirroredReference(options.reference, env.KILN_DOCKER_MIRROR);
  const present = await inspectImage(engine, reference, platform);
  if (present !== undefined) return present;
  progress.step(`pulling ${reference}`);
  const pulled = await docker(engine, ["pull", "--quiet", "--platform", platform, reference]);
  if (pulled.code === 0) return inspected(engine, reference, platform);
  const reason = pulled.stderr.trim().split("\n").at(-1) ?? "";
  const mayReplace = options.reference === DEFAULT_BASE_IMAGE;
  const standIn = localReference(platform);
  const local = mayReplace ? await inspectImage(engine, standIn, platform) : undefined;
  if (local === undefined && (!mayReplace || !(await canInstallPackages()))) {
    throw new KilnError("unreachable", `cannot pull the base image ${reference}: ${reason}`, { mend: PULL_MEND });
  }
  progress.note(`${reference} cannot be pulled (${reason}); using ${standIn}, built from Debian packages`);
  if (local !== undefined) return local;
  const archive = await readyArchive(options);
  progress.step(`loading ${standIn}`);
  const imageEnv = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];
  await loadImage(engine, { reference: standIn, platform, archive, env: imageEnv });
  return inspected(engine, standIn, platform);
}

const PULL_MEND =
  "let the Docker engine reach that registry (behind a proxy it is the engine that needs it), or set KILN_DOCKER_MIRROR to a mirror of Docker Hub, or `docker load` the image, or name another one in the stack's file";

/** Where an image of Docker Hub is pulled from: below `mirror` (`registry/path`) where one is named. Others stay. */
export function mirroredReference(reference: string, mirror = ""): string {
  if (mirror === "") return reference;
  const [first = "", ...rest] = reference.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  if (isHost && first !== "docker.io" && first !== "index.docker.io") return reference;
  const name = isHost ? rest.join("/") : reference;
  return `${mirror.replace(/^https?:\/\//, "").replace(/\/+$/, "")}/${name.includes("/") ? name : `library/${name}`}`;
}

/** The stand-in for a platform: of this machine's it has the plain name. */
function localReference(platform: string): string {
  return platform === ownPlatform() ? LOCAL_REFERENCE : `${LOCAL_REFERENCE}-${platform.replace("linux/", "")}`;
}

/** The archive of the Debian base, kept in the cache and shared by every engine. */
async function readyArchive({ places, platform, progress }: BaseOptions): Promise<string> {
  const archive = path.join(places.cache, "base", `${SUITE}-${platform.replace("/", "-")}.tar`);
  await withLock(`${archive}.lock`, progress, "the base image", async () => {
    if (existsSync(archive)) return;
    const env = { ...process.env, SOURCE_DATE_EPOCH };
    const missing: string[] = [];
    if ((await findExecutable("mmdebstrap", env)) === undefined) missing.push("mmdebstrap");
    if (!existsSync("/usr/share/keyrings/debian-archive-keyring.gpg")) missing.push("debian-archive-keyring");
    // Asked by mmdebstrap whether another platform's maintainer scripts run here.
    const isForeign = platform !== ownPlatform();
    if (isForeign && (await findExecutable("arch-test", env)) === undefined) missing.push("arch-test");
    if (missing.length > 0) await installPackages(missing, "the base image", progress);
    progress.step(`building a ${SUITE} base from Debian packages`);
    const fresh = `${archive}.${process.pid}.part`;
    await mkdir(path.dirname(archive), { recursive: true });
    try {
      const trust = aptTrust(env).map((option) => `--aptopt=${option}`);
      const architecture = platform.replace("linux/", "");
      await run("mmdebstrap", [...trust, ...bootstrapArguments(fresh, architecture, await debianMirrors(SUITE))], {
        env,
      });
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
export function bootstrapArguments(
  target: string,
  architecture: string,
  mirrors: readonly string[],
): readonly string[] {
  const publicSources = [
    `deb http://deb.debian.org/debian ${SUITE} main`,
    `deb http://deb.debian.org/debian ${SUITE}-updates main`,
    `deb http://security.debian.org/debian-security ${SUITE}-security main`,
  ];
  const lines = publicSources.map((line) => `'${line}'`).join(" ");
  return [
    ...[
      "--mode=root",
      `--architectures=${architecture}`,
      "--format=tar",
      "--variant=minbase",
      `--include=${PACKAGES.join(",")}`,
    ],
    `--customize-hook=rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*`,
    `--customize-hook=printf '%s\\n' ${lines} > "$1"/etc/apt/sources.list`,
    ...[SUITE, target, ...mirrors],
  ];
}

async function inspected(engine: Engine, reference: string, platform: string): Promise<BaseImage> {
  const image = await inspectImage(engine, reference, platform);
  if (image) return image;
  throw new KilnError("failed", `${reference} for ${platform} is not in the engine, although it was put there`);
}

interface InspectedImage {
  readonly Os: string;
  readonly Architecture: string;
  readonly RepoDigests?: readonly string[];
  readonly RootFS: { readonly Layers: readonly string[] };
}

/** An image of the engine; undefined where it has none of this name, or one of another platform. */
async function inspectImage(engine: Engine, reference: string, platform: string): Promise<BaseImage | undefined> {
  // Of an image for several platforms, engines from 28 on show the one that they are asked for; older ones do not know
  // the option and have one platform a name.
  const asked = await docker(engine, ["image", "inspect", "--platform", platform, reference]);
  const found = asked.code === 0 ? asked : await docker(engine, ["image", "inspect", reference]);
  if (found.code !== 0) return undefined;
  const [image] = JSON.parse(found.stdout) as [InspectedImage];
  if (`${image.Os}/${image.Architecture}` !== platform) return undefined;
  const layers = image.RootFS.Layers.join(" ");
  if (reference.startsWith(LOCAL_REFERENCE)) {
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
