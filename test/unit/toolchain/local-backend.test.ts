import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { readyStacks } from "../../../toolchain/local-backend.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const pulumi = vi.hoisted(() => ({ folder: "", made: [] as string[] }));
vi.mock("../../../toolchain/process.ts", async (original) => ({
  ...(await original<object>()),
  run: async (_: string, [, , stack = ""]: readonly string[]) => {
    const file = path.join(pulumi.folder, `${stack}.json`);
    if (existsSync(file)) throw new Error(`stack '${stack}' already exists`);
    await sleep(5);
    await writeFile(file, "{}");
    pulumi.made.push(stack);
  },
}));

it("makes every stack once, although two stacks of this machine come up at once", async () => {
  const home = await temporaryDirectory();
  pulumi.folder = path.join(home, "state/pulumi/.pulumi/stacks/kiln");
  await mkdir(pulumi.folder, { recursive: true });
  await mkdir(path.join(home, "stacks"));
  for (const stack of ["local", "local-arm64", "dev"]) {
    await writeFile(path.join(home, `stacks/Pulumi.${stack}.yaml`), "");
  }
  const places = { project: home, work: home, cache: home, state: path.join(home, "state") };
  await Promise.all([readyStacks(places, {}), readyStacks(places, {})]);
  expect(pulumi.made.sort()).toEqual(["dev", "local", "local-arm64"]);
  await readyStacks(places, {});
  expect(pulumi.made).toHaveLength(3);
});
