import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { packageRemover } from "../../../../release/github/package-versions.ts";

const WARM = "ghcr.io/acme/infra/base-images/iac-runner-warm";
const VERSIONS = "/packages/container/infra%2Fbase-images%2Fiac-runner-warm/versions";
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

const version = (id: number, digit: string, tags: readonly string[] = [], updated = "2026-01-01T00:00:00Z") => ({
  ...{ id, name: digest(digit), created_at: "2026-01-01T00:00:00Z", updated_at: updated },
  metadata: { package_type: "container", container: { tags } },
});

/** GitHub's API on loopback: what it answers by `METHOD path`, 404 for all else, and what it was asked. */
async function remover(answers: Readonly<Record<string, readonly [number, unknown]>>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const question = `${request.method ?? ""} ${(request.url ?? "").replace(/[?&]per_page=100/, "")}`;
    asked.push(question);
    const [status, body] = answers[question] ?? [404, { message: "Not Found" }];
    response.writeHead(status, { "content-type": "application/json" });
    response.end(status === 204 ? undefined : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
  });
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pause = () => Promise.resolve();
  return { remover: packageRemover({ api, repository: "acme/infra", token: "t0k3n", pause }), asked };
}

const organization = { "GET /users/acme": [200, { type: "Organization" }] } as const;
const listing = (...versions: readonly object[]) => ({ [`GET /orgs/acme${VERSIONS}`]: [200, versions] as const });
const image = (digit: string, tags: readonly string[] = []) => ({ repository: WARM, digest: digest(digit), tags });

describe("versions of a package", () => {
  it("are read with the time at which they were last used, from where an organization has them", async () => {
    const found = await remover({
      ...organization,
      ...listing(version(1, "a"), version(2, "b", ["latest"], "2026-02-01T00:00:00Z")),
    });
    expect([...((await found.remover.readVersions(WARM)) ?? [])]).toEqual([
      [digest("a"), Date.parse("2026-01-01T00:00:00Z")],
      [digest("b"), Date.parse("2026-02-01T00:00:00Z")],
    ]);
  });

  it("of a person are read elsewhere", async () => {
    const answers = { "GET /users/acme": [200, { type: "User" }], [`GET /users/acme${VERSIONS}`]: [200, []] } as const;
    expect((await (await remover(answers)).remover.readVersions(WARM))?.size).toBe(0);
  });

  it("that may not be read are an error that names the permission", async () => {
    const refusal = { [`GET /orgs/acme${VERSIONS}`]: [403, { message: "Resource not accessible" }] } as const;
    const { remover: found } = await remover({ ...organization, ...refusal });
    const error = { kind: "unreachable", mend: expect.stringContaining("packages: read") as string };
    await expect(found.readVersions(WARM)).rejects.toMatchObject(error);
  });

  it("are none where the owner has no such package, but an error where there is no such owner", async () => {
    expect(await (await remover(organization)).remover.readVersions(WARM)).toBeUndefined();
    await expect((await remover({})).remover.readVersions(WARM)).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("are asked for in ghcr.io alone", async () => {
    const { remover: found } = await remover({});
    await expect(found.readVersions("localhost:5180/kiln/warm")).rejects.toMatchObject({ kind: "usage" });
  });
});

describe("a version that goes", () => {
  const at = (id: number) => `/orgs/acme${VERSIONS}/${id}`;

  it("is looked at again, and then deleted by its number", async () => {
    const found = await remover({
      ...{ ...organization, ...listing(version(7, "a", ["x", "y"])) },
      [`GET ${at(7)}`]: [200, version(7, "a", ["x"])],
      [`DELETE ${at(7)}`]: [204, undefined],
    });
    await found.remover.readVersions(WARM);
    await found.remover.requireUnchanged(image("a", ["x", "y"]), new Set());
    await found.remover.remove(image("a", ["x", "y"]));
    expect(found.asked.slice(-2)).toEqual([`GET ${at(7)}`, `DELETE ${at(7)}`]);
  });

  it.each<[string, object, string]>([
    ["got a tag since", version(7, "a", ["x", "v1.2.3"]), "got the tag v1.2.3 since the plan was made"],
    ["is another by now", version(7, "b", ["x"]), `is ${digest("b")} by now, and was ${digest("a")}`],
  ])("stays where it %s", async (_, now, said) => {
    const found = await remover({
      ...{ ...organization, ...listing(version(7, "a", ["x"])) },
      [`GET ${at(7)}`]: [200, now],
      [`DELETE ${at(7)}`]: [204, undefined],
    });
    await found.remover.readVersions(WARM);
    const attempt = found.remover.requireUnchanged(image("a", ["x"]), new Set());
    await expect(attempt).rejects.toMatchObject({
      kind: "difference",
      message: expect.stringContaining(said) as string,
    });
    expect(found.asked.some((question) => question.startsWith("DELETE"))).toBe(false);
  });

  it("is no error where it is gone already", async () => {
    const found = await remover({ ...organization, ...listing(version(7, "a")) });
    await found.remover.readVersions(WARM);
    for (const one of [image("a"), image("c")]) {
      await found.remover.requireUnchanged(one, new Set());
      await found.remover.remove(one);
    }
    const asked = found.asked.filter((question) => question.includes("/versions/"));
    expect(asked).toEqual([`GET ${at(7)}`, `GET ${at(7)}`]);
  });

  it.each<[number, object, string]>([
    [404, { message: "Not Found" }, "packages: write"],
    [403, { message: "Must have admin rights" }, "packages: write"],
    [400, { message: "You cannot delete the last tagged version of a package." }, "last tagged version"],
  ])("is an error where GitHub answers %i", async (status, body, said) => {
    const found = await remover({
      ...{ ...organization, ...listing(version(7, "a")) },
      [`GET ${at(7)}`]: [200, version(7, "a")],
      [`DELETE ${at(7)}`]: [status, body],
    });
    await found.remover.readVersions(WARM);
    const error = (await found.remover.remove(image("a")).catch((thrown: unknown) => thrown)) as Error & {
      mend: string;
    };
    expect(`${error.message} ${error.mend}`).toContain(said);
  });
});
