import { describe, expect, it } from "vitest";
import { publicAddress } from "../../../../release/supply/build-facts.ts";
import {
  BUILD_TYPE,
  builderOf,
  commitMaterial,
  imageMaterial,
  LOCAL_BUILDER,
  provenanceOf,
} from "../../../../release/supply/provenance.ts";
import { isAbout, parseStatement, partOf, PREDICATES, statementOf } from "../../../../release/supply/statement.ts";

const GITHUB = {
  GITHUB_ACTIONS: "true",
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_REPOSITORY: "acme/infra",
  GITHUB_WORKFLOW_REF: "acme/infra/.github/workflows/release.yml@refs/tags/v1",
  GITHUB_RUN_ID: "42",
  GITHUB_RUN_ATTEMPT: "2",
  GITHUB_TOKEN: "ghs_secret",
};
const IMAGE = { repository: "ghcr.io/acme/infra/warm", digest: `sha256:${"b".repeat(64)}` };

describe("provenance", () => {
  it.each([
    [
      GITHUB,
      {
        id: "https://github.com/acme/infra/.github/workflows/release.yml@refs/tags/v1",
        invocation: "https://github.com/acme/infra/actions/runs/42/attempts/2",
      },
    ],
    // `kiln release run` sets GitHub's variables too, but is not GitHub.
    [{ ...GITHUB, GITHUB_ACTIONS: undefined }, { id: LOCAL_BUILDER }],
    [{}, { id: LOCAL_BUILDER }],
  ])("names the builder by GitHub's variables, else the local one: %#", (env, builder) => {
    expect(builderOf(env)).toEqual(builder);
  });

  it("has the fields of SLSA v1, and nothing of the environment besides", () => {
    const predicate = provenanceOf({
      builder: builderOf(GITHUB),
      version: "0.1.0",
      parameters: { stack: "dev" },
      materials: [commitMaterial("https://github.com/acme/infra", "c0ffee"), imageMaterial(IMAGE)],
    });
    expect(predicate).toEqual({
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { stack: "dev" },
        resolvedDependencies: [
          { uri: "git+https://github.com/acme/infra", digest: { gitCommit: "c0ffee" } },
          { name: "base", uri: "oci://ghcr.io/acme/infra/warm", digest: { sha256: "b".repeat(64) } },
        ],
      },
      runDetails: {
        builder: { id: builderOf(GITHUB).id, version: { kiln: "0.1.0" } },
        metadata: { invocationId: "https://github.com/acme/infra/actions/runs/42/attempts/2" },
      },
    });
    expect(JSON.stringify(predicate)).not.toContain("ghs_secret");
  });

  it.each([
    ["https://github.com/acme/infra.git", "https://github.com/acme/infra.git"],
    ["https://x-access-token:ghs_secret@github.com/acme/infra", "https://github.com/acme/infra"],
    ["https://github.com/acme/infra?token=ghs_secret", "https://github.com/acme/infra"],
    ["git@github.com:acme/infra.git", "https://github.com/acme/infra.git"],
    ["ssh://git@github.com/acme/infra.git", "https://github.com/acme/infra.git"],
    ["/srv/git/infra", undefined],
    ["file:///srv/git/infra", undefined],
    ["", undefined],
  ])("says of origin %j: %j", (origin, address) => {
    expect(publicAddress(origin)).toBe(address);
  });
});

describe("a statement", () => {
  const statement = statementOf("sbom", IMAGE, { spdxVersion: "SPDX-2.3" });

  it("is about one image, whatever its repository, and of one part", () => {
    expect(parseStatement(JSON.stringify(statement))).toEqual(statement);
    expect([partOf(statement), isAbout(statement, IMAGE.digest)]).toEqual(["sbom", true]);
    expect(isAbout(statement, `sha256:${"c".repeat(64)}`)).toBe(false);
    expect(isAbout({ ...statement, subject: [...statement.subject, ...statement.subject] }, IMAGE.digest)).toBe(false);
    expect(partOf({ ...statement, predicateType: "https://example.com" })).toBeUndefined();
    expect(PREDICATES.signature).toBe("https://sigstore.dev/cosign/sign/v1");
  });

  it.each([
    "",
    "[]",
    "{}",
    JSON.stringify({ ...statement, _type: "https://in-toto.io/Statement/v0.1" }),
    JSON.stringify({ ...statement, subject: [{ digest: "none" }] }),
    JSON.stringify({ ...statement, predicate: "none" }),
  ])("is not %j", (text) => {
    expect(parseStatement(text)).toBeUndefined();
  });
});
