import { describe, expect, it } from "vitest";
import {
  manualStepLine,
  manualSteps,
  packageSettings,
  type ManualStepsRequest,
  type PackageState,
} from "../../../../runners/github/manual-steps.ts";

const IMAGE = "ghcr.io/acme/kiln/base-images/iac-runner";
const SETTINGS = "https://github.com/orgs/Acme/packages/container/kiln%2Fbase-images%2Fiac-runner/settings";

function request(changes: Partial<ManualStepsRequest> = {}): ManualStepsRequest {
  return {
    host: "github.com",
    owner: "Acme",
    ownerKind: "organization",
    repository: "kiln",
    visibility: "private",
    packages: {},
    app: false,
    pullRequests: false,
    workflows: [],
    ...changes,
  };
}

function addresses(changes: Partial<ManualStepsRequest>): string[] {
  return manualSteps(request(changes)).map(({ address }) => address);
}

describe("the steps that remain for a person", () => {
  it("are none where nothing needs one", () => {
    expect(manualSteps(request())).toEqual([]);
    expect(manualSteps(request({ packages: { "localhost:5180/kiln/base-images/iac-runner": undefined } }))).toEqual([]);
  });

  it("lead to the App, the workflow, the fork policy and the package, in this order", () => {
    const workflows = [{ repository: "kiln", file: "bake.yml", branch: "main" }];
    expect(addresses({ app: true, pullRequests: true, workflows, packages: { [IMAGE]: undefined } })).toEqual([
      "https://github.com/organizations/Acme/settings/installations",
      "https://github.com/Acme/kiln/blob/main/.github/workflows/bake.yml",
      "https://github.com/Acme/kiln/settings/actions",
      SETTINGS,
    ]);
  });

  it("lead elsewhere for a person and for another host", () => {
    expect(addresses({ ownerKind: "user", app: true, packages: { [IMAGE]: undefined } })).toEqual([
      "https://github.com/settings/installations",
      "https://github.com/users/Acme/packages/container/kiln%2Fbase-images%2Fiac-runner/settings",
    ]);
    expect(addresses({ host: "github.acme.example", app: true })).toEqual([
      "https://github.acme.example/organizations/Acme/settings/installations",
    ]);
  });

  const linked = (visibility: PackageState["visibility"]) => ({ visibility, repository: "acme/Kiln" });
  it.each<[string, ManualStepsRequest["visibility"], PackageState | undefined, readonly RegExp[]]>([
    ["an unknown private package", "private", undefined, [/^connect/]],
    ["an unknown public package", "public", undefined, [/^connect/, /^set the visibility .* to public/]],
    ["a package without a link", "private", { visibility: "private", repository: undefined }, [/^connect/]],
    ["a package of another repository", "private", { visibility: "private", repository: "acme/other" }, [/^connect/]],
    ["a private package that shall be public", "public", linked("private"), [/^set the visibility .* to public/]],
    ["a public package that shall be private", "private", linked("public"), [/^set the visibility .* to private/]],
    ["a package that is as it shall be", "internal", linked("internal"), []],
  ])("of %s", (_, visibility, state, expected) => {
    const steps = manualSteps(request({ visibility, packages: { [IMAGE]: state } }));
    expect(steps.map(({ what }) => what)).toEqual(expected.map((what) => expect.stringMatching(what) as string));
    expect(new Set(steps.map(({ address }) => address))).toEqual(new Set(expected.length === 0 ? [] : [SETTINGS]));
  });

  it("ask public repositories for more care with forks than private ones", () => {
    const [open] = manualSteps(request({ pullRequests: true, visibility: "public" }));
    const [closed] = manualSteps(request({ pullRequests: true, visibility: "private" }));
    expect(open?.what).toContain("all external contributors");
    expect(closed?.what).toContain("fork pull requests off");
  });

  it("are one line each", () => {
    expect(manualStepLine({ what: "do it", why: "it matters", address: "https://x" })).toBe(
      "by hand: do it (it matters): https://x",
    );
  });
});

describe("the settings page of a package", () => {
  it("is there for images of the owner in GitHub's registry alone", () => {
    expect(packageSettings(request(), IMAGE)).toBe(SETTINGS);
    expect(packageSettings(request(), "ghcr.io/other/kiln/base-images/iac-runner")).toBeUndefined();
    expect(packageSettings(request(), "public.ecr.aws/acme/iac-runner")).toBeUndefined();
  });
});
