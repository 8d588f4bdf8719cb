import { isMap } from "../../cache/document.ts";
import type { PinnedImage } from "../../registry/image-reference.ts";
import { hexOf } from "./statement.ts";

/** How a build of kiln is to be read: what its parameters are is written in docs/security.md. */
export const BUILD_TYPE = "urn:kiln:build:iac-runner:v1";

/** The builder of whoever builds on a machine of their own: nobody vouches for it. */
export const LOCAL_BUILDER = "urn:kiln:builder:local";

/** Something that went into a build, by a digest (SLSA calls it a resource descriptor). */
export interface Material {
  readonly uri?: string;
  readonly name?: string;
  readonly digest: Readonly<Record<string, string>>;
}

/** Who built, and in which run. */
export interface Builder {
  readonly id: string;
  /** Address of the run; nothing outside of workflows. */
  readonly invocation?: string;
}

/** All that provenance says of a build. None of it is secret: whoever can pull the image can read it. */
export interface BuildFacts {
  readonly builder: Builder;
  /** Of kiln. */
  readonly version: string;
  /** What was asked for: stack, platform, programs. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly materials: readonly Material[];
}

/** Who builds, by the variables that GitHub sets in a job; anywhere else the local builder. */
export function builderOf(env: NodeJS.ProcessEnv): Builder {
  const { GITHUB_ACTIONS, GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_WORKFLOW_REF } = env;
  const { GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT } = env;
  if (GITHUB_ACTIONS !== "true" || GITHUB_SERVER_URL === undefined || GITHUB_WORKFLOW_REF === undefined) {
    return { id: LOCAL_BUILDER };
  }
  const id = `${GITHUB_SERVER_URL}/${GITHUB_WORKFLOW_REF}`;
  if (GITHUB_REPOSITORY === undefined || GITHUB_RUN_ID === undefined) return { id };
  const run = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
  return { id, invocation: `${run}/attempts/${GITHUB_RUN_ATTEMPT ?? "1"}` };
}

/** A commit as a material; `origin` is where it is fetched from, without a login. */
export function commitMaterial(origin: string | undefined, commit: string): Material {
  return { ...(origin === undefined ? { name: "source" } : { uri: `git+${origin}` }), digest: { gitCommit: commit } };
}

/** The commits that a provenance says were built: of the checkout, and of a source elsewhere. Pure. */
export function commitsIn(predicate: Readonly<Record<string, unknown>>): readonly string[] {
  const { buildDefinition } = predicate;
  const materials = isMap(buildDefinition) ? buildDefinition.resolvedDependencies : undefined;
  return (Array.isArray(materials) ? (materials as readonly unknown[]) : []).flatMap((one) => {
    const commit = isMap(one) && isMap(one.digest) ? one.digest.gitCommit : undefined;
    return typeof commit === "string" ? [commit] : [];
  });
}

/** An image as a material. */
export function imageMaterial({ repository, digest }: PinnedImage): Material {
  return { name: "base", uri: `oci://${repository}`, digest: { sha256: hexOf(digest) } };
}

/** The predicate of an SLSA provenance, v1. Pure: it says nothing of the time, so the same build gives the same text. */
export function provenanceOf({ builder, version, parameters, materials }: BuildFacts) {
  return {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: parameters,
      resolvedDependencies: materials,
    },
    runDetails: {
      builder: { id: builder.id, version: { kiln: version } },
      ...(builder.invocation === undefined ? {} : { metadata: { invocationId: builder.invocation } }),
    },
  };
}
