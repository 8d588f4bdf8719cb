/** The IaC runner's place below every registry: part of the published tags, so it never changes. */
const RUNNER = "base-images/iac-runner";

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

/** The repository of the IaC runner image, such as `ghcr.io/<owner>/<repository>/base-images/iac-runner`. */
export function imageRepository(registry: string): string {
  return isLoopback(registry) ? `${registry}/${LOOPBACK_OWNER}/${RUNNER}` : `${registry}/${RUNNER}`;
}

/** The repository of the warm images that the IaC runner is made of. */
export function warmRepository(registry: string): string {
  return `${imageRepository(registry)}-warm`;
}
