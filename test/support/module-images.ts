import path from "node:path";
import { Builder, type BuiltModule } from "../../execution/module/builder.ts";
import { silent } from "../../progress.ts";
import { readyEngine, type Engine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";

const PROJECT = path.join(import.meta.dirname, "../..");

/** Examples that run where no official host and no public image can be had. */
export const RUNNABLE_EXAMPLES = ["pulumi-nodejs", "pulumi-python", "pulumi-go", "opentofu"] as const;

export type RunnableExample = (typeof RUNNABLE_EXAMPLES)[number];

/** The engine of tests that run modules: this machine's own. */
export function moduleEngine(): Promise<Engine> {
  return readyEngine({ places: places(), progress: silent });
}

/** Where an example stands. */
export function exampleDirectory(example: string): string {
  return path.join(PROJECT, "examples/iac", example);
}

const images = new Map<RunnableExample, Promise<BuiltModule>>();

/**
 * The image of an example, with loopback hosts: built once an engine, since the second build finds every layer. All tests
 * of modules share it, so none may remove it.
 */
export function moduleImage(engine: Engine, example: RunnableExample): Promise<BuiltModule> {
  const known = images.get(example);
  if (known !== undefined) return known;
  const tag = `kiln-test-module-${example}:shared`;
  const built = new Builder().build({ engine, tag, directory: exampleDirectory(example), loopbackHosts: true });
  images.set(example, built);
  return built;
}
