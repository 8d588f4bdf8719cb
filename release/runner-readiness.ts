import { KilnError } from "../errors.ts";
import { registryHost } from "../registry/image-reference.ts";
import { isLoopback } from "../registry/repository-names.ts";
import { isPlaceholder } from "./runner-registries.ts";

/** By which an image names the base that it stands on (images/pulumi-runner/Dockerfile). */
export const BASE_DIGEST_LABEL = "org.opencontainers.image.base.digest";

/** Registries, or repositories below them. */
interface Places {
  readonly repositories: readonly string[];
}

/** What a release of language runners stands on. */
export interface RunnerBase {
  /** The digest of the base that the catalogue pins, or that a person named; nothing where a tag alone names it. */
  readonly baseDigest: string | undefined;
}

/**
 * Refuses a release of language runners that could not end well, before anything is built for it: its registries are examples, or
 * not all on this machine, and no digest names the base.
 */
export function requireReady(places: Places, base: RunnerBase): void {
  const [fault] = readinessFaults(places, base);
  if (fault !== undefined) throw fault;
}

/** All that such a release would fail at. Pure. */
export function readinessFaults(places: Places, { baseDigest }: RunnerBase): readonly KilnError[] {
  const isLoose = baseDigest === undefined && !isHome(places);
  return [...addressFaults(places), ...(isLoose ? [looseBase(`an image for ${places.repositories.join(", ")}`)] : [])];
}

/** Refuses registries that nobody has filled in. */
export function requireAddresses(places: Places): void {
  const [fault] = addressFaults(places);
  if (fault !== undefined) throw fault;
}

/** Those of the registries that nobody has filled in, a fault each. Pure. */
export function addressFaults({ repositories }: Places): readonly KilnError[] {
  const mend = "Name your own registries in registries.json beside the Dockerfile of these images, or by --registry.";
  return repositories.filter(isPlaceholder).map((open) => new KilnError("usage", `${open} is an example`, { mend }));
}

/** Refuses an image for others that stands on another base than its release, or whose release has none by digest. Pure. */
export function requireBase(image: string, labels: Readonly<Record<string, string>>, { baseDigest }: RunnerBase): void {
  if (baseDigest === undefined) throw looseBase(image);
  const found = labels[BASE_DIGEST_LABEL] ?? "";
  if (found === baseDigest) return;
  throw new KilnError(
    "usage",
    `${image} stands on the base ${found === "" ? "of no digest" : found}, not on ${baseDigest}`,
    {
      mend: "Build it again: `kiln language build`; or name by --base-image what it was built on, by digest.",
    },
  );
}

/** Whether all its registries are on this machine. */
export function isHome({ repositories }: Places): boolean {
  return repositories.every((to) => isLoopback(registryHost(to)));
}

function looseBase(image: string): KilnError {
  return new KilnError("usage", `${image} stands on a base that no digest names: nobody could make it again`, {
    mend: "`npx kiln language pin` writes base.digest into images/pulumi-runner/languages.json; or name a base by digest with --base-image.",
  });
}
