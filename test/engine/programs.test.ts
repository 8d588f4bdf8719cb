import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { silent } from "../../progress.ts";
import { goProgramsEnvironment } from "../../toolchain/go-programs.ts";
import { goSources } from "../../toolchain/go-sources.ts";
import { platformName } from "../../toolchain/pins.ts";
import { places } from "../../toolchain/places.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTools } from "../../toolchain/resolve.ts";
import { isExtended } from "../support/extended.ts";
import { vaultOrReason } from "../support/vault-server.ts";

const PROGRAMS = path.join(import.meta.dirname, "../../images/programs");

const vault = await vaultOrReason();
if (typeof vault === "string") console.warn(`skipped: ${vault}`);

let root: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  const at = { places: places(), progress: silent };
  const { go: toolchain, pulumi, opentofu } = await resolveTools(["go", "pulumi", "opentofu"], at);
  root = toolchain.root;
  env = {
    ...goProgramsEnvironment(process.env, root, { places: places(), platform: platformName() }),
    // Tests that want the tools themselves are left out without these.
    ...{ KILN_TEST_PULUMI: pulumi.path, KILN_TEST_TOFU: opentofu.path },
    // The test with a program of Node takes some starts of the engine.
    ...(isExtended ? { KILN_TEST_NODE: process.execPath } : {}),
    ...(typeof vault === "string" ? {} : { KILN_TEST_VAULT: vault.path }),
  };
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

test("their own tests pass, those with Pulumi and OpenTofu themselves too", async () => {
  const said = await go("go", "test", "./...");
  expect(said).not.toMatch(/FAIL|exit code/);
  expect(said).toMatch(/^ok\s+kiln\.dev\/programs\/pack\s/m);
  const real = await go("go", "test", "-v", "-run", "TestReal", "./entrypoint");
  expect(real).toMatch(/^--- PASS: TestRealTofu /m);
  expect(real).toMatch(/^--- PASS: TestRealPulumi /m);
  if (isExtended) expect(real).toMatch(/^--- PASS: TestRealProgramThatMoves /m);
});

test.skipIf(typeof vault === "string")("a job's entrypoint gives Vault itself back what it took", async () => {
  expect(await go("go", "test", "-v", "-run", "TestRealVault", "./jobrun")).toMatch(/^--- PASS: TestRealVault /m);
});

test.each(["./gocache", "./entrypoint"])("the key of %s is of the packages that Go links into it", async (program) => {
  const said = await go("go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.Dir}}{{end}}{{end}}", program);
  const linked = said.split("\n").filter((line) => line !== "");
  const files = (await goSources(PROGRAMS, [program])).filter((file) => file.endsWith(".go"));
  const hashed = new Set(files.map((file) => path.join(PROGRAMS, path.dirname(file))));
  expect([...hashed].sort()).toEqual(linked.sort());
});
