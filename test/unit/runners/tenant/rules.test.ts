import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { requireOwnGroups, requireTogether } from "../../../../runners/tenant/rules.ts";
import { FILE, plansOf, runnersOf, tenantOf, type Raw } from "../../../support/runner-settings.ts";

/** What is wrong with these tenants together under this controller; nothing where they go together. */
function refusalOf(tenants: Raw, controller: Raw = {}): KilnError | undefined {
  const runners = runnersOf(tenants, { controller });
  const plans = plansOf(runners);
  try {
    requireTogether(plans, runners.controller, FILE);
    return undefined;
  } catch (error) {
    if (error instanceof KilnError) return error;
    throw error;
  }
}

const BAKE = { sets: { bake: { maxRunners: 1 } } };
const CHECK = { sets: { check: { maxRunners: 1 } } };
const PLACE = `${FILE}: kiln:tenants`;

describe("zones", () => {
  it("go together where each has a namespace of its own", () => {
    expect(refusalOf({ a: tenantOf({ untrusted: CHECK }), b: tenantOf({ untrusted: CHECK }) })).toBeUndefined();
  });

  it.each<[string, Raw, Raw, string]>([
    [
      "two zones in one namespace",
      { a: tenantOf({ trusted: { ...BAKE, namespace: "ci" }, untrusted: { ...CHECK, namespace: "ci" } }) },
      {},
      `${PLACE}.a.untrusted has the namespace "ci", and so has ${PLACE}.a.trusted`,
    ],
    [
      "two tenants in one namespace",
      {
        a: tenantOf({ trusted: { ...BAKE, namespace: "ci" } }),
        b: tenantOf({ trusted: { ...BAKE, namespace: "ci" } }),
      },
      {},
      `${PLACE}.b.trusted has the namespace "ci", and so has ${PLACE}.a.trusted`,
    ],
    [
      "a zone where another keeps its Docker daemons",
      {
        a: tenantOf({ trusted: { namespace: "ci", sets: { image: { mode: "dind", maxRunners: 1 } } } }),
        b: tenantOf({ trusted: { ...BAKE, namespace: "ci-dind" } }),
      },
      {},
      `${PLACE}.b.trusted has the namespace "ci-dind", and so has ${PLACE}.a.trusted`,
    ],
    [
      "a zone where another has its buildkitd",
      {
        a: tenantOf({ trusted: { ...BAKE, namespace: "ci", buildkit: { size: "1Gi" } } }),
        b: tenantOf({ trusted: { ...BAKE, namespace: "ci-buildkit" } }),
      },
      {},
      `${PLACE}.b.trusted has the namespace "ci-buildkit", and so has ${PLACE}.a.trusted`,
    ],
    [
      "runners beside the controller",
      { a: tenantOf({ trusted: { ...BAKE, namespace: "arc-systems" } }) },
      {},
      `${PLACE}.a.trusted has the namespace "arc-systems", and so has ${FILE}: kiln:controller`,
    ],
    [
      "runners where the cluster keeps its own",
      { a: tenantOf({ trusted: { ...BAKE, namespace: "kube-system" } }) },
      {},
      `${PLACE}.a.trusted.namespace is "kube-system", which belongs to the cluster`,
    ],
    [
      "runners where everybody's pods are",
      { a: tenantOf({ trusted: { ...BAKE, namespace: "default" } }) },
      {},
      `${PLACE}.a.trusted.namespace is "default", which belongs to the cluster`,
    ],
    [
      "one name for the sets of two tenants",
      {
        a: tenantOf({ trusted: { sets: { "b-c": { maxRunners: 1 } } } }),
        "a-b": tenantOf({ trusted: { sets: { c: { maxRunners: 1 } } } }),
      },
      {},
      `${PLACE} has two scale sets named "dev-a-b-c"`,
    ],
  ])("are refused with %s", (_, tenants, controller, message) => {
    const error = refusalOf(tenants, controller);
    expect(error).toMatchObject({ kind: "usage", message });
    expect(error?.mend).toBeTruthy();
  });
});

describe("runner groups", () => {
  const refusalOfGroups = (tenants: Raw) => {
    try {
      requireOwnGroups(runnersOf(tenants).tenants);
      return undefined;
    } catch (error) {
      if (error instanceof KilnError) return error;
      throw error;
    }
  };
  const inGroup = (runnerGroup: string, about: Raw = {}) => tenantOf({ trusted: { ...BAKE, runnerGroup }, ...about });
  const workflow = "acme/infra/.github/workflows/image.yml@refs/heads/main";

  it("go together under the names that they have of themselves, and under one name in two organizations", () => {
    const zones = { trusted: { ...BAKE, workflow }, untrusted: CHECK };
    expect(refusalOfGroups({ a: tenantOf(zones), b: tenantOf(zones) })).toBeUndefined();
    const other = { url: "https://github.com/other" };
    expect(refusalOfGroups({ a: inGroup("ci"), b: inGroup("ci", other) })).toBeUndefined();
  });

  it.each<[string, Raw, string]>([
    [
      "two zones in one group",
      { a: inGroup("ci", { untrusted: { ...CHECK, runnerGroup: "ci" } }) },
      `${PLACE}.a.untrusted.runnerGroup is "ci", and so is that of ${PLACE}.a.trusted`,
    ],
    [
      "two tenants of one organization in one group, in other letters",
      { a: inGroup("ci"), b: inGroup("CI", { url: "https://github.com/ACME" }) },
      `${PLACE}.b.trusted.runnerGroup is "CI", and so is that of ${PLACE}.a.trusted`,
    ],
    [
      "a workflow that pull requests would have to be",
      { a: tenantOf({ untrusted: { ...CHECK, workflow } }) },
      `${PLACE}.a.untrusted.workflow restricts an untrusted zone, which pull requests could not use then`,
    ],
  ])("are refused with %s", (_, tenants, message) => {
    const error = refusalOfGroups(tenants);
    expect(error).toMatchObject({ kind: "usage", message });
    expect(error?.mend).toBeTruthy();
  });

  it("are refused with a workflow that is none", () => {
    const error = refusalOfGroups({ a: tenantOf({ trusted: { ...BAKE, workflow: "image.yml" } }) });
    expect(error?.message).toContain(`${PLACE}.a.trusted.workflow`);
  });
});

describe("a controller that watches one namespace", () => {
  const WATCHED = "runners-dev-a-trusted";

  it("serves the sets of that namespace", () => {
    expect(refusalOf({ a: tenantOf() }, { watchNamespace: WATCHED })).toBeUndefined();
  });

  it("may watch a namespace of another stack, where this one has no runners", () => {
    expect(refusalOf({}, { watchNamespace: "elsewhere" })).toBeUndefined();
  });

  it.each<[string, Raw]>([
    ["this stack manages it", {}],
    ["another stack does", { manage: false, namespace: "arc", serviceAccount: "arc", version: "0.14.2" }],
  ])("is refused with all sets that nobody would serve: %s", (_, controller) => {
    const sets = { bake: { maxRunners: 1 }, image: { mode: "dind", maxRunners: 1 } };
    const tenants = { a: tenantOf({ trusted: { sets }, untrusted: CHECK }), b: tenantOf() };
    expect(refusalOf(tenants, { ...controller, watchNamespace: WATCHED })).toMatchObject({
      kind: "usage",
      message:
        `${FILE}: kiln:controller.watchNamespace is "${WATCHED}", so that nobody would serve the scale sets of other ` +
        "namespaces: dev-a-image in runners-dev-a-trusted-dind, dev-a-check in runners-dev-a-untrusted, " +
        "dev-b-bake in runners-dev-b-trusted",
      mend: expect.stringMatching(/^Remove it: the controller then watches every namespace/) as string,
    });
  });

  it("is told the name that it should watch, where there is one", () => {
    const error = refusalOf({ a: tenantOf() }, { watchNamespace: "runners" });
    expect(error?.message).toContain("dev-a-bake in runners-dev-a-trusted");
    expect(error?.mend).toContain(`set it to ${WATCHED}`);
  });

  it("is allowed exactly where every set is in that namespace", () => {
    const mode = fc.constantFrom("none", "dind");
    fc.assert(
      fc.property(fc.array(mode, { minLength: 1, maxLength: 3 }), fc.boolean(), fc.boolean(), (modes, pair, dind) => {
        const sets = Object.fromEntries(modes.map((each, index) => [`s${index}`, { mode: each, maxRunners: 1 }]));
        const watchNamespace = dind ? `${WATCHED}-dind` : WATCHED;
        const error = refusalOf(
          { a: tenantOf({ trusted: { sets }, ...(pair ? { untrusted: CHECK } : {}) }) },
          { watchNamespace },
        );
        const served = !pair && modes.every((each) => (each === "dind") === dind);
        expect(error === undefined).toBe(served);
      }),
    );
  });
});
