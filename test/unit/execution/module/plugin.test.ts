import { expect, it, vi } from "vitest";
import { ContainerPlugin, PluginRegistry, plugins, type PluginRun } from "../../../../execution/module/plugin.ts";
import type { ExecuteOptions, ExecutionResult } from "../../../../execution/module/execute-options.ts";

const RUN: PluginRun = {
  image: "r/i:t",
  request: { inputs: { a: 1 } },
  engine: { docker: "docker", host: undefined, managed: false },
};

it("a container plugin is registered, and found by name", () => {
  expect(plugins.names()).toEqual(["container"]);
  expect(plugins.lookup("container")).toBeInstanceOf(ContainerPlugin);
});

it("a name that is taken is refused, and the first stays", () => {
  const first = new ContainerPlugin();
  const registry = new PluginRegistry().register(first);
  expect(() => registry.register(new ContainerPlugin())).toThrow("there is an IaC plugin called container already");
  expect(registry.lookup("container")).toBe(first);
});

it("a name that there is not is an error with those that there are", () => {
  expect(() => plugins.lookup("toString")).toThrow(
    expect.objectContaining({ kind: "usage", mend: "Name one of: container." }),
  );
});

it("each method is one action, and import has its mappings", async () => {
  const execute = vi.fn<(options: ExecuteOptions) => Promise<ExecutionResult>>(() =>
    Promise.resolve({} as ExecutionResult),
  );
  const plugin = new ContainerPlugin({ execute });
  for (const action of ["preview", "apply", "destroy", "refresh"] as const) await plugin[action](RUN);
  await plugin.importResources(RUN, [{ address: "x", id: "i" }]);
  expect(execute.mock.calls.map(([{ request }]) => request)).toEqual([
    ...["preview", "apply", "destroy", "refresh"].map((action) => ({ action, inputs: { a: 1 } })),
    { action: "import", inputs: { a: 1 }, import: [{ address: "x", id: "i" }] },
  ]);
});
