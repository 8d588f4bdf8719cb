import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { parseWorkflowReference } from "../../../../runners/github/workflow-reference.ts";

const AT = "kiln:tenants.platform.trusted.workflow";

function refusal(text: string): KilnError {
  try {
    parseWorkflowReference(text, "acme", AT);
  } catch (error) {
    if (error instanceof KilnError) return error;
  }
  throw new Error(`${text} was taken`);
}

describe("the reference of a reusable workflow", () => {
  it("is read into its parts", () => {
    expect(parseWorkflowReference("acme/kiln/.github/workflows/bake.yml@refs/heads/main", "Acme", AT)).toEqual({
      owner: "acme",
      repository: "kiln",
      file: "bake.yml",
      branch: "main",
      text: "acme/kiln/.github/workflows/bake.yml@refs/heads/main",
    });
  });

  it.each([
    ["acme/kiln/.github/workflows/bake.yml@refs/tags/v1", "a tag's own reference would not match the next tag"],
    ["acme/kiln/.github/workflows/bake.yml@v1", "no workflow file at a branch"],
    ["acme/kiln/.github/workflows/bake.yml", "no workflow file at a branch"],
    ["acme/kiln/.github/workflows/../bake.yml@refs/heads/main", "no workflow file at a branch"],
    ["acme/kiln/workflows/bake.yml@refs/heads/main", "no workflow file at a branch"],
    ["acme/kiln/.github/workflows/bake.sh@refs/heads/main", "no workflow file at a branch"],
    ["other/kiln/.github/workflows/bake.yml@refs/heads/main", "of another organization"],
    ["", "no workflow file at a branch"],
  ])("%j is refused: %s", (text, reason) => {
    const { kind, message, mend } = refusal(text);
    expect(kind).toBe("usage");
    expect(message).toContain(`${AT} is ${JSON.stringify(text)}`);
    expect(message).toContain(reason);
    expect(mend).toContain("@refs/heads/main");
  });

  it("comes back as it was written, for every branch", () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    fc.assert(
      fc.property(
        word,
        word,
        word,
        fc.array(word, { minLength: 1, maxLength: 3 }),
        (owner, repository, file, branch) => {
          const text = `${owner}/${repository}/.github/workflows/${file}.yaml@refs/heads/${branch.join("/")}`;
          const parsed = parseWorkflowReference(text, owner.toUpperCase(), AT);
          expect(parsed).toEqual({ owner, repository, file: `${file}.yaml`, branch: branch.join("/"), text });
        },
      ),
    );
  });
});
