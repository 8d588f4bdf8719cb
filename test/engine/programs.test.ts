import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { silent } from "../../progress.ts";
import { goProgramsEnvironment } from "../../toolchain/go-programs.ts";
import { platformName } from "../../toolchain/pins.ts";
import { places } from "../../toolchain/places.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";

const PROGRAMS = path.join(import.meta.dirname, "../../images/programs");

let root: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  ({ root } = await resolveTool("go", { places: places(), progress: silent }));
  env = goProgramsEnvironment(process.env, root, { places: places(), platform: platformName() });
});

/** What a command of the pinned toolchain says, in the module of the programs that go into images. */
async function go(command: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await run(path.join(root, "bin", command), args, {
    ...{ cwd: PROGRAMS, env, allowFailure: true },
  });
  return code === 0 ? stdout : `${stdout}\n${stderr}\nexit code ${code}`;
}

test("the programs of images are formatted as Go's own are", async () => {
  expect(await go("gofmt", "-l", ".")).toBe("");
});

test("go vet finds nothing in them", async () => {
  expect(await go("go", "vet", "./...")).toBe("");
});

test("their own tests pass", async () => {
  const said = await go("go", "test", "./...");
  expect(said).not.toMatch(/FAIL|exit code/);
  expect(said).toMatch(/^ok\s+kiln\.dev\/programs\/pack\s/m);
});
