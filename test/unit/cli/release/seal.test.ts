import { describe, expect, it } from "vitest";
import { sealCommand } from "../../../../cli/release/seal.ts";
import { verifySealCommand } from "../../../../cli/release/verify.ts";
import { silent } from "../../../../progress.ts";

const IMAGE = `localhost:5180/kiln/base-images/iac-runner-warm@sha256:${"a".repeat(64)}`;
const seal = (values: Readonly<Record<string, string | readonly string[]>>) =>
  sealCommand.run({ values, positionals: [], progress: silent });
const verify = (values: Readonly<Record<string, string | readonly string[]>>) =>
  verifySealCommand.run({ values, positionals: [], progress: silent });

describe("kiln release seal", () => {
  it("has nothing to do for a stack that demands no seal, and asks for no tool and no signer", async () => {
    expect(await seal({ stack: "local", image: [IMAGE] })).toMatchObject({
      json: { stack: "local", policy: null, sealed: [] },
      text: expect.stringContaining("nothing to do: stacks/Pulumi.local.yaml has no kiln:signatures") as string,
    });
  });

  it.each([
    [{ image: [IMAGE] }, "--stack is missing"],
    [{ stack: "local" }, "--image is missing"],
    [{ stack: "local", image: [IMAGE.replace(/@.*/, ":latest")] }, "is no image by digest"],
  ])("refuses %j", async (values, said) => {
    await expect(seal(values)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(said) as string,
    });
  });
});

describe("kiln release verify", () => {
  it.each([
    [{ image: [IMAGE] }, "is not said exactly once"],
    [{ image: [IMAGE], stack: "dev", key: "cosign.pub" }, "is not said exactly once"],
    [{ image: [IMAGE], stack: "local" }, "stacks/Pulumi.local.yaml has no kiln:signatures"],
    [{ stack: "dev" }, "--image is missing"],
  ])("refuses %j", async (values, said) => {
    await expect(verify(values)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(said) as string,
    });
  });
});
