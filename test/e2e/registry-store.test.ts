import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONTRACT_LABEL, MODULES_LABEL } from "../../cache/contract.ts";
import { readManifest } from "../../cache/manifest.ts";
import { silent } from "../../progress.ts";
import { composeInRegistry } from "../../registry/compose.ts";
import { places } from "../../toolchain/places.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { kiln, PROJECT } from "../support/checkout.ts";
import { RegistryProcess } from "../support/registry-process.ts";

const here = { directory: PROJECT, env: { KILN_MIN_FREE_GB: "1" }, registry: "" };
let root = "";
let registry: RegistryProcess;
let image = "";
const at = (...parts: string[]) => path.join(root, ...parts);
const plan = () => ["--plan", at("plan.json"), "--source", at("source")];

interface Layer {
  readonly name: string;
  readonly digest: string;
  readonly layer: string;
}

async function run(...args: readonly string[]) {
  const result = await kiln(here, ["cache", ...args]);
  expect(result.code, result.stderr).toBe(0);
  return result;
}

async function pushed(cache: string, repository: string): Promise<readonly Layer[]> {
  const { stdout } = await run(
    "layers",
    "--cache",
    at(cache),
    "--plan",
    at("plan.json"),
    "--push",
    repository,
    "--json",
  );
  return JSON.parse(stdout) as readonly Layer[];
}

/** One program that imports nothing: the packages of the runtime, and itself. */
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "kiln-registry-store-test-"));
  await mkdir(at("source/alpha/one"), { recursive: true });
  await writeFile(at("source/go.mod"), "module example.com/tiny\n\ngo 1.26\n");
  await writeFile(at("source/alpha/one/main.go"), 'package main\n\nfunc main() { println("one") }\n');
  registry = await RegistryProcess.start(at("registry"));
  image = `${registry.address}/kiln/warm`;
  const select = ["--source", at("source"), "--modules", "{provider}/{module}", "--by", "provider"];
  await run("plan", ...select, "--store", at("store"), "--out", at("plan.json"));
  await run("warm", ...plan(), "--shard", "alpha", "--store", at("store"), "--out", at("cache"));
  const layers = (await pushed("cache", image)).map(({ digest }) => ({ repository: image, digest }));
  const [base = { repository: image }, ...others] = layers;
  const { contract, modules } = await readManifest(at("cache"));
  await composeInRegistry(
    { regctl: (await resolveTool("regctl", { places: places(), progress: silent })).path },
    {
      ...{ base, layers: others, to: { repository: image, tag: "latest" }, platform: ownPlatform() },
      settings: { labels: { [CONTRACT_LABEL]: JSON.stringify(contract), [MODULES_LABEL]: modules.join(",") } },
    },
  );
});

afterAll(async () => {
  await registry.stop();
  await rm(root, { recursive: true, force: true });
});

describe("a store from the layers of an image", () => {
  it("lets an empty store compile nothing, and gives the same layers", async () => {
    const warm = ["--shard", "alpha", "--store", at("empty"), "--from", `${image}:latest`, "--out", at("again")];
    const { stderr } = await run("warm", ...plan(), ...warm);
    expect(stderr).toMatch(/ \(100%\), 0 were compiled/);
    const [before, after] = [
      await pushed("cache", `${registry.address}/kiln/a`),
      await pushed("again", `${registry.address}/kiln/b`),
    ];
    expect(after).toEqual(before);
  });

  it("compiles only what changed", async () => {
    await cp(at("source"), at("edited"), { recursive: true });
    await writeFile(at("edited/alpha/one/main.go"), 'package main\n\nfunc main() { println("two") }\n');
    const store = ["--store", at("edited-store"), "--from", `${image}:latest`, "--out", at("edited-cache")];
    const warm = ["--plan", at("plan.json"), "--source", at("edited"), "--shard", "alpha", ...store];
    expect((await run("warm", ...warm)).stderr).toMatch(/, 1 were compiled/);
  });

  it("starts cold where the tag does not exist yet, and says what cannot be", async () => {
    const warm = (from: string) =>
      kiln(here, [
        "cache",
        "warm",
        ...plan(),
        "--shard",
        "alpha",
        "--store",
        at("store"),
        "--out",
        at("cold"),
        "--from",
        from,
      ]);
    expect(await warm(`${image}:none`)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("does not exist yet") as string,
    });
    const [{ digest } = { digest: "" }] = await pushed("cache", image);
    expect(await warm(`${image}@${digest}`)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("no warm image") as string,
    });
    expect(await warm("localhost:1/kiln/warm:latest")).toMatchObject({ code: 4 });
  });

  it("is compiled again from the registry, all of it", async () => {
    const { stdout } = await run("verify", "--image", `${image}:latest`, ...plan(), "--recompile", "all");
    expect(stdout).toMatch(
      / (\d+) of \1 entries recompiled, 0 differ; \d+ outputs compared with their names, 0 damaged/,
    );
    expect(stdout).toContain("from the image's own sources and indexes, for which nobody vouches here");
  });

  it("is shown on a page", async () => {
    await run(
      "report",
      "--cache",
      at("again"),
      "--against",
      at("cache"),
      "--store",
      at("store"),
      "--html",
      at("page.html"),
    );
    const page = await readFile(at("page.html"), "utf8");
    expect(page).toContain('data-name="runtime"');
    expect(page).toContain("No layer has another size.");
    expect(page).toMatch(/Cold, compiling took \d+ s of CPU time/);
  });
});
