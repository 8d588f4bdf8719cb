import { beforeEach, describe, expect, it, vi } from "vitest";
import { languageReleaseCommand } from "../../../../cli/language/release.ts";
import { silent } from "../../../../progress.ts";
import type { Scan } from "../../../../release/scan/scan.ts";
import { verdictOf } from "../../../../release/scan/verdict.ts";
import { finding, SCANNED_AT } from "../../../support/findings.ts";

/** What was done, in its order, the bases that were asked for, and the images in which the scan finds something. */
const world = vi.hoisted(() => {
  const done: string[] = [];
  const bases: unknown[] = [];
  const does = (what: string, result: unknown) => (options: unknown) => {
    done.push(what);
    if (typeof options === "object" && options !== null && "baseDigest" in options) bases.push(options.baseDigest);
    return Promise.resolve(result);
  };
  return { done, does, bases, unsound: new Set<string>(), scanned: [] as object[] };
});

vi.mock("../../../../toolchain/docker-engine.ts", () => ({
  readyEngine: () => Promise.resolve({ docker: "docker" }),
  engineEnvironment: () => ({}),
}));
vi.mock("../../../../toolchain/resolve.ts", async (original) => ({
  ...(await original<object>()),
  resolveTool: () => Promise.resolve({ path: "regctl" }),
}));
vi.mock("../../../../execution/language/builder.ts", () => ({
  buildLanguageImage: world.does("build", { build: {} }),
}));
vi.mock("../../../../execution/language/check.ts", () => ({ checkLanguageImage: world.does("check", []) }));
vi.mock("../../../../execution/language/push.ts", () => ({ pushLanguageImage: world.does("push", {}) }));
vi.mock("../../../../release/runner-publish.ts", () => ({
  publishRunner: world.does("publish", { buildTag: "v1.0.0-1" }),
}));
vi.mock("../../../../execution/engine-image.ts", () => ({
  engineImage: (_: unknown, name: string, { product }: { product: string }) => {
    world.scanned.push({ name, product });
    return Promise.resolve({ name });
  },
}));
vi.mock("../../../../cli/release/scan.ts", async (original) => ({
  ...(await original<object>()),
  readyScanner: () =>
    Promise.resolve({
      scan: ({ name }: { name: string }): Promise<Scan> => {
        world.done.push("scan");
        const found = world.unsound.has(name) ? [finding()] : [];
        return Promise.resolve({ image: name, ...verdictOf(found, [], { images: [name], now: SCANNED_AT }) });
      },
    }),
}));

function release(languages: readonly string[], more: Readonly<Record<string, string | readonly string[]>> = {}) {
  const registry = ["production=localhost:1/kiln"];
  const values = { tag: "v1.0.0", language: languages, variant: ["slim"], registry, ...more };
  return languageReleaseCommand.run({ values, positionals: [], progress: silent });
}

beforeEach(() => {
  world.done.length = 0;
  world.bases.length = 0;
  world.scanned.length = 0;
  world.unsound.clear();
  vi.stubEnv("KILN_VULNERABILITY_DB", "");
});

describe("kiln language release", () => {
  it("scans before it pushes, by the name that acceptances use", async () => {
    const { text, json } = await release(["golang"]);
    expect(world.done).toEqual(["build", "check", "scan", "push", "publish"]);
    expect(world.scanned).toEqual([{ name: "kiln-runner-pulumi-golang:slim-1.0.0", product: "runner-pulumi-golang" }]);
    expect(json).toMatchObject({ scanned: true });
    expect(text).toMatch(/v1\.0\.0: 1 published, 0 failed$/);
  });

  it("pushes nothing of what can be mended, and goes on with the next", async () => {
    world.unsound.add("kiln-runner-pulumi-golang:slim-1.0.0");
    const { text, exitCode } = await release(["golang", "python"]);
    expect(world.done).toEqual([...["build", "check", "scan"], ...["build", "check", "scan", "push", "publish"]]);
    expect(exitCode).toBe(3);
    expect(text).toContain("kiln-runner-pulumi-golang:slim-1.0.0 has 1 vulnerabilities, high or critical");
    expect(text).toMatch(/1 published, 1 failed$/);
  });

  it("begins nothing that could not end well: for addresses that are examples, or a base that a tag names", async () => {
    const registry = ["production=public.ecr.aws/acme", "production=ghcr.io/acme/infra"];
    const loose = { registry, "base-image": "docker.io/library/debian:bookworm-slim" };
    await expect(release(["golang"], { registry: [] })).rejects.toThrow(
      /^public\.ecr\.aws\/your-alias\S* is an example$/,
    );
    await expect(release(["golang"], loose)).rejects.toMatchObject({
      ...{ kind: "usage", message: expect.stringContaining("a base that no digest names") as string },
      mend: expect.stringContaining("npx kiln language pin") as string,
    });
    expect(world.done).toEqual([]);
    const pinned = { registry, "base-image": `docker.io/library/debian@sha256:${"a".repeat(64)}` };
    expect((await release(["golang"], pinned)).exitCode).toBe(0);
  });

  it("hands the base that a person named to the push and to the publication", async () => {
    const baseDigest = `sha256:${"a".repeat(64)}`;
    await release(["golang"], { "base-image": `docker.io/library/debian@${baseDigest}` });
    expect(world.bases).toEqual([baseDigest, baseDigest]);
  });

  it("says so where nobody looked, which on GitHub is no choice", async () => {
    vi.stubEnv("KILN_VULNERABILITY_DB", "none");
    vi.stubEnv("GITHUB_ACTIONS", "");
    const { text, json } = await release(["golang"]);
    expect(world.done).toEqual(["build", "check", "push", "publish"]);
    expect(json).toMatchObject({ scanned: false, images: [{ detail: "v1.0.0-1" }] });
    expect(text).toMatch(/vulnerabilities not looked for, as KILN_VULNERABILITY_DB is none$/);
    vi.stubEnv("GITHUB_ACTIONS", "true");
    await release(["golang"]);
    expect(world.done).toContain("scan");
  });
});
