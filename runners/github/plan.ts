/** A GitHub plan as far as protections differ: Free and Free for organizations, Team (and Pro), Enterprise Cloud. */
export type GithubPlan = "free" | "team" | "enterprise";

export type Visibility = "public" | "private" | "internal";

/** The repository that protections are asked for. */
export interface PlannedRepository {
  readonly owner: string;
  readonly repository: string;
  readonly plan: GithubPlan;
  readonly visibility: Visibility;
}

export type Protection =
  | "internalVisibility"
  | "environments"
  | "deploymentBranches"
  | "reviewers"
  | "waitTimer"
  | "tagRules"
  | "workflowRestriction";

/** A protection that was asked for and that the plan does not offer. */
export interface PlanGap {
  readonly protection: Protection;
  /** What is missing, what happens instead, and which plan has it. */
  readonly message: string;
}

interface Offer {
  readonly what: string;
  readonly offered: (repository: Pick<PlannedRepository, "plan" | "visibility">) => boolean;
  readonly instead: string;
  /** The least plan that has it for a repository which is not public. */
  readonly from: Exclude<GithubPlan, "free">;
  readonly page: string;
  /** What it is a part of: where that is missing as a whole, its message says enough. */
  readonly partOf?: Protection;
}

const DOCS = "https://docs.github.com/en";
const ENVIRONMENTS = `${DOCS}/actions/how-tos/deploy/configure-and-manage-deployments/manage-environments`;
const PLANS = { free: "GitHub Free", team: "GitHub Team", enterprise: "GitHub Enterprise Cloud" } as const;

/**
 * What GitHub says who can use, page by page. Groups for self-hosted runners are not here: every organization can make
 * them, also on GitHub Free (docs: actions/how-tos/manage-runners/self-hosted-runners/manage-access).
 */
const OFFERS: Readonly<Record<Protection, Offer>> = {
  // "Internal repositories are available on GitHub Enterprise Cloud for organizations that are owned by an enterprise".
  internalVisibility: {
    what: "internal repositories",
    offered: ({ plan, visibility }) => visibility !== "internal" || plan === "enterprise",
    instead: "protections are chosen as for a private one",
    from: "enterprise",
    page: `${DOCS}/repositories/creating-and-managing-repositories/about-repositories`,
  },
  // "For access to environments, environment secrets, and deployment branches in private or internal repositories, you
  // must use GitHub Pro, GitHub Team, or GitHub Enterprise."
  environments: {
    what: "environments",
    offered: ({ plan, visibility }) => visibility === "public" || plan !== "free",
    instead:
      "none is made, without reviewers, branches, variables and secrets of its own: a job that names one runs unprotected",
    from: "team",
    page: ENVIRONMENTS,
  },
  deploymentBranches: {
    what: "deployment branches",
    offered: ({ plan, visibility }) => visibility === "public" || plan !== "free",
    instead: "every branch may deploy",
    partOf: "environments",
    from: "team",
    page: ENVIRONMENTS,
  },
  // "If you are on a GitHub Free, GitHub Pro, or GitHub Team plan, other deployment protection rules, such as a wait timer
  // or required reviewers, are only available for public repositories."
  reviewers: {
    what: "required reviewers",
    offered: ({ plan, visibility }) => visibility === "public" || plan === "enterprise",
    instead: "nobody has to approve a deployment: whoever can push to a branch that may deploy can deploy",
    partOf: "environments",
    from: "enterprise",
    page: ENVIRONMENTS,
  },
  waitTimer: {
    what: "wait timers",
    offered: ({ plan, visibility }) => visibility === "public" || plan === "enterprise",
    instead: "deployments start at once",
    partOf: "environments",
    from: "enterprise",
    page: ENVIRONMENTS,
  },
  // "Rulesets are available in public repositories with GitHub Free and GitHub Free for organizations, and in public and
  // private repositories with GitHub Pro, GitHub Team, and GitHub Enterprise Cloud."
  tagRules: {
    what: "rulesets",
    offered: ({ plan, visibility }) => visibility === "public" || plan !== "free",
    instead: "whoever can push can move and delete release tags; images stay pinned by digest",
    from: "team",
    page: `${DOCS}/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/about-rulesets`,
  },
  // "Changing which workflows can access a runner group" stands in the documentation of Enterprise Cloud and Server alone.
  workflowRestriction: {
    what: "runner groups restricted to workflows",
    offered: ({ plan }) => plan === "enterprise",
    instead: "every workflow of the selected repositories, from any branch, can use the trusted runners",
    from: "enterprise",
    page: `${DOCS}/enterprise-cloud@latest/actions/how-tos/manage-runners/self-hosted-runners/manage-access`,
  },
};

/** Whether the repository's plan offers a protection. */
export function offers(repository: Pick<PlannedRepository, "plan" | "visibility">, protection: Protection): boolean {
  return OFFERS[protection].offered(repository);
}

/**
 * The protections among `asked` that the plan does not offer, each once, in the order in which they are asked. Parts of one
 * that is missing as a whole are not named again.
 */
export function planGaps(repository: PlannedRepository, asked: readonly Protection[]): readonly PlanGap[] {
  const { owner, repository: name, plan, visibility } = repository;
  const missing = new Set(asked.filter((protection) => !offers(repository, protection)));
  const isNamed = ({ partOf }: Offer) => partOf !== undefined && missing.has(partOf);
  const wholes = [...missing].filter((protection) => !isNamed(OFFERS[protection]));
  return wholes.map((protection) => {
    const { what, instead, from, page } = OFFERS[protection];
    const scope =
      protection === "workflowRestriction" ? "" : ` for ${visibility} repositories such as ${owner}/${name}`;
    return {
      protection,
      message: `${PLANS[plan]} does not offer ${what}${scope}: ${instead}. ${PLANS[from]} offers it: ${page}`,
    };
  });
}
