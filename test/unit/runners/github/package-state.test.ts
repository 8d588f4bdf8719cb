import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { apiAddress, readPackageState, type PackageQuestion } from "../../../../runners/github/package-state.ts";

const IMAGE = "ghcr.io/acme/kiln/base-images/iac-runner";

interface Asked {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
}

/** An API on loopback that gives one answer. */
async function apiWith(status: number, body: string): Promise<{ question: PackageQuestion; asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url, authorization: request.headers.authorization });
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
  });
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { question: { api, owner: "acme", ownerKind: "organization", token: "t0k3n" }, asked };
}

describe("the state of a package", () => {
  it("is read with the token, from the package's own address", async () => {
    const { question, asked } = await apiWith(200, '{"visibility":"private","repository":{"full_name":"acme/kiln"}}');
    expect(await readPackageState(question, IMAGE)).toEqual({ visibility: "private", repository: "acme/kiln" });
    expect(asked).toEqual([
      { path: "/orgs/acme/packages/container/kiln%2Fbase-images%2Fiac-runner", authorization: "Bearer t0k3n" },
    ]);
  });

  it("of a person's package is asked elsewhere, and may have no link", async () => {
    const { question, asked } = await apiWith(200, '{"visibility":"public"}');
    const state = await readPackageState({ ...question, ownerKind: "user" }, IMAGE);
    expect(state).toEqual({ visibility: "public", repository: undefined });
    expect(asked[0]?.path).toBe("/users/acme/packages/container/kiln%2Fbase-images%2Fiac-runner");
  });

  it.each([
    ["is not there", 404, "{}"],
    ["may not be seen", 403, "{}"],
    ["is answered with something else", 200, "[]"],
    ["is answered with no JSON", 200, "<html>"],
  ])("is unknown where the package %s", async (_, status, body) => {
    const { question } = await apiWith(status, body);
    expect(await readPackageState(question, IMAGE)).toBeUndefined();
  });

  it("is unknown, without a question, for an image elsewhere, and where nobody answers", async () => {
    const { question, asked } = await apiWith(200, "{}");
    expect(await readPackageState(question, "localhost:5180/kiln/base-images/iac-runner")).toBeUndefined();
    expect(asked).toEqual([]);
    expect(await readPackageState({ ...question, api: "http://127.0.0.1:1" }, IMAGE)).toBeUndefined();
  });

  it("is asked at the host's own API", () => {
    expect(apiAddress("github.com")).toBe("https://api.github.com");
    expect(apiAddress("acme.ghe.com")).toBe("https://api.acme.ghe.com");
    expect(apiAddress("github.acme.example")).toBe("https://github.acme.example/api/v3");
  });
});
