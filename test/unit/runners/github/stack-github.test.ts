import { describe, expect, it, onTestFinished, vi } from "vitest";
import { requireGithubRequest } from "../../../../runners/github/request.ts";
import {
  githubHostOf,
  githubRequestOf,
  readPackages,
  remainingSteps,
} from "../../../../runners/github/stack-github.ts";
import { FILE, settingsOf, tenantOf, type Raw } from "../../../support/runner-settings.ts";

const GITHUB = { owner: "acme", repository: "infra", plan: "enterprise" };
const CHECK = { sets: { check: { maxRunners: 1 } } };
const WORKFLOW = "acme/infra/.github/workflows/image.yml@refs/heads/main";
const TRUSTED = { sets: { bake: { maxRunners: 1 } }, workflow: WORKFLOW };

function settings(tenants: Raw, raw: Raw = {}) {
  return settingsOf({ github: GITHUB, tenants, ...raw });
}

describe("what a stack asks of GitHub", () => {
  it("is nothing where its GitHub side is kept by hand", () => {
    const byHand = settingsOf({ tenants: { a: tenantOf() } });
    expect(githubRequestOf(byHand)).toBeUndefined();
    expect(remainingSteps(byHand, {})).toEqual([]);
    expect(githubHostOf(byHand)).toBe("github.com");
  });

  it("is a runner group for each zone of its own organization", () => {
    const request = githubRequestOf(settings({ a: tenantOf({ trusted: TRUSTED, untrusted: CHECK }) }));
    expect(request).toMatchObject(GITHUB);
    expect(request?.runnerGroups).toEqual({
      "kiln-dev-a-trusted": {
        trust: "trusted",
        url: { url: "https://github.com/acme", kind: "organization", host: "github.com", owner: "acme" },
        workflow: WORKFLOW,
        at: `${FILE}: kiln:tenants.a.trusted`,
      },
      "kiln-dev-a-untrusted": expect.objectContaining({ trust: "untrusted", workflow: undefined }) as unknown,
    });
    if (request !== undefined) requireGithubRequest(request);
  });

  it.each<[string, Raw, readonly string[]]>([
    ["another organization", { b: tenantOf({ url: "https://github.com/other" }) }, []],
    ["a repository, which has no groups", { b: tenantOf({ url: "https://github.com/acme/infra" }) }, []],
    ["its own, in other letters", { b: tenantOf({ url: "https://github.com/ACME" }) }, ["kiln-dev-b-trusted"]],
    ["nobody", {}, []],
  ])("has the groups of tenants of %s: %j", (_, tenants, groups) => {
    const request = githubRequestOf(settings(tenants, { controller: { replicas: 1 } }));
    expect(Object.keys(request?.runnerGroups ?? {})).toEqual(groups);
  });

  it("is refused where two zones would share a group", () => {
    const zones = { trusted: { ...TRUSTED, runnerGroup: "ci" }, untrusted: { ...CHECK, runnerGroup: "ci" } };
    expect(() => githubRequestOf(settings({ a: tenantOf(zones) }))).toThrow(
      `${FILE}: kiln:tenants.a.untrusted.runnerGroup is "ci", which another zone has`,
    );
  });

  it("goes to the server of its tenant", () => {
    const ghes = tenantOf({ url: "https://github.acme.example/acme" });
    expect(githubHostOf(settings({ other: tenantOf({ url: "https://github.com/other" }), a: ghes }))).toBe(
      "github.acme.example",
    );
    expect(githubHostOf(settings({ other: tenantOf({ url: "https://ghe.example/other" }) }))).toBe("github.com");
  });
});

describe("what remains for a person", () => {
  const stepsOf = (...args: Parameters<typeof settings>) => remainingSteps(settings(...args), {}).join("\n");

  it("is to install the App, to bring the workflow, and to keep strangers' pull requests out", () => {
    const steps = stepsOf({ a: tenantOf({ trusted: TRUSTED, untrusted: CHECK }) });
    expect(steps).toContain("install the runners' GitHub App for acme");
    expect(steps).toContain("have .github/workflows/image.yml on main of acme/infra");
    expect(steps).toContain("fork pull requests");
  });

  it("is no App for a token, and nothing about pull requests that do not come here", () => {
    const steps = stepsOf({ a: tenantOf({ credentials: { token: "kiln:token" }, trusted: TRUSTED }) });
    expect(steps).toBe(
      "by hand: have .github/workflows/image.yml on main of acme/infra before the first `pulumi up` (GitHub refuses a " +
        "runner group that is restricted to a workflow which is not there): " +
        "https://github.com/acme/infra/blob/main/.github/workflows/image.yml",
    );
  });

  it("is to link the packages that nobody has looked at", () => {
    const packages = { "ghcr.io/acme/infra/base-images/iac-runner": undefined };
    const steps = remainingSteps(settings({}, { controller: { replicas: 1 } }), packages);
    expect(steps).toEqual([expect.stringContaining("connect package infra/base-images/iac-runner to acme/infra")]);
  });

  it("does not speak of tenants of other organizations", () => {
    expect(stepsOf({ b: tenantOf({ url: "https://github.com/other", untrusted: CHECK }) })).toBe("");
  });

  it("is refused where a zone's workflow is none", () => {
    expect(() => stepsOf({ a: tenantOf({ trusted: { ...TRUSTED, workflow: "image.yml" } }) })).toThrow(
      `${FILE}: kiln:tenants.a.trusted.workflow is "image.yml"`,
    );
  });
});

describe("the packages of a stack", () => {
  const GHCR = { registry: "ghcr.io/acme/infra", controller: { replicas: 1 } };
  const IMAGES = ["iac-runner-warm", "iac-runner", "actions-runner"].map(
    (name) => `ghcr.io/acme/infra/base-images/${name}`,
  );

  /** GitHub, which knows of every package that it is linked; and what it was asked. */
  function github(): string[] {
    const asked: string[] = [];
    vi.stubGlobal("fetch", (url: string, { headers }: { headers: Readonly<Record<string, string>> }) => {
      asked.push(`${headers.authorization ?? ""} ${url}`);
      return Promise.resolve(Response.json({ visibility: "private", repository: { full_name: "acme/infra" } }));
    });
    onTestFinished(() => {
      vi.unstubAllGlobals();
    });
    return asked;
  }

  it("are its three images, with what GitHub says of each", async () => {
    const asked = github();
    const packages = await readPackages(settings({}, GHCR), { GITHUB_TOKEN: "t0ken" });
    expect(Object.keys(packages)).toEqual(IMAGES);
    expect(Object.values(packages)).toEqual(IMAGES.map(() => ({ visibility: "private", repository: "acme/infra" })));
    expect(asked.toSorted()).toEqual(
      ["actions-runner", "iac-runner", "iac-runner-warm"].map(
        (name) => `Bearer t0ken https://api.github.com/orgs/acme/packages/container/infra%2Fbase-images%2F${name}`,
      ),
    );
    expect(remainingSteps(settings({}, GHCR), packages)).toEqual([]);
  });

  it.each([{}, { GITHUB_TOKEN: "" }])("are not looked at with %j", async (env) => {
    const asked = github();
    const packages = await readPackages(settings({}, GHCR), env);
    expect(packages).toEqual(Object.fromEntries(IMAGES.map((image) => [image, undefined])));
    expect(asked).toEqual([]);
  });

  it.each<[string, Raw]>([
    ["of a registry of this machine", { github: GITHUB, controller: { replicas: 1 } }],
    ["of a GitHub side that is kept by hand", { ...GHCR }],
  ])("are none %s", async (_, raw) => {
    const asked = github();
    expect(await readPackages(settingsOf(raw), { GITHUB_TOKEN: "t0ken" })).toEqual({});
    expect(asked).toEqual([]);
  });
});
