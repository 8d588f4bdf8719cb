import { KilnError } from "../../errors.ts";
import { registryHost, type ImageReference } from "../../registry/image-reference.ts";
import { isLoopback } from "../../registry/repository-names.ts";
import { lastLines, run } from "../../toolchain/process.ts";

/**
 * Puts an index of images, which the repository has already, under a tag and returns its digest: one name for several
 * platforms. What each is for is read from the images themselves.
 */
export async function pushIndex(regctl: string, target: ImageReference, digests: readonly string[]): Promise<string> {
  const { repository, tag = "latest" } = target;
  const host = registryHost(repository);
  const flags = isLoopback(host) ? ["--host", `reg=${host},tls=disabled`] : [];
  const images = digests.flatMap((digest) => ["--digest", digest]);
  const reference = `${repository}:${tag}`;
  const created = await run(regctl, ["index", "create", reference, "--ref", repository, ...images, ...flags], {
    allowFailure: true,
  });
  const headed = created.code === 0 ? await run(regctl, ["manifest", "head", reference, ...flags]) : undefined;
  if (headed !== undefined) return headed.stdout.trim();
  throw new KilnError("failed", `no index for ${reference}: ${lastLines(created.stderr, 2)}`, {
    mend: `Check that ${host} takes image indexes and that you are logged in to it.`,
  });
}
