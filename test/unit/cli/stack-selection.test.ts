import { describe, expect, it } from "vitest";
import { withStack } from "../../../cli/cache/stack-selection.ts";

describe("withStack", () => {
  it("leaves options alone where no stack is named", async () => {
    const values = { source: "elsewhere", to: "ghcr.io/acme/warm" };
    expect(await withStack(values)).toBe(values);
  });

  it("puts what the stack's file says in the places of options", async () => {
    expect(await withStack({ stack: "dev", shards: "3" })).toMatchObject({
      stack: "dev",
      shards: "3",
      source: ".",
      modules: "examples/modules/{provider}/{module}",
      platform: "linux/amd64",
      programs: "cache",
      to: expect.stringMatching(/^ghcr\.io\/your-org\/your-repo\//) as string,
    });
  });

  it.each(["source", "modules", "platform", "to"])("refuses --%s beside a stack", async (name) => {
    await expect(withStack({ stack: "dev", [name]: "x" })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(`--${name}`) as string,
    });
  });

  it("refuses a stack that has no file", async () => {
    await expect(withStack({ stack: "missing" })).rejects.toMatchObject({ kind: "usage" });
  });
});
