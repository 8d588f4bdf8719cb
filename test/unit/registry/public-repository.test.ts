import { beforeEach, describe, expect, it } from "vitest";
import { PublicRepository } from "../../../registry/public-repository.ts";
import { FakeGithub, type Answer } from "../release/github/fake-github.ts";

let registry: FakeGithub;
const repository = (pause?: (milliseconds: number) => Promise<void>) =>
  new PublicRepository(`${registry.address.replace("http://", "")}/kiln/runner`, pause);

beforeEach(async () => {
  registry = await FakeGithub.start();
});

describe("a tag of a public repository", () => {
  it.each([
    [200, true],
    [404, false],
  ])("is there or not: %i", async (status, expected) => {
    registry.answer = () => ({ status });
    expect(await repository().hasTag("v1.0.0")).toBe(expected);
    expect(registry.asked).toMatchObject([
      { method: "HEAD", url: "/v2/kiln/runner/manifests/v1.0.0", authorization: "" },
    ]);
  });

  it("is asked for with the token that a registry gives to anybody", async () => {
    registry.answer = ({ url, authorization }) => {
      if (url.startsWith("/token")) return { status: 200, body: { token: "anonymous" } };
      if (authorization === "Bearer anonymous") return { status: 200 };
      const challenge = `Bearer realm="${registry.address}/token",service="reg",scope="repository:kiln/runner:pull"`;
      return { status: 401, headers: { "www-authenticate": challenge } };
    };
    const one = repository();
    expect([await one.hasTag("v1.0.0"), await one.hasTag("v1.0.0")]).toEqual([true, true]);
    // The second time it knows the token.
    expect(registry.asked.map(({ authorization }) => authorization)).toEqual([
      "",
      "",
      "Bearer anonymous",
      "Bearer anonymous",
    ]);
    expect(registry.asked[1]?.url).toBe("/token?service=reg&scope=repository%3Akiln%2Frunner%3Apull");
  });

  it.each([401, 403, 500])("is unknown where the registry does not say: %i", async (status) => {
    registry.answer = () => ({ status });
    await expect(repository().hasTag("v1.0.0")).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("is asked for again, a little later, where it was asked too often", async () => {
    const pauses: number[] = [];
    const pause = (milliseconds: number) => {
      pauses.push(milliseconds);
      return Promise.resolve();
    };
    const answers: Answer[] = [{ status: 429, headers: { "retry-after": "3" } }, { status: 429 }, { status: 200 }];
    registry.answer = () => answers.shift() ?? { status: 429, headers: { "retry-after": "60" } };
    expect(await repository(pause).hasTag("v1.0.0")).toBe(true);
    expect(pauses).toEqual([3000, 2000]);
    await expect(repository(pause).hasTag("v1.0.0")).rejects.toMatchObject({ kind: "unreachable" });
    expect([pauses.length, registry.asked.length]).toEqual([2, 4]);
  });

  it("is unknown where nobody answers", async () => {
    await expect(new PublicRepository("127.0.0.1:1/a").hasTag("v1")).rejects.toMatchObject({ kind: "unreachable" });
  });
});

describe("what is attached to an image", () => {
  const DIGEST = `sha256:${"a".repeat(64)}`;
  const INDEX = "application/vnd.oci.image.index.v1+json";
  const list = {
    manifests: [{ artifactType: "x/a", digest: "sha256:1" }, { artifactType: "x/b", digest: "sha256:2" }, null],
  };
  const byApi = `/v2/kiln/runner/referrers/${DIGEST}?artifactType=x%2Fa`;
  const byTag = `/v2/kiln/runner/manifests/sha256-${"a".repeat(64)}`;

  it("is read by the referrers API, where a registry has it, of one type also where it filters none", async () => {
    registry.answer = ({ url }) => ({
      status: url === byApi ? 200 : 404,
      body: list,
      headers: { "content-type": INDEX },
    });
    expect(await repository().readReferrers(DIGEST, "x/a")).toEqual(["sha256:1"]);
  });

  it.each([404, 405, 400, 200])("is read by the fallback tag, where it has no such API and says %i", async (status) => {
    registry.answer = ({ url }) => (url === byTag ? { status: 200, body: list } : { status, body: {} });
    expect(await repository().readReferrers(DIGEST, "x/a")).toEqual(["sha256:1"]);
    expect(registry.asked.map(({ url }) => url)).toEqual([byApi, byTag]);
  });

  it("is nothing where there is neither", async () => {
    expect(await repository().readReferrers(DIGEST, "x/a")).toEqual([]);
  });

  it.each([401, 403, 410, 418, 500, 502, 503, 504])(
    "is unknown where the registry fails, whatever the fallback tag says: %i",
    async (status) => {
      registry.answer = ({ url }) => (url === byTag ? { status: 200, body: list } : { status, body: {} });
      await expect(repository().readReferrers(DIGEST, "x/a")).rejects.toMatchObject({
        kind: "unreachable",
        message: expect.stringContaining(`answered ${status} for`) as string,
      });
    },
  );
});

it("has documents that are JSON, and says so of others", async () => {
  registry.answer = ({ url }) => ({ status: 200, ...(url.includes("/blobs/") ? { body: { a: 1 } } : {}) });
  expect(await repository().readDocument("sha256:1")).toEqual({ a: 1 });
  await expect(repository().readManifest("v1")).rejects.toThrow(/no JSON for .*runner:v1/);
  await expect(repository().readDigest("v1")).rejects.toThrow(/without its digest/);
});
