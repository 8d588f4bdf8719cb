import { describe, expect, it } from "vitest";
import { refusalText } from "../../../../../toolchain/plugins/kubernetes-provider/api-answer.ts";

describe("what a refusal says", () => {
  it("is the server's message, with the causes that it leaves out", () => {
    const causes = [
      { field: "spec.replicas", message: "must be positive" },
      { field: "spec.name", message: "Required value" },
      { reason: "NoField", message: "something" },
    ];
    const body = { message: "it is invalid: spec.replicas: must be positive", details: { causes } };
    expect(refusalText(422, body)).toBe("it is invalid: spec.replicas: must be positive\nspec.name: Required value");
  });

  it("names the way out of a conflict", () => {
    expect(refusalText(409, { reason: "Conflict", message: "conflict" })).toContain('pulumi.com/patchForce: "true"');
    expect(refusalText(409, { reason: "AlreadyExists", message: "there" })).toBe("there");
  });

  it("is the status where there is no message", () => {
    expect(refusalText(503, {})).toBe("the API server answered 503");
  });
});
