/** Something that GitHub lets people do in a browser only, or that kiln's GitHub provider has no resource for. */
export interface ManualStep {
  readonly what: string;
  /** What goes wrong without it. */
  readonly why: string;
  /** Where it is done. */
  readonly address: string;
}

/** What is known of a package of the container registry; nothing where nobody could look. */
export interface PackageState {
  readonly visibility: "public" | "private" | "internal";
  /** `owner/repository` that it is linked to. */
  readonly repository: string | undefined;
}

export interface ManualStepsRequest {
  /** `github.com`, or the host of a GitHub Enterprise Server. */
  readonly host: string;
  readonly owner: string;
  readonly ownerKind: "organization" | "user";
  readonly repository: string;
  /** Who shall be able to pull the images. */
  readonly visibility: "public" | "private" | "internal";
  /** Image repositories such as `ghcr.io/<owner>/<repository>/base-images/iac-runner`, with what is known of each. */
  readonly packages: Readonly<Record<string, PackageState | undefined>>;
  /** Whether runners register as a GitHub App. */
  readonly app: boolean;
  /** Whether pull requests run on own runners. */
  readonly pullRequests: boolean;
  /** The workflow files that runner groups are restricted to. */
  readonly workflows: readonly { readonly repository: string; readonly file: string; readonly branch: string }[];
}

/** The steps that remain for a person, in the order in which they are best done. */
export function manualSteps(request: ManualStepsRequest): readonly ManualStep[] {
  return [...appSteps(request), ...workflowSteps(request), ...forkSteps(request), ...packageSteps(request)];
}

/** A step as one line. */
export function manualStepLine({ what, why, address }: ManualStep): string {
  return `by hand: ${what} (${why}): ${address}`;
}

function appSteps({ host, owner, ownerKind, app }: ManualStepsRequest): ManualStep[] {
  if (!app) return [];
  const settings =
    ownerKind === "organization" ? `https://${host}/organizations/${owner}/settings` : `https://${host}/settings`;
  return [
    {
      what: `install the runners' GitHub App for ${owner}`,
      why: "until then its key opens nothing, and no runner registers",
      address: `${settings}/installations`,
    },
  ];
}

/** GitHub refuses a runner group that names a workflow which is not there. */
function workflowSteps({ host, owner, workflows }: ManualStepsRequest): ManualStep[] {
  return workflows.map(({ repository, file, branch }) => ({
    what: `have .github/workflows/${file} on ${branch} of ${owner}/${repository} before the first \`pulumi up\``,
    why: "GitHub refuses a runner group that is restricted to a workflow which is not there",
    address: `https://${host}/${owner}/${repository}/blob/${branch}/.github/workflows/${file}`,
  }));
}

/** The REST API has this policy; @pulumi/github 6.15 has no resource for it. */
function forkSteps({ host, owner, repository, pullRequests, visibility }: ManualStepsRequest): ManualStep[] {
  if (!pullRequests) return [];
  const address = `https://${host}/${owner}/${repository}/settings/actions`;
  const why = "otherwise a stranger's pull request starts jobs on your runners";
  return [
    visibility === "public"
      ? { what: "require approval for all external contributors' workflow runs", why, address }
      : { what: "leave running workflows from fork pull requests off, or require approval for them", why, address },
  ];
}

/** Visibility and link of a package can be read by the API, but changed in its settings only. */
function packageSteps(request: ManualStepsRequest): ManualStep[] {
  return Object.entries(request.packages).flatMap(([image, state]) => {
    const address = packageSettings(request, image);
    if (address === undefined) return [];
    const { owner, repository, visibility } = request;
    const name = packageName(image, owner);
    const link: ManualStep = {
      what: `connect package ${name} to ${owner}/${repository}, and give its Actions the role Write`,
      why: "otherwise workflows of the repository cannot push to it",
      address,
    };
    const show: ManualStep = {
      what: `set the visibility of package ${name} to ${visibility}`,
      why: "GitHub makes every new package private, whatever the repository is",
      address,
    };
    const linked = state?.repository?.toLowerCase() === `${owner}/${repository}`.toLowerCase();
    const shown = state === undefined ? visibility === "private" : state.visibility === visibility;
    return [...(linked ? [] : [link]), ...(shown ? [] : [show])];
  });
}

/** The settings page of a package; nothing for an image that is not in GitHub's registry of that owner. */
export function packageSettings(
  { host, owner, ownerKind }: Pick<ManualStepsRequest, "host" | "owner" | "ownerKind">,
  image: string,
): string | undefined {
  const name = packageName(image, owner);
  if (name === undefined) return undefined;
  const scope = ownerKind === "organization" ? "orgs" : "users";
  return `https://${host}/${scope}/${owner}/packages/container/${encodeURIComponent(name)}/settings`;
}

/** The package of an image: all that follows the owner, slashes included. */
export function packageName(image: string, owner: string): string | undefined {
  const prefix = `ghcr.io/${owner.toLowerCase()}/`;
  return image.startsWith(prefix) ? image.slice(prefix.length) : undefined;
}
