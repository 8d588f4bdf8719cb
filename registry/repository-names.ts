/** Where the images of a stack are below every registry: part of the published tags, so it never changes. */
const FOLDER = "base-images";

/** An image that a stack builds for itself beside its runners, by a name of its own. */
export type OwnImageName = `language-${string}` | `job-${string}`;

export type ImageName = "iac-runner" | "actions-runner" | OwnImageName;

const OWN_IMAGE = /^(?:language|job)(?:-[a-z0-9]+)+$/;

/** What stands before every repository of a loopback registry, which has no owner in its address. */
const LOOPBACK_OWNER = "kiln";

const LOOPBACK = /^(localhost|127\.0\.0\.1)(:\d{1,5})?$/;
const GHCR = /^ghcr\.io\/[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/;

/** Whether images can live at this address: a loopback `host[:port]`, or `ghcr.io/<owner>/<repository>` in lower case. */
export function isRegistry(address: string): boolean {
  return isLoopback(address) || GHCR.test(address);
}

/** Whether the registry runs on this machine: nothing that is pushed there leaves it. */
export function isLoopback(registry: string): boolean {
  return LOOPBACK.test(registry);
}

/** Whether a name can be that of an image of a stack's own: no other image of the stack has it, and every registry takes it. */
export function isOwnImageName(name: string): name is OwnImageName {
  return OWN_IMAGE.test(name);
}

/** The repository of an image, such as `ghcr.io/<owner>/<repository>/base-images/iac-runner`; the IaC runner's by default. */
export function imageRepository(registry: string, image: ImageName = "iac-runner"): string {
  return isLoopback(registry) ? `${registry}/${LOOPBACK_OWNER}/${FOLDER}/${image}` : `${registry}/${FOLDER}/${image}`;
}

/** The repository of the warm images that the IaC runner is made of. */
export function warmRepository(registry: string): string {
  return warmRepositoryOf(imageRepository(registry));
}

/** What the name of a repository of warm images ends with. */
const WARM = "-warm";

/** The repository of the warm images that the images of a repository are made of. */
export function warmRepositoryOf(repository: string): string {
  return `${repository}${WARM}`;
}

/** The repository of what is made of a repository's warm images; nothing where it is for something else. */
export function runnerRepositoryOf(repository: string): string | undefined {
  return repository.endsWith(WARM) ? repository.slice(0, -WARM.length) : undefined;
}
