import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commandNames } from "../../../../cache/multi-call/command-names.ts";

const named = (directory: string, provider: string, module: string) => ({ directory, provider, module });

const namesOf = (...programs: ReturnType<typeof named>[]) => [...commandNames(programs).values()];

const part = fc.constantFrom("a", "b", "a-b", "a b", "ä", "-", "v1");
const programs = fc
  .array(fc.tuple(part, part, fc.array(part, { maxLength: 3 })), { maxLength: 12 })
  .map((all) => all.map(([provider, module, rest]) => named([provider, module, ...rest].join("/"), provider, module)))
  .map((all) => [...new Map(all.map((one) => [one.directory, one])).values()]);

describe("commandNames", () => {
  it("names a program by its provider and module", () => {
    expect(namesOf(named("m/aws/s3-bucket", "aws", "s3-bucket"))).toEqual(["aws-s3-bucket"]);
  });

  it("adds the parts of the path in which programs of one name differ", () => {
    const versions = ["v1", "v2"].map((version) => named(`apis/aws/vpc/${version}/iac/pulumi`, "aws", "vpc"));
    expect(namesOf(...versions)).toEqual(["aws-vpc-v1", "aws-vpc-v2"]);
  });

  it("keeps the names of programs that no other has the name of", () => {
    const names = commandNames([named("a/b-c", "a", "b-c"), named("a-b/c", "a-b", "c"), named("a/d", "a", "d")]);
    const digest = /^a-b-c-a-b-c-[0-9a-f]{12}$/;
    expect(Object.fromEntries(names)).toEqual({
      "a/b-c": expect.stringMatching(digest) as string,
      "a-b/c": expect.stringMatching(digest) as string,
      "a/d": "a-d",
    });
  });

  it("replaces what a shell would take for more than text", () => {
    expect(namesOf(named("m/aws v2/$(rm)", "aws v2", "$(rm)"))).toEqual(["aws-v2--rm-"]);
  });

  it("is unique, safe in a shell and independent of the order, whatever directories are called", () => {
    fc.assert(
      fc.property(programs, fc.func(fc.nat()), (all, weigh) => {
        const names = commandNames(all);
        const values = [...names.values()];
        expect(new Set(values).size).toBe(all.length);
        for (const name of values) expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
        const shuffled = all.toSorted((a, b) => weigh(a.directory) - weigh(b.directory));
        expect(Object.fromEntries(commandNames(shuffled))).toEqual(Object.fromEntries(names));
      }),
    );
  });
});
