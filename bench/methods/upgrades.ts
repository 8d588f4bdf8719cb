import { cp, mkdir, readFile, readdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Program } from "../../cache/programs.ts";
import { KilnError, messageOf } from "../../errors.ts";
import { places } from "../../toolchain/places.ts";
import { pins } from "../../toolchain/pins.ts";
import { run } from "../../toolchain/process.ts";
import { removeFolder } from "../../toolchain/remove-folder.ts";
import { packageOf } from "../module-proxy.ts";
import type { Step, StepContext } from "../step.ts";
import { coldBake } from "./kiln.ts";
import { bake, kilnFolder, type Baked } from "./kiln-command.ts";
import { neighbourMinor, neighbourPatches } from "./versions.ts";

/** A bake after something was upgraded, with the store of the cold bake. */
export interface Upgrade extends Pick<Baked, "wall" | "seconds"> {
  /** Of the layers that the cold bake's image has not, as they travel. */
  readonly newLayerBytes: number;
  /** What was upgraded, such as `github.com/pulumi/pulumi-civo/sdk/v2 v2.4.8 -> v2.5.0`. */
  readonly what: string;
}

/**
 * Another minor version of an SDK: of the first one that programs of the sample import and of which the caller's module
 * proxy lists and gives another, providers' SDKs before Pulumi's own.
 */
export const sdkMinor: Step<Upgrade> = {
  id: "kiln/upgrade sdk",
  title: "kiln: bake after one SDK minor, with the store",
  method: "kiln",
  after: [coldBake],
  async run(context) {
    const { work, selection } = context;
    const refusals: string[] = [];
    for (const program of selection.sample) {
      for (const { module, version } of await sdksOf(context, program)) {
        const root = kilnFolder(work, "upgraded");
        await removeFolder(root);
        await cp(selection.root, root, { recursive: true });
        const source = path.join(root, path.relative(selection.root, selection.source));
        try {
          const other = await upgradeSdk(context, source, program.goModule, { module, version });
          const baked = await bake(context, { source, store: kilnFolder(work, "store"), name: "kiln" });
          return upgradeOf(context, `${module} ${version} -> ${other}`, baked);
        } catch (error) {
          if (error instanceof KilnError && error.kind === "interrupted") throw error;
          refusals.push(`${module}: ${messageOf(error)}`);
        } finally {
          await removeFolder(root);
        }
      }
    }
    throw new KilnError("failed", `no SDK could be upgraded:\n${[...new Set(refusals)].join("\n")}`);
  },
};

interface ModuleVersion {
  readonly module: string;
  readonly version: string;
}

/** The SDKs that a program imports, Pulumi's own last. */
async function sdksOf(context: StepContext, program: Program): Promise<readonly ModuleVersion[]> {
  const go = goIn(context, path.join(context.selection.source, program.goModule));
  const format = "{{with .Module}}{{.Path}} {{.Version}}{{end}}";
  const listed = (await go(["list", "-deps", "-f", format, packageOf(program)])).split("\n");
  return [/\/pulumi-[^/ ]+\/sdk\b/, /\/pulumi\/sdk\b/].flatMap((sdk) =>
    [...new Set(listed)]
      .filter((line) => sdk.test(line))
      .map((line) => ({ module: line.split(" ")[0] ?? "", version: line.split(" ")[1] ?? "" })),
  );
}

/** Changes go.mod and go.sum of a Go module to another minor of an SDK, and fetches that. Returns its version. */
async function upgradeSdk(
  context: StepContext,
  source: string,
  goModule: string,
  { module, version }: ModuleVersion,
): Promise<string> {
  const go = goIn(context, path.join(source, goModule));
  const versions = (await go(["list", "-m", "-versions", module])).trim().split(" ").slice(1);
  const other = neighbourMinor(version, versions);
  if (other === undefined) throw new KilnError("failed", `the module proxy lists no other minor than ${version}`);
  await go(["get", `${module}@${other}`]);
  const members = context.selection.programs.filter((program) => program.goModule === goModule);
  await go(["list", "-deps", ...members.map(packageOf)]);
  await go(["mod", "download"]);
  return other;
}

/** A build tag more: another GOFLAGS, which enters the action IDs of programs. */
export const flagChange: Step<Upgrade> = {
  id: "kiln/upgrade flag",
  title: "kiln: bake after one flag changed, with the store",
  method: "kiln",
  after: [coldBake],
  async run(context) {
    const store = kilnFolder(context.work, "store");
    const more = ["--tags", "kiln_bench"];
    const baked = await bake(context, { source: context.selection.source, store, name: "kiln", more });
    return upgradeOf(context, "-tags=kiln_bench", baked);
  },
};

/** Another patch version of Go, by a copy of this checkout that pins it: everything is compiled again. */
export const goPatch: Step<Upgrade> = {
  id: "kiln/upgrade go",
  title: "kiln: bake after a Go patch, with the store",
  method: "kiln",
  after: [coldBake],
  async run(context) {
    const { work, selection } = context;
    const version = await otherGo(context);
    const checkout = kilnFolder(work, "checkout");
    try {
      await copyCheckout(checkout, version);
      const baked = await bake(context, {
        ...{ source: selection.source, store: kilnFolder(work, "store"), name: "kiln" },
        command: path.join(checkout, "cli/kiln.mjs"),
      });
      return upgradeOf(context, `go ${pins.go.version} -> ${version}`, baked);
    } finally {
      await removeFolder(checkout);
    }
  },
};

/** What a bake came to. A registry may have its layers from an earlier run: what it has more of would say nothing. */
function upgradeOf({ result }: StepContext, what: string, { wall, seconds, layers }: Baked): Upgrade {
  const known = new Set(result(coldBake).layers.map(({ digest }) => digest));
  const fresh = layers.filter(({ digest }) => !known.has(digest));
  return { what, wall, seconds, newLayerBytes: fresh.reduce((total, { size }) => total + size, 0) };
}

/** Runs Go with the caller's own settings, into the folder of fetched modules; may change go.mod and go.sum. */
function goIn({ goRoot, work }: StepContext, cwd: string): (args: readonly string[]) => Promise<string> {
  const own = { GOMODCACHE: path.join(work, "modules"), GOTOOLCHAIN: "local", GOFLAGS: "-mod=mod -modcacherw" };
  const env = { ...process.env, ...own, CGO_ENABLED: "0" };
  return async (args) => (await run(path.join(goRoot, "bin/go"), args, { cwd, env })).stdout;
}

/** The Go nearest to the pinned one that can be had: the next patch, or the one before. */
async function otherGo({ goRoot, work }: StepContext): Promise<string> {
  for (const version of neighbourPatches(pins.go.version)) {
    const env = { ...process.env, GOTOOLCHAIN: `go${version}`, GOFLAGS: "" };
    const asked = await run(path.join(goRoot, "bin/go"), ["version"], { cwd: work, env, allowFailure: true });
    if (asked.code === 0 && asked.stdout.includes(`go${version} `)) return version;
  }
  throw new KilnError("failed", `no Go patch beside ${pins.go.version} can be had from the module proxy`);
}

async function copyCheckout(checkout: string, version: string): Promise<void> {
  const { project } = places();
  await removeFolder(checkout);
  await mkdir(checkout, { recursive: true });
  // Entry by entry: the work folder, and so the copy, may stand in .kiln, and a folder cannot be copied into itself.
  const left = ["node_modules", ".git", ".kiln"];
  for (const name of (await readdir(project)).filter((entry) => !left.includes(entry))) {
    await cp(path.join(project, name), path.join(checkout, name), { recursive: true });
  }
  await symlink(path.join(project, "node_modules"), path.join(checkout, "node_modules"));
  const file = path.join(checkout, "toolchain/pins.json");
  const document = JSON.parse(await readFile(file, "utf8")) as { go: object };
  // Without checksums of its own: Go's checksum database has them.
  const go = { ...document.go, version, downloads: {}, goToolchain: { name: `go${version}`, archives: {} } };
  await writeFile(file, JSON.stringify({ ...document, go }, null, 2));
}
