import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import {
  isLoopbackStack,
  PLUGIN_VERSIONS,
  refusalOf,
  stackOfUrn,
} from "../../../../toolchain/plugins/allowed-stacks.ts";

describe("loopback plugins", () => {
  it.each(["local", "local-arm64", "test-x", "test-"])("may change %s", (stack) => {
    expect(isLoopbackStack(stack)).toBe(true);
    expect(refusalOf(stack)).toBeUndefined();
  });

  it.each(["dev", "staging", "prod", "locals", "local-x", "mytest-x", "test", ""])("may not change %j", (stack) => {
    expect(refusalOf(stack)).toContain("`pulumi plugin install resource docker 5.2.0`");
  });

  it("name the plugin that is missing", () => {
    const command = `pulumi plugin install resource kubernetes ${PLUGIN_VERSIONS.kubernetes}`;
    expect(refusalOf("dev", "kubernetes")).toContain(command);
  });

  it.each(Object.entries(PLUGIN_VERSIONS))("stand for the %s plugin of the SDK that is installed", (plugin, pinned) => {
    const { version } = createRequire(import.meta.url)(`@pulumi/${plugin}/package.json`) as { version: string };
    expect(pinned).toBe(version);
  });
});

describe("stackOfUrn", () => {
  it.each([
    ["urn:pulumi:local::kiln::kiln:image:RunnerImage$docker:index/image:Image::iac-runner", "local"],
    ["urn:pulumi:test-x::kiln::a:b:C::n", "test-x"],
    ["nonsense", ""],
  ])("%s is of %j", (urn, stack) => {
    expect(stackOfUrn(urn)).toBe(stack);
  });
});
