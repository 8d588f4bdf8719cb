import { createHash } from "node:crypto";
import { KilnError } from "../../errors.ts";
import type { ImageManifest, RegistryClient } from "../../registry/client.ts";
import { formatReference, parseReference, type ImageReference } from "../../registry/image-reference.ts";
import type { MemoryRegistry } from "./memory-registry.ts";

/** What a test makes a registry do: refuse to delete some digests, or leave tags behind that point to nothing. */
export interface Deletions {
  readonly refused: Set<string>;
  leavesTags: boolean;
}

/**
 * The calls of regctl that read, delete and tag manifests of any kind, and those that push, on registries in memory: for `vi.mock` of
 * registry/client.ts beside `registry.functions`.
 */
export function memoryManifests(registry: MemoryRegistry, deletions: Deletions) {
  const remove = (reference: string) => {
    const { repository, tag, digest = "" } = parseReference(reference);
    const { manifests, tags } = registry.repository(repository);
    registry.writes.push(`delete ${reference}`);
    if (tag !== undefined) tags.delete(tag);
    if (deletions.refused.has(digest)) throw new KilnError("failed", `no permission for ${digest}`);
    manifests.delete(digest);
    if (deletions.leavesTags) return;
    for (const [name, target] of tags) if (target === digest) tags.delete(name);
  };
  /** Lets a tag name a manifest of its repository, which is all that is copied by this way. */
  const name = (from: string, to: string) => {
    const [image, { repository, tag = "" }] = [parseReference(from), parseReference(to)];
    if (image.repository !== repository) throw new Error(`regctl in memory copies no images: ${from} to ${to}`);
    registry.writes.push(`tag ${to}`);
    registry.repository(repository).tags.set(tag, image.digest ?? "");
  };
  return {
    regctl: (_: RegistryClient, __: string, args: readonly string[]) =>
      Promise.resolve().then(() => {
        const reference = args.at(-1) ?? "";
        if (args[0] === "image" && args[1] === "copy") name(args.at(-2) ?? "", reference);
        if (args[1] === "delete") remove(reference);
        if (args[1] !== "get") return { code: 0, stdout: "", stderr: "" };
        const { repository, tag, digest } = parseReference(reference);
        const { manifests, tags } = registry.repository(repository);
        const stdout = manifests.get(digest ?? tags.get(tag ?? "") ?? "");
        return stdout === undefined ? undefined : { code: 0, stdout, stderr: "" };
      }),
    pushManifest: (_: RegistryClient, target: ImageReference, manifest: ImageManifest) => {
      registry.writes.push(`push ${formatReference(target)}`);
      return Promise.resolve(registry.putManifest(target.repository, manifest, target.tag));
    },
    pushDocument: (_: RegistryClient, repository: string, mediaType: string, text: string) =>
      Promise.resolve({ ...registry.putBlob(repository, text), mediaType }),
  };
}

/** Puts any manifest into a repository, with tags, and returns its digest. */
export function putAny(
  registry: MemoryRegistry,
  repository: string,
  manifest: object,
  ...tags: readonly string[]
): string {
  const text = JSON.stringify(manifest);
  const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
  registry.repository(repository).manifests.set(digest, text);
  for (const tag of tags) registry.repository(repository).tags.set(tag, digest);
  return digest;
}
