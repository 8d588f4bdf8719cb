import { beforeEach, describe, expect, it } from "vitest";
import { hasPublicTag } from "../../../registry/public-manifest.ts";
import { FakeGithub, type Answer } from "../release/github/fake-github.ts";

let registry: FakeGithub;
const repository = () => `${registry.address.replace("http://", "")}/kiln/runner`;

beforeEach(async () => {
  registry = await FakeGithub.start();
});

describe("a tag of a public repository", () => {
  it.each([
    [200, true],
    [404, false],
  ])("is there or not: %i", async (status, expected) => {
    registry.answer = () => ({ status });
    expect(await hasPublicTag(repository(), "v1.0.0")).toBe(expected);
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
    expect(await hasPublicTag(repository(), "v1.0.0")).toBe(true);
    expect(registry.asked[1]?.url).toBe("/token?service=reg&scope=repository%3Akiln%2Frunner%3Apull");
  });

  it.each([401, 403, 500])("is unknown where the registry does not say: %i", async (status) => {
    registry.answer = () => ({ status });
    await expect(hasPublicTag(repository(), "v1.0.0")).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("is asked for again, a little later, where it was asked too often", async () => {
    const pauses: number[] = [];
    const pause = (milliseconds: number) => {
      pauses.push(milliseconds);
      return Promise.resolve();
    };
    const answers: Answer[] = [{ status: 429, headers: { "retry-after": "3" } }, { status: 429 }, { status: 200 }];
    registry.answer = () => answers.shift() ?? { status: 429, headers: { "retry-after": "60" } };
    expect(await hasPublicTag(repository(), "v1.0.0", pause)).toBe(true);
    expect(pauses).toEqual([3000, 2000]);
    await expect(hasPublicTag(repository(), "v1.0.0", pause)).rejects.toMatchObject({ kind: "unreachable" });
    expect([pauses.length, registry.asked.length]).toEqual([2, 4]);
  });

  it("is unknown where nobody answers", async () => {
    await expect(hasPublicTag("127.0.0.1:1/a", "v1")).rejects.toMatchObject({ kind: "unreachable" });
  });
});
