import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const PROJECT = path.join(import.meta.dirname, "../../..");
const read = (file: string) => readFileSync(path.join(PROJECT, file), "utf8");

interface Job {
  readonly if?: string;
  readonly needs?: string | readonly string[];
  readonly environment?: string;
  readonly uses?: string;
  readonly "runs-on"?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly concurrency?: Readonly<Record<string, string | boolean>>;
  readonly steps?: readonly {
    readonly id?: string;
    readonly if?: string;
    readonly uses?: string;
    readonly run?: string;
    readonly env?: object;
    readonly with?: Readonly<Record<string, unknown>>;
  }[];
}

interface Workflow {
  readonly on: {
    readonly push?: { readonly branches?: readonly string[]; readonly tags?: readonly string[] };
    readonly schedule?: unknown;
    readonly workflow_dispatch?: { readonly inputs: Readonly<Record<string, { readonly default?: string }>> };
  };
  readonly concurrency?: { readonly group: string };
  readonly jobs: Readonly<Record<string, Job>>;
}

const workflow = (name: string) => parse(read(`.github/workflows/${name}.yml`)) as Workflow;
const [image, release, promote] = [workflow("iac-runner-image"), workflow("iac-runner-release"), workflow("promote")];
const { image: deploying, trusted, ...others } = image.jobs;

/** What starts a workflow without anybody, as an environment writes it: branches by name, tags by their whole reference. */
function startsOf({ on }: Workflow): readonly string[] {
  const { branches = [], tags = [] } = on.push ?? {};
  return [...new Set([...branches, ...("schedule" in on ? ["main"] : []), ...tags.map((tag) => `refs/tags/${tag}`)])];
}

/** A bullet of the page on releasing. */
function documented(begin: string): string {
  return (
    read("docs/release-details.md")
      .split("\n- ")
      .find((bullet) => bullet.startsWith(begin)) ?? ""
  );
}

interface StackFile {
  readonly config: {
    readonly "kiln:signatures"?: { readonly identity: readonly string[] };
    readonly "kiln:github"?: { readonly environments?: Record<string, { readonly branches?: readonly string[] }> };
  };
}

const environments = readdirSync(path.join(PROJECT, "stacks"))
  .filter((file) => /^Pulumi\..*\.yaml$/.test(file))
  .flatMap((file) =>
    Object.entries((parse(read(`stacks/${file}`)) as StackFile).config["kiln:github"]?.environments ?? {}),
  );

describe("the environments of the stacks", () => {
  const released = release.on.workflow_dispatch?.inputs.stack?.default;

  it("are there for every stack but this machine's", () => {
    expect(environments.map(([name]) => name)).toEqual(["dev", "prod", "staging"]);
    expect(deploying?.environment).toBe("${{ inputs.stack }}");
    expect(release.jobs.image?.with?.stack).toBe(`\${{ inputs.stack || '${released ?? ""}' }}`);
  });

  it.each(environments)(
    "%s admits what starts the workflows that deploy there, and nothing else",
    (name, { branches }) => {
      const starts = [...startsOf(promote), ...(name === released ? startsOf(release) : [])];
      expect([...(branches ?? [])].sort()).toEqual([...new Set(starts)].sort());
    },
  );

  it("that admit a tag have the rules for tags in the same file, so that its preview knows of them", () => {
    const admits = environments.filter(([, { branches = [] }]) =>
      branches.some((name) => name.startsWith("refs/tags/")),
    );
    expect(admits.map(([name]) => name)).toEqual(["dev"]);
    for (const [name] of admits) expect(read(`stacks/Pulumi.${name}.yaml`)).toContain("tagRules:");
    expect(documented("**First who may push tags**")).toContain("`tagRules.releaseAppId`");
  });

  it("have one beside them, which admits releases too: the page says so", () => {
    expect(release.jobs.propose?.environment).toBe("automation");
    const bullet = documented("**An environment `automation`**");
    for (const start of startsOf(release)) expect(bullet).toContain(`\`${start.replace("refs/tags/", "")}\``);
  });
});

describe("variables", () => {
  it("that are read where no environment is, are said to be the repository's", () => {
    const bullet = `${documented("**Variables of the repository**")}\n${read("docs/architectures.md")}`;
    const files = ["iac-runner-release", "iac-runner-image", "iac-runner-index", "promote", "preview", "drift"];
    const jobs = files.flatMap((name) => Object.values(workflow(name).jobs));
    const places = jobs.map((job) => {
      const { if: condition, "runs-on": runsOn, concurrency, with: given } = job;
      return job.environment === undefined ? job : { condition, runsOn, concurrency, given };
    });
    const names = [...JSON.stringify(places).matchAll(/\bvars\.(\w+)/g)].map(([, name = ""]) => name);
    expect(names).toContain("KILN_APP_ID");
    for (const name of names) expect(bullet).toContain(`\`${name}\``);
    for (const begin of ["**An environment a stack**", "**An environment `automation`**"]) {
      expect(documented(begin)).toContain("`KILN_APP_PRIVATE_KEY`");
    }
  });
});

describe("a deploy by a release", () => {
  it("has the App's token where there is an App, as one by a merge", () => {
    const of = (job: Job | undefined, id: string) => job?.steps?.find((step) => step.id === id);
    const merge = promote.jobs.up;
    expect(of(deploying, "app")).toBeDefined();
    expect(of(deploying, "app")).toEqual(of(merge, "app"));
    expect(of(deploying, "up")?.env).toEqual(of(merge, "up")?.env);
    expect(of(deploying, "up")?.env).toEqual({ GITHUB_TOKEN: "${{ steps.app.outputs.token || github.token }}" });
  });

  it("waits for any other of its stack, and none is dropped", () => {
    const group = { "cancel-in-progress": false, queue: "max" };
    expect(deploying?.concurrency).toEqual({ group: "stack-${{ inputs.stack }}", ...group });
    expect(promote.jobs.up?.concurrency).toEqual({ group: "stack-${{ matrix.stack }}", ...group });
    expect(release.concurrency?.group).toContain("${{ github.ref }}");
    expect(release.concurrency).toMatchObject(group);
    expect(release.jobs.publish?.concurrency).toEqual({ group: "iac-runner-publish", ...group });
  });
});

describe("the two architectures of a release", () => {
  it("are the same call, but for stack, architecture and runners", () => {
    const [amd64, arm64] = [release.jobs.image, release.jobs.arm64].map((job) => job?.with ?? {});
    expect(Object.keys(arm64 ?? {})).toEqual(Object.keys(amd64 ?? {}));
    const own = Object.entries(arm64 ?? {}).filter(([name, value]) => amd64?.[name] !== value);
    expect(Object.fromEntries(own)).toEqual({
      stack: `${amd64?.stack ?? ""}-arm64`,
      architecture: "arm64",
      lanes: "${{ vars.KILN_LANES_ARM64 || '' }}",
      store: "${{ vars.KILN_STORE_ARM64 || '' }}",
      runner: "${{ vars.KILN_RUNNER_ARM64 || 'ubuntu-24.04-arm' }}",
      docker_runner: "${{ vars.KILN_DOCKER_RUNNER_ARM64 || 'ubuntu-24.04-arm' }}",
    });
  });

  it("are joined by a file at main whose signature every stack takes, and by one that first looks at the commit", () => {
    const called = { image: "image", arm64: "image", index: "index" };
    for (const [job, name] of Object.entries(called)) {
      expect(release.jobs[job]?.uses).toBe(`your-org/your-repo/.github/workflows/iac-runner-${name}.yml@main`);
    }
    for (const stack of ["dev", "staging", "prod"]) {
      const { config } = parse(read(`stacks/Pulumi.${stack}.yaml`)) as StackFile;
      const signers = config["kiln:signatures"]?.identity ?? [];
      for (const name of Object.values(called)) {
        expect(signers).toContainEqual(expect.stringContaining(`/workflows/iac-runner-${name}.yml@refs/heads/main`));
      }
    }
    const [, compare, ...others] = workflow("iac-runner-index").jobs.index?.steps ?? [];
    expect(compare?.run).toContain('git merge-base --is-ancestor "$GITHUB_SHA" "$main"');
    expect(others.findIndex(({ run }) => run === "npm ci")).toBeGreaterThan(-1);
  });
});

describe("the job that seals an index", () => {
  it("takes an identity of the stack's for a key alone, and no secret", () => {
    const steps = workflow("iac-runner-index").jobs.index?.steps ?? [];
    const clouds = steps.filter(({ uses }) => /^(?:aws-actions|google-github-actions|azure)\//.test(uses ?? ""));
    expect(clouds).toHaveLength(3);
    for (const step of clouds) expect(step.if).toMatch(/^env\.\w+ != '' && vars\.KILN_SIGNING_KEY != ''$/);
    expect(release.jobs.index).not.toHaveProperty("secrets");
    expect(read(".github/workflows/iac-runner-index.yml")).not.toContain("secrets.");
  });
});

describe("a deploy's token of the App", () => {
  it("may do what kiln:github makes, and no more", () => {
    const given = deploying?.steps?.find(({ id }) => id === "app")?.with ?? {};
    const may = Object.entries(given).filter(([name]) => name.startsWith("permission-"));
    expect(Object.fromEntries(may)).toEqual({
      "permission-actions": "read",
      "permission-administration": "write",
      "permission-environments": "write",
      "permission-organization-self-hosted-runners": "write",
      "permission-packages": "read",
      "permission-secrets": "write",
    });
  });
});

describe("a pull request by a workflow", () => {
  it("is opened with a token that may do no more than that", () => {
    for (const { steps } of [promote.jobs.request, release.jobs.propose].flatMap((job) => job ?? [])) {
      const given = steps?.find(({ id }) => id === "app")?.with ?? {};
      expect(Object.entries(given).filter(([name]) => name.startsWith("permission-"))).toEqual([
        ["permission-contents", "write"],
        ["permission-pull-requests", "write"],
      ]);
    }
  });

  it("that promotes is of an image that was scanned just before", () => {
    const runs = promote.jobs.request?.steps?.flatMap(({ run }) => run ?? []) ?? [];
    expect(runs.slice(-2)).toEqual([
      'npx kiln release scan --stack "$FROM"',
      'npx kiln release promote --from "$FROM" --to "$TO" --pull-request',
    ]);
  });
});

describe("trusted runners", () => {
  it("get nothing before a hosted one has compared the commit with main, by Git and nothing of the commit", () => {
    expect(trusted).toMatchObject({ "runs-on": "ubuntu-24.04" });
    expect(trusted).not.toHaveProperty("if");
    const [checkout, compare, ...more] = trusted?.steps ?? [];
    expect([checkout?.uses, more]).toEqual([expect.stringContaining("actions/checkout@"), []]);
    expect(checkout).toMatchObject({ with: { "fetch-depth": 0 } });
    expect(compare?.run).toContain('git merge-base --is-ancestor "$GITHUB_SHA" "$main"');
    for (const job of [...Object.values(others), deploying]) {
      expect([job?.needs].flat()).toContain("trusted");
      if (job?.if?.includes("cancelled()")) expect(job.if).toContain("needs.trusted.result == 'success'");
    }
  });
});
