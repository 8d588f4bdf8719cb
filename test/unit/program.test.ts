import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { recordResources, valueOf } from "../support/mocks.ts";

const STACKS = path.join(import.meta.dirname, "../../stacks");
const WARM = `localhost:5180/kiln/base-images/iac-runner-warm@sha256:${"a".repeat(64)}`;
const stacks = readdirSync(STACKS).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);

/** Runs the program as the engine would, with the configuration of a stack file and `changes` on top. */
async function runProgram(stack: string, changes: Readonly<Record<string, string>>) {
  const document = parse(readFileSync(path.join(STACKS, `Pulumi.${stack}.yaml`), "utf8")) as {
    config: Record<string, unknown>;
  };
  const config = { ...document.config, ...changes };
  pulumi.runtime.setAllConfig(
    Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
    ),
  );
  const resources = await recordResources(stack);
  const program = await import("../../index.ts");
  return { resources, program };
}

beforeEach(() => {
  vi.resetModules();
});

describe.each(stacks)("the program on stack %s", (stack) => {
  it("is exactly these resources", async () => {
    const { resources, program } = await runProgram(stack, { "kiln:warmImage": WARM });
    await valueOf(program.image);
    expect(resources.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
      "docker:index/image:Image iac-runner",
      "kiln:image:RunnerImage iac-runner",
      "kiln:registry:ImageRepository images",
    ]);
  });

  it("gives people the image, what it is made of and how it was checked", async () => {
    const { program } = await runProgram(stack, { "kiln:warmImage": WARM });
    expect(Object.keys(program).sort()).toEqual(["image", "toolVersions", "verification", "warmImage"]);
    expect(await valueOf(program.image)).toMatch(/\/base-images\/iac-runner@sha256:d{64}$/);
    expect(await valueOf(program.warmImage)).toBe(WARM);
    expect(program.toolVersions).toEqual({
      go: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
      pulumi: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
      opentofu: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
    });
  });

  it("stops with the message alone when no warm image is set", async () => {
    const run = runProgram(stack, { "kiln:warmImage": "" });
    await expect(run).rejects.toSatisfy((error) => pulumi.RunError.isInstance(error));
    await expect(run).rejects.toThrow(`no warm image is set for stack ${stack}`);
  });
});
