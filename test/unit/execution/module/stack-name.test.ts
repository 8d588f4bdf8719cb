import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { checkRequest } from "../../../../execution/module/request.ts";
import { refuseUnfitStack, stackFolder, stackName } from "../../../../execution/module/stack-name.ts";

it("reads well where parts are plain", () => {
  expect(stackName(["prod", "api", "database"])).toBe("prod.api.database");
  expect(stackName(["a", "b-c"])).toBe("a.b-c");
  expect(stackName(["a-b", "c"])).toBe("a-b.c");
  expect(stackName(["a.b", "c_d e"])).toBe("a_2eb.c_5fd_20e");
});

it.each([[[]], [[""]], [["a", ""]]])("%j is no name: modules would share state", (parts) => {
  expect(() => stackName(parts)).toThrow("a part of the stack name is empty");
});

/** Parts with few letters, so that names would be alike, and any text. */
const PART = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "-", ".", "_", "/", "A"), minLength: 1, maxLength: 5 }),
  fc.string({ minLength: 1 }),
);
const PARTS = fc.array(PART, { minLength: 1, maxLength: 4 });

test("every name is one that a request may have, and begins no option", () => {
  fc.assert(
    fc.property(PARTS, (parts) => {
      const name = stackName(parts);
      expect(checkRequest({ action: "apply", inputs: {}, stack_name: name }).stack_name).toBe(name);
    }),
  );
});

test("the same words divided otherwise have another name, whatever stands between them", () => {
  /** Words, what joins them, and after which of them a part ends: two ways to divide one text. */
  const words = fc.array(fc.constantFrom("a", "b", "2e", "5f", "A"), { minLength: 2, maxLength: 5 });
  const ends = fc.array(fc.boolean(), { minLength: 5, maxLength: 5 });
  const divided = (list: readonly string[], sign: string, cuts: readonly boolean[]) =>
    list
      .slice(1)
      .reduce<readonly string[]>(
        (parts, word, at) =>
          cuts[at] === true ? [...parts, word] : [...parts.slice(0, -1), `${parts.at(-1) ?? ""}${sign}${word}`],
        list.slice(0, 1),
      );
  fc.assert(
    fc.property(words, fc.constantFrom("-", ".", "_", "--", "/", "_2e"), ends, ends, (list, sign, cuts, others) => {
      const [one, other] = [divided(list, sign, cuts), divided(list, sign, others)];
      expect(stackName(one) === stackName(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
    { numRuns: 1_000 },
  );
});

test("long names differ too", () => {
  const long = fc.array(fc.constantFrom("x".repeat(60), "x".repeat(61), "y".repeat(60)), {
    minLength: 2,
    maxLength: 4,
  });
  fc.assert(
    fc.property(long, long, (some, others) => {
      expect(stackName(some).length).toBeLessThanOrEqual(100);
      expect(stackName(some) === stackName(others)).toBe(some.join() === others.join());
    }),
  );
});

test("every stack has a folder of its own, also where a file system knows no upper case, and none leads elsewhere", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "A", ".", "-", "_", "/", "0"), minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(name, name, (one, other) => {
      expect(stackFolder(one)).toMatch(/^[a-z0-9_][a-z0-9_.-]*$/);
      expect(stackFolder(one).length).toBeLessThanOrEqual(180);
      expect(stackFolder(one).toLowerCase() === stackFolder(other).toLowerCase()).toBe(one === other);
    }),
    { numRuns: 1_000 },
  );
  expect(stackFolder("..")).toBe("_2e.");
  expect(stackFolder("org/project/Dev")).toBe("org_2fproject_2f_44ev");
});

describe("a name of several parts", () => {
  const at =
    (stack: string, mode: "remote" | "carried" | "ephemeral", tool?: "pulumi" | "opentofu", backendUrl = "") =>
    () => {
      refuseUnfitStack(stack, { mode, tool, backendUrl });
    };

  it.each([
    ["acme/api/dev", "carried", undefined, "", /a stack whose state is carried has no organization/, /acme\.api\.dev/],
    ["acme/dev", "ephemeral", "pulumi", "s3://b", /whose state is ephemeral has no organization/, /or dev where/],
    ["acme/api/dev", "carried", "opentofu", "", /a stack of OpenTofu has no organization/, /acme\.api\.dev/],
    ["organization/api/dev", "remote", "opentofu", "", /a stack of OpenTofu/, /organization\.api\.dev/],
    [
      "acme/api/dev",
      "remote",
      "pulumi",
      "s3://b",
      /s3:\/\/ has no organization acme/,
      /organization\/api\/dev.* alone: dev/,
    ],
    ["acme/dev", "remote", undefined, "azblob://c", /azblob:\/\/ has no organization acme/, /organization\/dev/],
  ] as const)("%s with %s state (%s, %s) is refused, with a name to take", (stack, mode, tool, url, message, mend) => {
    expect(at(stack, mode, tool, url)).toThrow(
      expect.objectContaining({
        ...{ kind: "usage", message: expect.stringMatching(message) as string },
        mend: expect.stringMatching(mend) as string,
      }),
    );
  });

  it.each([
    ["dev", "carried", "opentofu", ""],
    ["acme/api/dev", "remote", "pulumi", ""],
    ["acme/dev", "remote", "pulumi", "https://api.pulumi.com"],
    ["acme/api/dev", "remote", undefined, ""],
    ["organization/api/dev", "remote", "pulumi", "gs://b"],
    ["organization/dev", "remote", "pulumi", "s3://b"],
  ] as const)("%s with %s state (%s, %s) is one", (stack, mode, tool, url) => {
    expect(at(stack, mode, tool, url)).not.toThrow();
  });
});
