import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { baseByDigest, readyLanguageBuild } from "../../../../execution/language/builder.ts";
import { catalogue } from "../../../../execution/language/catalogue.ts";
import { silent } from "../../../../progress.ts";
import { runnerRelease } from "../../../../release/runner-image.ts";
import { releasedRunner } from "../../../../release/runner-publish.ts";
import { BASE_DIGEST_LABEL } from "../../../../release/runner-readiness.ts";
import { parseRunnerTag } from "../../../../release/runner-tag.ts";
import type { Engine } from "../../../../toolchain/docker-engine.ts";
import { pins } from "../../../../toolchain/pins.ts";
import { places } from "../../../../toolchain/places.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

/** What the tag stands for on the day of the build, and what the same image was called by before. */
const [TODAY, BEFORE] = [`sha256:${"1".repeat(64)}`, `sha256:${"2".repeat(64)}`];
const IMAGE = { language: "yaml", variant: "slim", platform: "linux/amd64", loopbackHosts: false } as const;

let engine: Engine;

beforeEach(async () => {
  vi.stubEnv("KILN_DOCKER_MIRROR", "");
  // An engine that has pulled the base; it shows images of Docker Hub by their short names.
  const docker = path.join(await temporaryDirectory(), "docker");
  const inspected = { Os: "linux", Architecture: "amd64", RootFS: { Layers: [] } };
  const script = `case "$*" in *RepoDigests*) echo '["debian@${TODAY}","debian@${BEFORE}"]' ;; *) echo '${JSON.stringify([inspected])}' ;; esac`;
  await writeFile(docker, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  engine = { docker } as Engine;
});

/** Builds, as far as the arguments, and hands the image to a public registry. */
async function release(baseDigest: string | undefined, baseImage?: string): Promise<void> {
  const request = { ...IMAGE, ...(baseImage === undefined ? {} : { baseImage }) };
  const { args } = await readyLanguageBuild(request, { engine, places: places(), progress: silent });
  const release = runnerRelease(parseRunnerTag(`v${pins.pulumi.version}`), {
    registries: { production: ["public.ecr.aws/acme"], preproduction: [] },
    ...{ languages: ["yaml"], variants: ["slim"] },
  });
  const [target] = release.targets;
  if (target === undefined) throw new Error("there is no target");
  const labels = {
    "org.opencontainers.image.version": args.PULUMI_VERSION ?? "",
    "dev.kiln.language.name": args.LANGUAGE ?? "",
    "dev.kiln.language.variant": args.VARIANT ?? "",
    "dev.kiln.language.loopback-hosts": args.LOOPBACK_HOSTS ?? "",
    [BASE_DIGEST_LABEL]: args.BASE_DIGEST ?? "",
  };
  releasedRunner(release, target, { baseDigest }).requireLabels("runner:built", labels, false);
}

describe("the base of an image for a public registry", () => {
  it("is refused where a tag alone named it, although the image says what the tag stood for", async () => {
    const unpinned = `${catalogue.base.image}:${catalogue.base.tag}`;
    await expect(release(undefined, unpinned)).rejects.toThrow("runner:built stands on a base that no digest names");
    // Pinned since, at another day.
    await expect(release(BEFORE, unpinned)).rejects.toThrow(`stands on the base ${TODAY}, not on ${BEFORE}`);
  });

  it("is taken by the digest that named it, whatever else the engine calls it", async () => {
    await expect(release(BEFORE, `${catalogue.base.image}:${catalogue.base.tag}@${BEFORE}`)).resolves.toBeUndefined();
    await expect(release(TODAY, `docker.io/library/debian@${BEFORE}`)).rejects.toThrow(`not on ${TODAY}`);
  });

  it("keeps a name by digest, and gives a name by tag the digest of its own repository", () => {
    const known = ["ghcr.io/acme/debian@sha256:3", `debian@${TODAY}`];
    const pinned = `docker.io/library/debian:bookworm-slim@${BEFORE}`;
    expect(baseByDigest(pinned, known)).toBe(pinned);
    expect(baseByDigest("debian:bookworm-slim", known)).toBe(`debian:bookworm-slim@${TODAY}`);
    expect(baseByDigest("kiln-base:bookworm", known)).toBe("kiln-base:bookworm");
  });
});
