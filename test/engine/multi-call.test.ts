import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildContract } from "../../cache/contract.ts";
import { buildMultiCall, type MultiCall } from "../../cache/multi-call.ts";
import { readPrograms } from "../../cache/programs.ts";
import { withStagedSource } from "../../cache/staged-source.ts";
import { silent } from "../../progress.ts";
import { toolVersions } from "../../toolchain/pins.ts";
import { places } from "../../toolchain/places.ts";
import { readyGoStandIns } from "../../toolchain/plugins/go-stand-ins.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { writeGoModule, writeJoinedPrograms, writePartedPrograms } from "../support/joined-programs.ts";

const STORE = path.join(import.meta.dirname, "../../.kiln/test-store");
const SDK = path.join(STORE, "go-mod/cache/download/github.com/pulumi/pulumi/sdk/v3/@v");
const GOARCH = process.arch === "x64" ? "amd64" : "arm64";

const hasStore = process.platform === "linux" && existsSync(SDK) && existsSync(path.join(STORE, "go-build"));
if (!hasStore) console.log(`skipped: ${STORE} holds no compiled Pulumi SDK yet; the e2e tests fill it`);

describe.skipIf(!hasStore)("programs of one provider in one binary", () => {
  let root: string;
  let goRoot: string;
  let built: MultiCall;
  let env: NodeJS.ProcessEnv;

  const build = async (name: string, writePrograms = writeJoinedPrograms) => {
    const [source, out] = [path.join(root, name, "source"), path.join(root, name, "binaries")];
    await writePrograms(source);
    const { programs } = await readPrograms(source, "programs/{provider}/{module}");
    const contract = buildContract(toolVersions, GOARCH);
    const mounts = { contract, goRoot, goModCache: `${STORE}/go-mod`, goBuildCache: `${STORE}/go-build` };
    return withStagedSource(source, programs, (staged) =>
      buildMultiCall(mounts, { provider: "shop", programs, source: staged, out, discardWrites: true }),
    );
  };

  const digest = async (name: string, file: string) =>
    createHash("sha256")
      .update(await readFile(path.join(root, name, "binaries", file)))
      .digest("hex");

  const call = (file: string, args: readonly string[] = [], more: NodeJS.ProcessEnv = {}) =>
    run(path.join(root, "commands", file), args, { env: more, allowFailure: true });

  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), "kiln-test-"));
    const options = { places: places(), progress: silent };
    const [go, pulumi] = [await resolveTool("go", options), await resolveTool("pulumi", options)];
    goRoot = go.root;
    built = await build("one");
    for (const folder of ["commands", "home", "backend"]) await mkdir(path.join(root, folder));
    const commands = built.binaries.flatMap(({ file, names }) =>
      Object.values(names).map((name) => [name, file] as const),
    );
    for (const [name, file] of [...commands, ["shop-unknown", "shop"], ["kiln-programs", "shop"]] as const) {
      await symlink(`../one/binaries/${file}`, path.join(root, "commands", name));
    }
    const searched = [path.join(root, "commands"), await readyGoStandIns(places(), silent), path.dirname(pulumi.path)];
    env = {
      HOME: path.join(root, "home"),
      PATH: [...searched, path.join(goRoot, "bin"), "/usr/bin", "/bin"].join(path.delimiter),
      ...{ GOMODCACHE: `${STORE}/go-mod`, GOPROXY: "off", GOFLAGS: "", GOTOOLCHAIN: "local" },
      ...{ PULUMI_HOME: path.join(root, "home"), PULUMI_BACKEND_URL: `file://${path.join(root, "backend")}` },
      ...{ PULUMI_CONFIG_PASSPHRASE: "", PULUMI_SKIP_UPDATE_CHECK: "true" },
    };
  });

  afterAll(() => rm(root, { recursive: true, force: true }));

  /** A Pulumi project without a line of Go, so that nothing can be compiled; `pulumi up` and its outputs. */
  const up = async (binary: string) => {
    const cwd = path.join(root, "projects", binary);
    await writeGoModule(cwd);
    const runtime = `runtime:\n  name: go\n  options:\n    binary: ${binary}\n`;
    await writeFile(path.join(cwd, "Pulumi.yaml"), `name: ${binary}\n${runtime}`);
    const pulumi = (...args: string[]) =>
      run("pulumi", [...args, "--non-interactive", "--color", "never", "--stack", "test"], {
        cwd,
        env,
        allowFailure: true,
      });
    await run("pulumi", ["stack", "init", "test", "--non-interactive"], { cwd, env });
    const { code, stdout, stderr } = await pulumi("up", "--yes", "--skip-preview");
    const outputs =
      code === 0 ? (JSON.parse((await pulumi("stack", "output", "--json")).stdout) as unknown) : undefined;
    return { code, printed: stdout + stderr, outputs };
  };

  it("holds all but the one that claims another's flag, which stands alone with the reason", () => {
    expect(built.binaries.map(({ file, names }) => [file, Object.values(names)])).toEqual([
      ["shop", ["shop-back", "shop-front"]],
      ["shop+2", ["shop-rival"]],
    ]);
    expect(built.apart).toEqual({ "programs/shop/rival": "panic: shop-back flag redefined: shop" });
    expect(built.names).toEqual({
      "programs/shop/back": "shop-back",
      "programs/shop/front": "shop-front",
      "programs/shop/rival": "shop-rival",
    });
  });

  it("runs each program by its name in a real update, with what it embeds and imports", async () => {
    expect(await up("shop-front")).toMatchObject({
      code: 0,
      outputs: { command: "shop-front", says: "open: welcome" },
    });
    expect(await up("shop-rival")).toMatchObject({ code: 0, outputs: { command: "shop-rival", says: "rival" } });
    expect(await up("shop-back")).toMatchObject({ code: 0, outputs: { command: "shop-back", says: "full" } });
  });

  it("fails an update by a name that it does not hold, and says which it holds", async () => {
    const { code, printed } = await up("shop-unknown");
    expect(code).not.toBe(0);
    expect(printed).toContain('no program "shop-unknown" in this binary; it holds:');
    expect(await call("shop-unknown")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("shop-back\nshop-front\n") as string,
    });
    const { printed: missing } = await up("shop-missing");
    expect(missing).toContain("unable to find 'shop-missing' executable");
  });

  it("names the lines of the program's own files in stack traces", async () => {
    const { stderr } = await call("shop-back", [], { SHOP_PANIC: "1" });
    const lines = (await readFile(path.join(root, "one/source/programs/shop/back/main.go"), "utf8")).split("\n");
    const line = lines.findIndex((text) => text.includes("panic(")) + 1;
    expect(stderr).toContain(`example.com/shop/programs/shop/back/main.go:${line}`);
  });

  it("lists its programs, and runs the one in its first argument when called by another name", async () => {
    expect((await call("kiln-programs", ["--list"])).stdout).toBe("shop-back\nshop-front\n");
    expect((await call("kiln-programs", ["shop-front"], { PULUMI_PLUGINS: "true" })).stdout).toBe('{"plugins":null}\n');
    expect((await call("kiln-programs", ["shop-rival"])).code).toBe(2);
  });

  it("has the same bytes wherever the source stands", async () => {
    const again = await build("two/at/another/path");
    expect(again.binaries.map(({ file }) => file)).toEqual(["shop", "shop+2"]);
    for (const { file } of again.binaries)
      expect(await digest("two/at/another/path", file)).toBe(await digest("one", file));
  });

  it("parts what cannot be joined, and finds the program that ends the process of every other without a word", async () => {
    const { binaries, apart } = await build("parted", writePartedPrograms);
    expect(binaries.map(({ file, names }) => [file, Object.values(names)])).toEqual([
      ["shop", ["shop-a", "shop-b", "shop-internal"]],
      ["shop+2", ["shop-end"]],
      ["shop+3", ["shop-nil"]],
      ["shop+4", ["shop-own"]],
    ]);
    expect(binaries.filter(({ unproven }) => unproven).map(({ file }) => file)).toEqual(["shop+2"]);
    expect(apart).toEqual({ "programs/shop/end": "shop-end ends with 0 before its main" });
  });
});
