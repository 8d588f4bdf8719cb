import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { releasePlanCommand, tagPlansText } from "../../../cli/release/plan.ts";
import { catalogue } from "../../../execution/language/catalogue.ts";
import { readJobVersions } from "../../../execution/job/image-versions.ts";
import { silent } from "../../../progress.ts";
import { jobBuilds, leftOutText } from "../../../release/job-builds.ts";
import { buildMatrix } from "../../../release/runner-matrix.ts";
import { parseJobRegistries, readJobRegistries } from "../../../release/job-registries.ts";
import {
  isPlaceholder,
  parseRunnerRegistries,
  readRunnerRegistries,
  REGISTRIES_FILE,
  withRegistries,
} from "../../../release/runner-registries.ts";
import { tagPlans } from "../../../release/tag-plan.ts";

const REGISTRIES = {
  production: ["public.ecr.aws/acme", "ghcr.io/acme/infra"],
  preproduction: ["public.ecr.aws/acme-dev"],
};

const JOB_REGISTRIES = ["ghcr.io/acme/infra", "docker.io/acme"];
const PROJECT = path.join(import.meta.dirname, "../../..");
const OF_PROJECT = await readJobVersions(PROJECT);

/** Every checksum is known, but these: by download, and by architecture or `all`. */
function versionsWithout(unknown: readonly string[]) {
  const download = (name: string, architectures: readonly string[]) => ({
    version: "1.0.0",
    sha256: Object.fromEntries(architectures.map((one) => [one, unknown.includes(`${name} ${one}`) ? null : "0"])),
  });
  const both = ["amd64", "arm64"];
  return {
    ...OF_PROJECT,
    ...{ powershell: download("powershell", both), pester: download("pester", ["all"]) },
    ...{ kubectl: download("kubectl", both), oc: download("oc", both) },
  };
}

/** Thirty tags: what is right, and what people and machines get wrong. */
const RIGHT = [
  ...["v3.253.0", "v3.0.0", "v10.20.30", "dev-v3.253.0", "dev-v0.1.0", "latest-v3.253.0", "latest-v3.252.1"],
  ...["iac-runner-base-v1.2.3", "iac-runner-base-v2.0.0-rc.1", "job-runner-v1.0.0", "job-runner-v1.1.0-beta.2"],
];
const WRONG: readonly (readonly [string, string])[] = [
  ["", "it is empty"],
  ["3.253.0", "it lacks the v before its version"],
  ["v3.253", "3.253 has not three numbers"],
  ["v3.253.0.1", '"3.253.0.1" is no semantic version'],
  ["v03.1.0", "03.1.0 has a number that begins with 0"],
  ["v3.254.0-alpha.1", "3.254.0-alpha.1 is a pre-release, and runners are made of releases alone"],
  ["v3.253.0+meta", "it has build metadata, and an image tag has no plus sign"],
  ["V3.253.0", "it has capitals in V"],
  [" v3.253.0", "it has a blank in it"],
  ["refs/tags/v3.253.0", "it is a whole reference: leave refs/tags/ away"],
  ["latest", "it has no version"],
  ["dev-v", "it has no version"],
  ["dev-3.1.0", "it lacks the v before its version"],
  ["stable-v3.253.0", '"stable" is no channel: there are latest and dev, and v alone'],
  ["nightly", "it does not begin with v, latest-v or dev-v"],
  ["iac-runner-base-1.2.3", "it lacks the v before its version"],
  ["iac-runner-v1.2.3", "it does not begin with iac-runner-base-v"],
  ["job-runner-1.0.0", "it lacks the v before its version"],
  ["Job-Runner-v1.0.0", "it has capitals in Job-Runner-v"],
];

describe("the plan of tags", () => {
  const jobs = { registries: JOB_REGISTRIES, versions: versionsWithout([]) };
  const plans = tagPlans([...RIGHT, ...WRONG.map(([tag]) => tag)], REGISTRIES, jobs);

  it("is for thirty of them at once, wrong ones among them", () => {
    expect(plans).toHaveLength(30);
    for (const [index, tag] of RIGHT.entries()) {
      expect(plans[index]?.tag).toBe(tag);
      expect(plans[index]?.kind, tag).not.toBe("wrong");
    }
    for (const [index, [tag, fault]] of WRONG.entries()) {
      expect(plans[RIGHT.length + index]).toMatchObject({ tag, kind: "wrong", fault });
    }
  });

  it("says of each kind what it sets and where", () => {
    const of = (tag: string) => plans.find((plan) => plan.tag === tag);
    expect(of("latest-v3.253.0")).toMatchObject({ environment: "production", imageTags: ["latest", "latest-tools"] });
    expect(of("dev-v3.253.0")).toMatchObject({ environment: "preproduction", registries: ["public.ecr.aws/acme-dev"] });
    expect(of("iac-runner-base-v2.0.0-rc.1")).toMatchObject({ kind: "iac-runner", imageTags: ["v2.0.0-rc.1"] });
    expect(of("job-runner-v1.0.0")).toMatchObject({
      ...{ kind: "job-runner", imageTags: ["v1.0.0", "latest"], registries: JOB_REGISTRIES },
      targets: expect.arrayContaining([
        { image: "base", repositories: ["ghcr.io/acme/infra/job-runner-base", "docker.io/acme/job-runner-base"] },
      ]) as unknown,
    });
    expect(of("job-runner-v1.1.0-beta.2")).toMatchObject({ imageTags: ["v1.1.0-beta.2"] });
  });

  it("is a table with a row a tag and the count below", () => {
    const lines = tagPlansText(plans).split("\n");
    expect(lines).toHaveLength(32);
    expect(lines.at(-1)).toBe("11 of 30 tags release something");
    expect(lines.find((line) => line.startsWith('" v3.253.0"'))).toMatch(/wrong +it has a blank in it$/);
  });

  it("ends with 2 where a tag is wrong, and with its images where it is one", async () => {
    const run = (...tag: string[]) => releasePlanCommand.run({ values: { tag }, positionals: [], progress: silent });
    expect((await run("v3.253.0", "nope")).exitCode).toBe(2);
    const one = await run("v3.253.0");
    expect(one.exitCode).toBe(0);
    expect(one.text).toContain("runner-pulumi-python:v3.253.0-tools");
    const matrix = await releasePlanCommand.run({
      values: { tag: ["v3.253.0"], matrix: true },
      positionals: [],
      progress: silent,
    });
    expect((matrix.json as { include: unknown[] }).include).toHaveLength(24);
    const { builds, leftOut } = jobBuilds(OF_PROJECT);
    const images = [...new Set(builds.map(({ image }) => image))];
    const jobs = await releasePlanCommand.run({
      values: { tag: ["job-runner-v1.2.3"], registry: ["localhost:5180/kiln", "production=localhost:5181/kiln"] },
      ...{ positionals: [], progress: silent },
    });
    expect(jobs.text.split("\n")).toEqual([
      "tag                version  releases          image tags     to",
      `job-runner-v1.2.3  1.2.3    ${images.length} images of jobs  v1.2.3 latest  localhost:5180/kiln`,
      "",
      expect.stringMatching(/^image +pushed to +mirrors$/) as string,
      ...images.map(
        (name) => expect.stringMatching(`^${name} +localhost:5180/kiln/job-runner-${name}:v1.2.3 *$`) as string,
      ),
      ...(leftOut.length > 0 ? ["", ...leftOut.map(leftOutText)] : []),
    ]);
    const notes: string[] = [];
    const progress = { ...silent, note: (text: string) => void notes.push(text) };
    const matrixOfJobs = { values: { tag: ["job-runner-v1.2.3"], matrix: true }, positionals: [], progress };
    const { include } = (await releasePlanCommand.run(matrixOfJobs)).json as { readonly include: readonly unknown[] };
    expect(include).toHaveLength(builds.length);
    expect(include[1]).toEqual({ image: "base", platform: "linux/arm64", runs_on: "ubuntu-24.04-arm" });
    // Beside the matrix, which is read by a program.
    expect(notes.slice(1)).toEqual(leftOut.map(leftOutText));
    expect(notes[0]).toMatch(/^no release yet: ghcr\.io\/your-org\/your-repo is an example\. Name your own registries/);
    const wrong = { values: { tag: ["nope"], matrix: true }, positionals: [], progress: silent };
    await expect(releasePlanCommand.run(wrong)).rejects.toMatchObject({ kind: "usage" });
  });
});

describe("a plan that could not end well", () => {
  const OWN = ["production=public.ecr.aws/acme", "preproduction=public.ecr.aws/acme-dev"];
  const plan = async (tag: string[], registry: string[] = [], more = {}) => {
    const notes: string[] = [];
    const progress = { ...silent, note: (text: string) => void notes.push(text) };
    return {
      ...(await releasePlanCommand.run({ values: { tag, registry, ...more }, positionals: [], progress })),
      notes,
    };
  };

  it("says so, each fault once, and is still a plan", async () => {
    const { exitCode, notes } = await plan(["v3.253.0", "latest-v3.253.0"]);
    expect(exitCode).toBe(0);
    expect(notes.filter((note) => note.includes("is an example"))).toEqual([
      expect.stringContaining("public.ecr.aws/your-alias is an example"),
      expect.stringContaining("ghcr.io/your-org/your-repo is an example"),
    ]);
    expect(notes.some((note) => note.includes("a base that no digest names"))).toBe(
      catalogue.base.digest === undefined,
    );
    expect((await plan(["v3.253.0"], ["production=localhost:5180/kiln"])).notes).toEqual([]);
  });

  it("is none for a workflow, by its addresses and by its base", async () => {
    const ready = { "require-ready": true };
    const fault = { kind: "usage", message: "public.ecr.aws/your-alias is an example" };
    await expect(plan(["v3.253.0"], [], ready)).rejects.toMatchObject(fault);
    await expect(plan(["job-runner-v1.2.3"], [], ready)).rejects.toThrow("ghcr.io/your-org/your-repo is an example");
    expect((await plan(["v3.253.0"], ["production=localhost:5180/kiln"], ready)).exitCode).toBe(0);
    onTestFinished(() => void vi.restoreAllMocks());
    vi.spyOn(catalogue.base, "digest", "get").mockReturnValue(undefined);
    await expect(plan(["dev-v3.253.0"], OWN, ready)).rejects.toMatchObject({
      ...{ kind: "usage", mend: expect.stringContaining("kiln language pin") as string },
    });
    vi.spyOn(catalogue.base, "digest", "get").mockReturnValue(`sha256:${"a".repeat(64)}`);
    expect((await plan(["dev-v3.253.0"], OWN, ready)).exitCode).toBe(0);
  });
});

describe("a release of job runners", () => {
  const planOf = (unknown: readonly string[]) => {
    const [plan] = tagPlans(["job-runner-v1.2.3"], REGISTRIES, {
      registries: JOB_REGISTRIES,
      versions: versionsWithout(unknown),
    });
    if (plan?.kind !== "job-runner") throw new Error("it is no plan of job runners");
    return plan;
  };

  it("has all images for all platforms where every download is pinned", () => {
    const { builds, leftOut, targets } = planOf([]);
    expect([buildMatrix(builds).include.length, leftOut, targets.length]).toEqual([8, [], 4]);
  });

  it("leaves out what has a download without a checksum for that platform, and says which", () => {
    const { builds, leftOut, targets } = planOf(["pester all", "kubectl arm64", "oc arm64"]);
    expect(builds.map(({ image, platform }) => `${image} ${platform}`)).toEqual([
      ...["base linux/amd64", "base linux/arm64", "python linux/amd64", "python linux/arm64"],
      "kubernetes linux/amd64",
    ]);
    expect(targets.map(({ image }) => image)).toEqual(["base", "python", "kubernetes"]);
    const file = "images/job-runner/versions.json";
    expect(leftOut.map(leftOutText)).toEqual([
      `powershell for linux/amd64 is left out: ${file} has no checksum of pester`,
      `powershell for linux/arm64 is left out: ${file} has no checksum of pester`,
      `kubernetes for linux/arm64 is left out: ${file} has no checksum of kubectl, oc`,
    ]);
  });
});

describe("the registries of language runners", () => {
  const parse = (document: unknown) => () => parseRunnerRegistries(JSON.stringify(document));

  it("are those of the checkout", async () => {
    const text = await readFile(path.join(import.meta.dirname, "../../..", REGISTRIES_FILE), "utf8");
    expect(parseRunnerRegistries(text).production.length).toBeGreaterThan(1);
  });

  it.each([
    ["no production", { preproduction: ["ghcr.io/a/b"] }, "production must be a list"],
    ["an empty list", { production: [], preproduction: ["ghcr.io/a/b"] }, "production must be a list"],
    ["a host alone", { production: ["ghcr.io"], preproduction: ["ghcr.io/a/b"] }, "production[0] must be host/path"],
    ["a tag", { production: ["ghcr.io/a/b:v1"], preproduction: ["ghcr.io/a/c"] }, "production[0] must be host/path"],
    ["one address for both", { production: ["ghcr.io/a/b"], preproduction: ["ghcr.io/a/b"] }, "ghcr.io/a/b is both"],
    ["another key", { production: ["ghcr.io/a/b"], preproduction: ["ghcr.io/a/c"], dev: [] }, "dev must be left away"],
  ])("with %s are refused", (_, document, said) => {
    expect(parse(document)).toThrow(said);
  });

  it.each([
    ["a comma too many", '{"production":["ghcr.io/a/b"],}', "it is no JSON: "],
    ["nothing in it", "", "it is no JSON: "],
    ["null", "null", "it must be a map of production and preproduction, found null"],
    ["a list", "[]", "it must be a map of production and preproduction"],
  ])("with %s are refused as a file that a person mends", (_, text, said) => {
    const fault = { kind: "usage", message: expect.stringContaining(`${REGISTRIES_FILE}: ${said}`) as string };
    expect(() => parseRunnerRegistries(text)).toThrow(expect.objectContaining(fault));
    expect(() => parseJobRegistries(text)).toThrow(
      expect.objectContaining({
        kind: "usage",
        message: expect.stringMatching(/^images\/job-runner\/\S+: /) as string,
      }),
    );
  });

  it("are named where there is no such file", async () => {
    const nowhere = {
      kind: "usage",
      message: expect.stringContaining(`${REGISTRIES_FILE}: it cannot be read`) as string,
    };
    await expect(readRunnerRegistries("/nowhere")).rejects.toMatchObject(nowhere);
    await expect(readJobRegistries("/nowhere")).rejects.toMatchObject({ kind: "usage" });
  });

  it("are examples as this repository has them, and by no other name that looks like one", async () => {
    const { production, preproduction } = await readRunnerRegistries(PROJECT);
    const shipped = [...production, ...preproduction, ...(await readJobRegistries(PROJECT))];
    expect(shipped.filter((address) => !isPlaceholder(address))).toEqual([]);
    const own = ["ghcr.io/build-your-own/infra", "public.ecr.aws/your-company", "ghcr.io/acme/your-repo-tools"];
    expect(own.filter(isPlaceholder)).toEqual([]);
    expect(isPlaceholder("ghcr.io/your-org/infra/runner-pulumi-yaml")).toBe(true);
  });

  it("to try are none of GitHub's packages, which every job that writes packages could put into production", async () => {
    const { preproduction } = await readRunnerRegistries(PROJECT);
    expect(preproduction.filter((address) => address.startsWith("ghcr.io/"))).toEqual([]);
  });

  it("of a command never serve both environments, whether it names one or both", () => {
    const [own = ""] = REGISTRIES.production;
    for (const given of [
      [`preproduction=${own}`],
      ["preproduction=localhost:1/k", "production=localhost:1/k"],
      ["preproduction=GHCR.IO/acme/infra"],
    ]) {
      const fault = {
        kind: "usage",
        message: expect.stringMatching(/^--registry: \S+ is both production and pre/) as string,
      };
      expect(() => withRegistries(REGISTRIES, given), given.join()).toThrow(expect.objectContaining(fault));
    }
  });

  it("give way to those that a command names, mirrors included", () => {
    const named = withRegistries(REGISTRIES, ["production=localhost:5180/kiln", "production=localhost:5181/kiln"]);
    expect(named).toEqual({ ...REGISTRIES, production: ["localhost:5180/kiln", "localhost:5181/kiln"] });
    for (const text of ["localhost:5180/kiln", "staging=ghcr.io/a/b", "production=", "production=ghcr.io"]) {
      expect(() => withRegistries(REGISTRIES, [text])).toThrow(`--registry ${text} is no ENVIRONMENT=ADDRESS`);
    }
  });
});
