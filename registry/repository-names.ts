/** Images of a stack by their place below every registry: part of the published tags, so it never changes. */
const IMAGES = { "iac-runner": "base-images/iac-runner", "actions-runner": "base-images/actions-runner" } as const;

export type ImageName = keyof typeof IMAGES;

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

/** The repository of an image, such as `ghcr.io/<owner>/<repository>/base-images/iac-runner`; the IaC runner's by default. */
export function imageRepository(registry: string, image: ImageName = "iac-runner"): string {
  return isLoopback(registry) ? `${registry}/${LOOPBACK_OWNER}/${IMAGES[image]}` : `${registry}/${IMAGES[image]}`;
}

/** The repository of the warm images that the IaC runner is made of. */
export function warmRepository(registry: string): string {
  return `${imageRepository(registry)}-warm`;
}
