import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { PLUGIN_VERSIONS } from "../../../../../toolchain/plugins/allowed-stacks.ts";
import { PackageTypes } from "../../../../../toolchain/plugins/typed-provider/package-types.ts";

const github = new PackageTypes("github");
const aws = new PackageTypes("aws");

function required(members: ReturnType<PackageTypes["object"]>): string[] {
  return Object.entries(members ?? {}).flatMap(([name, member]) => (member.required ? [name] : []));
}

describe("the types of an installed SDK", () => {
  it("are of the version whose plugin belongs to it", () => {
    expect([github.version, aws.version]).toEqual([PLUGIN_VERSIONS.github, PLUGIN_VERSIONS.aws]);
  });

  it("are found by a resource's token", () => {
    const group = github.resource("github:index/actionsRunnerGroup:ActionsRunnerGroup");
    expect(required(group?.inputs)).toEqual(["visibility"]);
    expect(required(group?.outputs)).toContain("runnersUrl");
    const images = aws.resource("aws:ecrpublic/repository:Repository");
    expect(required(images?.inputs)).toEqual(["repositoryName"]);
    expect(required(images?.outputs)).toContain("repositoryUri");
  });

  it("are found by an object's name, in a namespace or not", () => {
    expect(required(github.object("RepositoryRulesetConditionsRefName"))).toEqual(["excludes", "includes"]);
    expect(Object.keys(aws.object("ecrpublic.RepositoryCatalogData") ?? {})).toContain("architectures");
    expect(aws.object("RepositoryCatalogData")).toBeUndefined();
  });

  it.each([
    "github:index/runnerGroup:RunnerGroup",
    "github:index/actionsRunnerGroup:Group",
    "aws:ecrpublic/repository:Repository",
    "github:../aws/ecrpublic/repository:Repository",
    "github",
  ])("has no resource %s in github", (token) => {
    expect(github.resource(token)).toBeUndefined();
  });
});

/** The SDK's own code of a resource: it throws where a required property is missing, and takes each that it knows. */
function fromCode(code: string): { token: string; required: string[]; taken: string[] } | undefined {
  const token = /__pulumiType = '(?!pulumi:)([^']+:[^']+)'/.exec(code)?.[1];
  if (token === undefined) return undefined;
  const constructing = code.slice(code.indexOf("const args = argsOrState"));
  const matches = (pattern: RegExp) =>
    [...new Set([...constructing.matchAll(pattern)].map(([, name = ""]) => name))].sort();
  return {
    token,
    required: matches(/Missing required property '(\w+)'/g),
    taken: matches(/resourceInputs\["(\w+)"\] = (?!undefined)/g),
  };
}

function resourcesIn(name: string, folder: string) {
  const directory = path.join(import.meta.dirname, "../../../../../node_modules/@pulumi", name, folder);
  const files = readdirSync(directory).filter((file) => file.endsWith(".js"));
  return files.flatMap((file) => fromCode(readFileSync(path.join(directory, file), "utf8")) ?? []);
}

describe("the types that are read from declarations", () => {
  it.each([
    ["github", ".", github, 80],
    ["aws", "ecrpublic", aws, 1],
    ["aws", "s3", aws, 30],
    ["aws", "kendra", aws, 5],
    ["aws", "fsx", aws, 5],
  ])("agree with the code of @pulumi/%s on every resource in %s", (_, folder, types, least) => {
    const resources = resourcesIn(types.name, folder).filter(({ token }) => token !== types.name);
    expect(resources.length).toBeGreaterThan(least);
    for (const { token, required: needed, taken } of resources) {
      const inputs = types.resource(token)?.inputs ?? {};
      expect([token, required(inputs).sort(), Object.keys(inputs).sort()]).toEqual([token, needed, taken]);
    }
  });
});
