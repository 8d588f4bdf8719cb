import type { StoredManifest } from "../registry/stored-manifest.ts";
import { registryTag } from "./registry-tag.ts";

/** One step from a manifest to another that belongs to it: `part of`, `referrer of`, `attached to`. */
export interface Step {
  readonly to: StoredManifest;
  readonly as: string;
}

/** The manifests of some repositories, and which lead to which. */
export interface ManifestGraph {
  readonly manifests: readonly StoredManifest[];
  readonly leadsTo: (manifest: StoredManifest) => readonly Step[];
  readonly find: (repository: string, digest: string) => StoredManifest | undefined;
}

/**
 * The graph of manifests: from an index lead its parts, from every manifest what names it as its subject, and what is
 * attached to it by tag. Each repository is a world of its own: registries resolve digests within one.
 */
export function manifestGraph(manifests: readonly StoredManifest[]): ManifestGraph {
  const byDigest = new Map(manifests.map((manifest) => [keyOf(manifest.repository, manifest.digest), manifest]));
  const steps = new Map<string, Step[]>();
  const add = (from: string, step: Step) => {
    const known = steps.get(from);
    if (known === undefined) steps.set(from, [step]);
    else known.push(step);
  };
  for (const manifest of byDigest.values()) {
    const { repository, digest, children, subject, tags } = manifest;
    for (const child of children) {
      const to = byDigest.get(keyOf(repository, child));
      if (to !== undefined) add(keyOf(repository, digest), { to, as: "part of" });
    }
    if (subject !== undefined) add(keyOf(repository, subject), { to: manifest, as: "referrer of" });
    for (const tag of tags) {
      const known = registryTag(tag);
      if (known.kind === "attached") add(keyOf(repository, known.subject), { to: manifest, as: "attached to" });
    }
  }
  return {
    manifests: [...byDigest.values()],
    leadsTo: ({ repository, digest }) => steps.get(keyOf(repository, digest)) ?? [],
    find: (repository, digest) => byDigest.get(keyOf(repository, digest)),
  };
}

/** The images for one platform that a manifest is or, as an index, has. */
export function imagesOf(graph: ManifestGraph, manifest: StoredManifest): readonly StoredManifest[] {
  if (manifest.children.length === 0) return [manifest];
  return manifest.children.flatMap((child) => graph.find(manifest.repository, child) ?? []);
}

function keyOf(repository: string, digest: string): string {
  return `${repository}@${digest}`;
}
