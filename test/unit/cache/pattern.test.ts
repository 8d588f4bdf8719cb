import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesGlob, modulePattern } from "../../../cache/pattern.ts";
import { KilnError } from "../../../errors.ts";

describe("modulePattern", () => {
  it.each<[string, string, { provider: string; module: string } | undefined]>([
    ["m/{provider}/{module}", "m/aws/vpc", { provider: "aws", module: "vpc" }],
    ["m/{provider}/{module}", "m/aws", undefined],
    ["m/{provider}/{module}", "m/aws/vpc/x", undefined],
    ["m/{provider}/{module}", "x/m/aws/vpc", undefined],
    ["./m/{provider}/{module}/", "m/aws/vpc", { provider: "aws", module: "vpc" }],
    ["{module}/{provider}", "vpc/aws", { provider: "aws", module: "vpc" }],
    ["p-{provider}/m-{module}", "p-aws/m-vpc", { provider: "aws", module: "vpc" }],
    ["p-{provider}/m-{module}", "aws/vpc", undefined],
    ["{provider}/{module}/*/iac", "aws/vpc/v1/iac", { provider: "aws", module: "vpc" }],
    ["{provider}/{module}/*/iac", "aws/vpc/v1/v2/iac", undefined],
    ["{provider}/{module}/v*", "aws/vpc/v1", { provider: "aws", module: "vpc" }],
    ["{provider}/{module}/v*", "aws/vpc/v", { provider: "aws", module: "vpc" }],
    ["{provider}/{module}/v*", "aws/vpc/w1", undefined],
    ["a/**/{provider}/{module}", "a/aws/vpc", { provider: "aws", module: "vpc" }],
    ["a/**/{provider}/{module}", "a/b/c/aws/vpc", { provider: "aws", module: "vpc" }],
    ["a/**/{provider}/{module}", "ab/aws/vpc", undefined],
    ["**/provider/{provider}/{module}", "provider/aws/vpc", { provider: "aws", module: "vpc" }],
    ["**/provider/{provider}/{module}", "a/b/provider/aws/vpc", { provider: "aws", module: "vpc" }],
    ["**/provider/{provider}/{module}", "a/myprovider/aws/vpc", undefined],
    ["{provider}/**/**/{module}", "aws/vpc", { provider: "aws", module: "vpc" }],
    ["{provider}/{module}/**", "aws/vpc/a/b", { provider: "aws", module: "vpc" }],
    ["{provider}/{module}/**", "aws/vpc", { provider: "aws", module: "vpc" }],
    ["{provider}/{module}/**", "aws", undefined],
    ["a.b/{provider}/{module}", "a.b/aws/vpc", { provider: "aws", module: "vpc" }],
    ["a.b/{provider}/{module}", "axb/aws/vpc", undefined],
    ["a+(b)[c]$^|?\\/{provider}/{module}", "a+(b)[c]$^|?\\/aws/vpc", { provider: "aws", module: "vpc" }],
    ["c.+/{provider}/{module}", "c.+/aws/vpc", { provider: "aws", module: "vpc" }],
    ["c.+/{provider}/{module}", "cde/aws/vpc", undefined],
    ["m/{provider}/{module}", "m/aws v2/vpc.net", { provider: "aws v2", module: "vpc.net" }],
  ])("%s on %s", (pattern, directory, expected) => {
    expect(modulePattern(pattern).match(directory)).toEqual(expected);
  });

  it.each([
    ["examples/modules/{provider}/{module}", "examples/modules"],
    ["./apis/**/{provider}/{module}", "apis"],
    ["a/b*/{provider}/{module}", "a"],
    ["a/x-{provider}/{module}", "a"],
    ["**/{provider}/{module}", ""],
    ["{provider}/{module}", ""],
  ])("%s can only match below %j", (pattern, root) => {
    expect(modulePattern(pattern).root).toBe(root);
  });

  it.each([
    ["", "is not a path below the source"],
    ["  ", "is not a path below the source"],
    ["/m/{provider}/{module}", "is not a path below the source"],
    ["../{provider}/{module}", 'has an empty segment or ".."'],
    ["m//{provider}/{module}", 'has an empty segment or ".."'],
    ["m/{name}/{provider}/{module}", "has an unknown placeholder {name}"],
    ["m/{provider}/{module", "has an unknown placeholder {module"],
    ["m/{Provider}/{module}", "has an unknown placeholder {Provider}"],
    ["m/{provider}", "must name {module} once, not 0 times"],
    ["m/{module}", "must name {provider} once, not 0 times"],
    ["{provider}/{provider}/{module}", "must name {provider} once, not 2 times"],
  ])("refuses %j: %s", (pattern, fault) => {
    const refusal = thrownBy(() => modulePattern(pattern));
    expect(refusal.kind).toBe("usage");
    expect(refusal.message).toBe(`the module pattern "${pattern}" ${fault}`);
    expect(refusal.mend).toContain("examples/modules/{provider}/{module}");
  });

  const name = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !/[/{}*]|^\.{1,2}$|^\s*$/.test(text));
  const literal = name.map((text) => ({ pattern: text, path: [text] }));
  const star = name.map((path) => ({ pattern: "*", path: [path] }));
  const deep = fc.array(name, { maxLength: 3 }).map((path) => ({ pattern: "**", path }));
  const between = fc.array(fc.oneof(literal, star), { maxLength: 3 });

  it("gives back the parts that a path was built from", () => {
    fc.assert(
      fc.property(between, between, name, name, (before, after, provider, module) => {
        const steps = [
          ...before,
          { pattern: "{provider}", path: [provider] },
          { pattern: "{module}", path: [module] },
          ...after,
        ];
        const pattern = modulePattern(steps.map((step) => step.pattern).join("/"));
        expect(pattern.match(steps.flatMap((step) => step.path).join("/"))).toEqual({ provider, module });
      }),
    );
  });

  it("finds what lies any number of folders below the root", () => {
    fc.assert(
      fc.property(deep, name, name, (folders, provider, module) => {
        const pattern = modulePattern(`src/${folders.pattern}/at/{provider}/{module}`);
        const match = pattern.match(["src", ...folders.path, "at", provider, module].join("/"));
        expect(match).toEqual({ provider, module });
      }),
    );
  });
});

describe("matchesGlob", () => {
  it.each<[string, string, boolean]>([
    ["a/b", "a/b", true],
    ["a/b", "a/b/c", false],
    ["a/*", "a/b", true],
    ["a/*", "a/b/c", false],
    ["a/**", "a/b/c", true],
    ["a/**", "b/a/c", false],
    ["**/vpc", "a/b/vpc", true],
    ["**/vpc", "vpc", true],
    ["**/vpc", "a/myvpc", false],
    ["a/**/vpc", "a/vpc", true],
    ["a/**/vpc", "a/b/c/vpc", true],
    ["*/gcp*", "m/gcpgke", true],
    ["a.b", "axb", false],
    ["a+b(c)", "a+b(c)", true],
    ["", "a", false],
  ])("%j on %j: %s", (glob, directory, matches) => {
    expect(matchesGlob(glob, directory)).toBe(matches);
  });

  it("takes every path without a star as itself", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("*")),
        (text) => {
          expect(matchesGlob(text, text)).toBe(true);
        },
      ),
    );
  });
});

function thrownBy(work: () => unknown): KilnError {
  try {
    work();
  } catch (error) {
    if (error instanceof KilnError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
