import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { writePluginLayer } from "../../cache/plugins/layers.ts";
import { PLUGIN_LOCK, type PluginLock } from "../../cache/plugins/lock.ts";
import { MIRRORS_VARIABLE } from "../../cache/plugins/sources.ts";
import {
  archiveName,
  BAKED_PLUGINS_LABEL,
  PLUGIN_PATH,
  PLUGINS_LABEL,
  type NeededPlugin,
} from "../../cache/plugins/plugin.ts";
import { bakeTo, readyBakery } from "../../cache/stack-bake.ts";
import { silent } from "../../progress.ts";
import { DEFAULT_BASE_IMAGE } from "../../toolchain/pins.ts";
import { places } from "../../toolchain/places.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { kiln, PROJECT } from "../support/checkout.ts";
import { engineOf, imageConfig } from "../support/engine.ts";
import { pluginArchive, servePlugins, sha256, type PluginServer } from "../support/plugin-server.ts";

const checkout = inject("checkout");
const PROVIDER = "digitalocean";
const PATTERN = "{provider}/{module}";
const PLATFORM = ownPlatform().replace("/", "-");

let root = "";
const at = (...parts: string[]) => path.join(root, ...parts);
const kilnPlugins = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  kiln(checkout, ["cache", "plugins", "--source", at("source"), "--modules", PATTERN, ...args], { env });
const mirror = ({ url }: Pick<PluginServer, "url">) => ({ [MIRRORS_VARIABLE]: `^github://=${url}` });

/** One program of the examples with its provider's real SDK, and what that SDK asks for. */
let needed: NeededPlugin;
let archive: Buffer;
const archivePath = () => `/${archiveName(needed, PLATFORM)}`;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "kiln-plugins-"));
  const examples = path.join(PROJECT, "examples/modules");
  for (const name of ["go.mod", "go.sum", PROVIDER]) {
    await cp(path.join(examples, name), at("source", name), { recursive: true });
  }
  const listed = await kilnPlugins(["--json"]);
  expect({ code: listed.code, stderr: listed.code === 3 ? "" : listed.stderr }).toEqual({ code: 3, stderr: "" });
  const { plugins } = JSON.parse(listed.stdout) as { plugins: readonly NeededPlugin[] };
  expect(plugins.map(({ name, providers }) => ({ name, providers }))).toEqual([
    { name: PROVIDER, providers: [PROVIDER] },
  ]);
  needed = plugins[0] ?? { name: "", version: "", providers: [] };
  archive = await pluginArchive({
    "README.md": "A plugin of the tests\n",
    [`pulumi-resource-${needed.name}`]: "#!/bin/sh\nexit 1\n",
  });
});

afterAll(() => rm(root, { recursive: true, force: true }));

describe("the plugins that a go.mod names and a program does not use", () => {
  const [used, home] = ["tiny@1.0.0", () => at("home")];

  async function preview(server: PluginServer, env: NodeJS.ProcessEnv): Promise<void> {
    const { path: pulumi } = await resolveTool("pulumi", { places: places(), progress: silent });
    for (const folder of ["backend", "project", "bin"]) await mkdir(at(folder), { recursive: true });
    await writeFile(at("project/Pulumi.yaml"), "name: tiny\nruntime: tiny\n");
    const host = path.join(PROJECT, "test/support/tiny-language-host.ts");
    await writeFile(at("bin/pulumi-language-tiny"), `#!/bin/sh\nexec "${process.execPath}" "${host}" "$@"\n`);
    await chmod(at("bin/pulumi-language-tiny"), 0o755);
    const all = {
      HOME: root,
      PATH: [at("bin"), "/usr/bin", "/bin"].join(path.delimiter),
      PULUMI_HOME: home(),
      PULUMI_BACKEND_URL: `file://${at("backend")}`,
      PULUMI_CONFIG_PASSPHRASE: "",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      TINY_REQUIRES: used,
      ...mirror(server),
      ...env,
    };
    const options = { cwd: at("project"), env: all };
    await run(pulumi, ["stack", "select", "--create", "test", "--non-interactive"], options);
    await run(pulumi, ["preview", "--stack", "test", "--non-interactive"], options);
  }

  const tiny = { name: "tiny", version: "1.0.0" };
  const serveTiny = async () =>
    servePlugins({
      [`/${archiveName(tiny, PLATFORM)}`]: await pluginArchive({ "pulumi-resource-tiny": "#!/bin/sh\nexit 1\n" }),
    });

  it("are downloaded before it runs unless the engine is told as the image tells it", async () => {
    const server = await serveTiny();
    await preview(server, { PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL: "true" });
    expect(server.asked).toEqual([]);
    await preview(server, {});
    expect(server.asked).toEqual([`/${archiveName(tiny, PLATFORM)}`]);
  });

  it("are there for the engine in the form that a layer has", async () => {
    await rm(home(), { recursive: true });
    await writeFile(at("tiny.tar.gz"), await pluginArchive({ "pulumi-resource-tiny": "#!/bin/sh\nexit 1\n" }));
    const { file } = await writePluginLayer(tiny, at("tiny.tar.gz"), at("layer.tar.gz"));
    await mkdir(path.join(home(), "plugins"), { recursive: true });
    const depth = String(PLUGIN_PATH.split("/").length - 1);
    await run("tar", ["-xzf", file, "-C", path.join(home(), "plugins"), "--strip-components", depth]);
    const server = await serveTiny();
    await preview(server, {});
    expect(server.asked).toEqual([]);
  });
});

describe("kiln cache plugins", () => {
  it("names what cannot be had and the ways to go on, with exit code 4", async () => {
    const server = await servePlugins({});
    const result = await kilnPlugins(["--update", "--lock", at("lock.json")], mirror(server));
    expect(result.code).toBe(4);
    expect(result.stderr).toContain(`${needed.name}@${needed.version}: ${new URL(server.url).host} answered 404`);
    expect(result.stderr).toMatch(/OVERRIDES.*--from DIR.*none or volume/);
    await expect(readFile(at("lock.json"))).rejects.toThrow("ENOENT");
  });

  it("locks what is missing once, and says that it trusts it", async () => {
    const server = await servePlugins({ [archivePath()]: archive });
    const first = await kilnPlugins(["--update", "--lock", at("lock.json")], mirror(server));
    expect(first.code).toBe(0);
    expect(first.stderr).toContain("this first download is trusted");
    expect(first.stdout).toContain("trusted on first use");
    const again = await kilnPlugins(["--update", "--lock", at("lock.json")], mirror(server));
    expect(again.code).toBe(0);
    expect(server.asked).toEqual([archivePath()]);
    const { archives } = JSON.parse(await readFile(at("lock.json"), "utf8")) as PluginLock;
    expect(Object.values(archives).map((locked) => locked.sha256)).toEqual([sha256(archive)]);
  });

  it("refuses a folder's archive that is not the locked one", async () => {
    await mkdir(at("folder"), { recursive: true });
    await rm(path.join(checkout.directory, ".kiln/plugins"), { recursive: true, force: true });
    await writeFile(at("folder", archivePath()), await pluginArchive({ "pulumi-resource-other": "#!/bin/sh\n" }));
    const result = await kilnPlugins(["--from", at("folder"), "--lock", at("lock.json")]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`locked is ${sha256(archive)}`);
  });
});

describe("a bake with plugins: layer", () => {
  const repository = `${checkout.registry}/plugins/iac-runner-warm`;
  const lockFile = path.join(checkout.directory, PLUGIN_LOCK);
  const here = places({ ...process.env, ...checkout.env }, checkout.directory);

  async function bakePlugins() {
    const target = {
      ...{ source: at("source"), pattern: PATTERN, repository, platform: ownPlatform() },
      ...{ baseReference: DEFAULT_BASE_IMAGE, allowFailed: [], plugins: "layer" as const },
      ...{ layout: "packed" as const, delivery: "cache" as const },
    };
    return bakeTo(here, target, await readyBakery(here, silent), silent);
  }

  afterAll(() => rm(lockFile, { force: true }));

  it("ends before it compiles where a plugin is not locked", async () => {
    await rm(lockFile, { force: true });
    await expect(bakePlugins()).rejects.toThrow(
      `${PLUGIN_LOCK} locks no ${PLATFORM} archive of ${needed.name}@${needed.version}`,
    );
  });

  it("puts them where Pulumi finds them offline, as any user, and bakes nothing a second time", async () => {
    const server = await servePlugins({ [archivePath()]: archive });
    expect((await kilnPlugins(["--update"], mirror(server))).code).toBe(0);
    const baked = await bakePlugins();
    expect(baked.layers[0]?.name).toBe(`plugin-${needed.name}-${needed.version}`);
    expect(baked.verification?.passed).toBe(true);
    expect((await bakePlugins()).reused).toBe(true);

    const { Labels, Env } = await imageConfig(baked.warmImage);
    expect(Labels[PLUGINS_LABEL]).toBe("layer");
    expect(Labels[BAKED_PLUGINS_LABEL]).toBe(`${needed.name}@${needed.version}`);
    expect(Env).toContain("PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL=true");

    const engine = await engineOf(checkout);
    const listed = await engine.docker([
      ...["run", "--rm", "--network", "none", "--user", "4242:4242", baked.warmImage],
      ...["sh", "-euc", `pulumi plugin ls --json; touch ${PLUGIN_PATH}/another $PULUMI_HOME/credentials.json`],
    ]);
    expect(listed.stdout).toContain(`"version": "${needed.version}"`);
    const removed = engine.docker([
      ...["run", "--rm", "--network", "none", "--user", "4242:4242", baked.warmImage],
      ...["rm", "-r", `${PLUGIN_PATH}/resource-${needed.name}-v${needed.version}`],
    ]);
    await expect(removed).rejects.toThrow(/not permitted|denied/i);
  });

  it("takes a plugin's layer from the registry where an input changed, without its server", async () => {
    const program = at("source", PROVIDER, "droplet/main.go");
    await writeFile(program, `${await readFile(program, "utf8")}\n// changed\n`);
    await rm(path.join(here.work, "plugins"), { recursive: true, force: true });
    const baked = await bakePlugins();
    expect(baked.reused).toBe(false);
    expect(baked.layers[0]).not.toHaveProperty("contentBytes");
  });

  it("has a folder for a volume that any user fills", async () => {
    const engine = await engineOf(checkout);
    const { warmImage } = await bakePlugins();
    const volume = `kiln-plugins-${path.basename(root)}`;
    const user = ["run", "--rm", "--network", "none", "--user", "4242:4242", "--volume", `${volume}:${PLUGIN_PATH}`];
    try {
      await engine.docker([...user, warmImage, "sh", "-euc", `mkdir -p ${PLUGIN_PATH}/resource-late-v1.0.0`]);
      const kept = await engine.docker([...user, warmImage, "pulumi", "plugin", "ls", "--json"]);
      expect(kept.stdout).toContain('"name": "late"');
    } finally {
      await engine.docker(["volume", "rm", "--force", volume]);
    }
  });
});
