import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { silent } from "../../progress.ts";
import { goProgramsEnvironment } from "../../toolchain/go-programs.ts";
import { platformName } from "../../toolchain/pins.ts";
import { places } from "../../toolchain/places.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";

const PLUGINS = path.join(import.meta.dirname, "../../toolchain/plugins/image-plugins");

let root: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  ({ root } = await resolveTool("go", { places: places(), progress: silent }));
  env = goProgramsEnvironment(process.env, root, { places: places(), platform: platformName() });
});

/** What a command of the pinned toolchain says, in the module of the loopback plugins for images. */
async function go(command: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await run(path.join(root, "bin", command), args, {
    ...{ cwd: PLUGINS, env, allowFailure: true },
  });
  return code === 0 ? stdout : `${stdout}\n${stderr}\nexit code ${code}`;
}

test("the loopback plugins for images are formatted, vetted, and pass their own tests", async () => {
  expect(await go("gofmt", "-l", ".")).toBe("");
  const said = await go("go", "test", "./...");
  expect(said).not.toMatch(/FAIL|exit code/);
  expect(said).toMatch(/^ok\s+kiln\.invalid\/image-plugins\/pulumi-resource-notes\s/m);
});
