import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  offers,
  planGaps,
  type GithubPlan,
  type Protection,
  type Visibility,
} from "../../../../runners/github/plan.ts";

const PLANS: readonly GithubPlan[] = ["free", "team", "enterprise"];
const VISIBILITIES: readonly Visibility[] = ["public", "private", "internal"];

/** By protection, the plans that offer it for a public, a private and an internal repository: docs.github.com. */
const TABLE: Readonly<Record<Protection, readonly [string, string, string]>> = {
  internalVisibility: ["free team enterprise", "free team enterprise", "enterprise"],
  environments: ["free team enterprise", "team enterprise", "team enterprise"],
  deploymentBranches: ["free team enterprise", "team enterprise", "team enterprise"],
  reviewers: ["free team enterprise", "enterprise", "enterprise"],
  waitTimer: ["free team enterprise", "enterprise", "enterprise"],
  tagRules: ["free team enterprise", "team enterprise", "team enterprise"],
  workflowRestriction: ["enterprise", "enterprise", "enterprise"],
};
const PROTECTIONS = Object.keys(TABLE) as Protection[];

describe("what a GitHub plan offers", () => {
  it.each(PROTECTIONS)("%s is offered where GitHub's documentation says so", (protection) => {
    const offering = VISIBILITIES.map((visibility) =>
      PLANS.filter((plan) => offers({ plan, visibility }, protection)).join(" "),
    );
    expect(offering).toEqual(TABLE[protection]);
  });

  it("is told in a sentence that names the repository, what happens instead, and the page", () => {
    const repository = { owner: "acme", repository: "kiln", plan: "team", visibility: "private" } as const;
    expect(planGaps(repository, ["environments", "reviewers", "reviewers", "workflowRestriction"])).toEqual([
      {
        protection: "reviewers",
        message:
          "GitHub Team does not offer required reviewers for private repositories such as acme/kiln: nobody has to approve " +
          "a deployment: whoever can push to a branch that may deploy can deploy. GitHub Enterprise Cloud offers it: " +
          "https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/manage-environments",
      },
      {
        protection: "workflowRestriction",
        message:
          "GitHub Team does not offer runner groups restricted to workflows: every workflow of the selected repositories, " +
          "from any branch, can use the trusted runners. GitHub Enterprise Cloud offers it: https://docs.github.com/en/" +
          "enterprise-cloud@latest/actions/how-tos/manage-runners/self-hosted-runners/manage-access",
      },
    ]);
  });

  it("names environments alone where none can be made", () => {
    const repository = { owner: "acme", repository: "kiln", plan: "free", visibility: "private" } as const;
    const named = (asked: readonly Protection[]) => planGaps(repository, asked).map(({ protection }) => protection);
    expect(named(["reviewers", "environments", "waitTimer", "tagRules"])).toEqual(["environments", "tagRules"]);
    expect(named(["reviewers"])).toEqual(["reviewers"]);
  });

  it("has no gap that was not asked for, none twice, and none more on a greater plan", () => {
    const asked = fc.array(fc.constantFrom(...PROTECTIONS.filter((protection) => protection !== "environments")));
    fc.assert(
      fc.property(asked, fc.constantFrom(...VISIBILITIES), (protections, visibility) => {
        const gaps = PLANS.map((plan) =>
          planGaps({ owner: "acme", repository: "kiln", plan, visibility }, protections).map(
            ({ protection }) => protection,
          ),
        );
        for (const [index, missing] of gaps.entries()) {
          expect(new Set(missing).size).toBe(missing.length);
          expect(protections).toEqual(expect.arrayContaining(missing));
          expect(gaps[index - 1] ?? missing).toEqual(expect.arrayContaining(missing));
        }
        expect(gaps.at(-1)).toEqual([]);
      }),
    );
  });
});
