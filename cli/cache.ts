import path from "node:path";
import { describeMisses } from "../cache/bake.ts";
import { buildContract } from "../cache/contract.ts";
import { layerKey, partition, writeLayer } from "../cache/layers.ts";
import { readJson, readManifest, writeJson, type CacheManifest } from "../cache/manifest.ts";
import { mergeCaches } from "../cache/merge.ts";
import { BASE_SHARD, type Division, type Plan, type Timings } from "../cache/plan.ts";
import { makePlan, requireNoFailures, unexpectedFailures } from "../cache/planning.ts";
import { readPrograms } from "../cache/programs.ts";
import { compileInStore, mountsOf, warmShard } from "../cache/warm.ts";
import { verifyCache, verifyImage, type Verification } from "../cache/verify.ts";
import { contractDifferences } from "../cache/contract.ts";
import { EXIT, KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import type { RegistryClient } from "../registry/client.ts";
import { composeInRegistry } from "../registry/compose.ts";
import { parseReference } from "../registry/image-reference.ts";
import { writeLayout } from "../registry/layout.ts";
import { pushLayer } from "../registry/push-layer.ts";
import { engineEnvironment, readyEngine } from "../toolchain/docker-engine.ts";
import { toolVersions } from "../toolchain/pins.ts";
import { places } from "../toolchain/places.ts";
import { resolveTool } from "../toolchain/resolve.ts";
import type { Command, Invocation } from "./command.ts";
import { noArguments, optional, repeated, required } from "./options.ts";
import { duration, size, table } from "./printer.ts";

const TIMINGS_MEND = 'Write {"version": 1, "seconds": {"import/path": 1.5}}.';
const PLAN_MEND = "Make one with `npx kiln cache plan`.";

const SELECTION = {
  source: { type: "string" },
  modules: { type: "string" },
  provider: { type: "string", multiple: true },
} as const;

const SELECTION_HELP = {
  source: "the repository (default: .)",
  modules: "where its Go programs are, such as examples/modules/{provider}/{module}",
  provider: "only this provider's (may be repeated)",
} as const;

const modules: Command = {
  name: "cache modules",
  summary: "List the Go programs that would be warmed.",
  usage: "--source DIR --modules PATTERN [--provider P]…",
  options: SELECTION,
  help: SELECTION_HELP,
  async run({ values, positionals }) {
    noArguments(positionals);
    const found = await readPrograms(sourceOf(values), required(values, "modules"), repeated(values, "provider"));
    const rows = found.programs.map(({ provider, module, directory }) => [provider, module, directory]);
    const skipped =
      found.skipped.length > 0 ? `, ${found.skipped.length} matching directories hold no Go main package` : "";
    return { json: found, text: `${table(rows)}\n${found.programs.length} programs${skipped}` };
  },
};

const PLANNING = {
  ...SELECTION,
  shards: { type: "string" },
  by: { type: "string" },
  timings: { type: "string" },
  "allow-failed": { type: "string", multiple: true },
  store: { type: "string" },
} as const;

const PLANNING_HELP = {
  ...SELECTION_HELP,
  shards: "this many shards of about equal compile cost",
  by: '"provider": a shard a provider',
  timings: "measured seconds by package, a JSON object",
  "allow-failed": "programs that are known not to compile (a glob of directories; may be repeated)",
  store: "persistent volume with go-mod/ and go-build/ (default: .kiln/store)",
} as const;

const plan: Command = {
  name: "cache plan",
  summary: "Divide a repository's programs into shards.",
  usage: "--source DIR --modules PATTERN (--shards N | --by provider) --out PLAN.json [--matrix]",
  options: { ...PLANNING, out: { type: "string" }, matrix: { type: "boolean" }, "runs-on": { type: "string" } },
  help: {
    ...PLANNING_HELP,
    out: "the plan file to write",
    matrix: "print a GitHub Actions matrix",
    "runs-on": "runner label for the matrix (default: ubuntu-latest)",
  },
  async run(invocation) {
    const { values, positionals } = invocation;
    noArguments(positionals);
    const out = required(values, "out");
    const made = await planOf(invocation);
    await writeJson(path.resolve(out), made);
    requireNoFailures(made.faults, made.allowFailed);
    const matrix = {
      include: made.shards
        .filter(({ id }) => id !== BASE_SHARD)
        .map(({ id }) => ({ shard: id, runs_on: optional(values, "runs-on") ?? "ubuntu-latest" })),
    };
    if (values.matrix === true) return { json: matrix, text: JSON.stringify(matrix) };
    const rows = made.shards.map((shard) => [
      shard.id,
      String(shard.programs.length),
      String(Object.keys(shard.packages).length),
      duration(shard.cost),
    ]);
    return { json: made, text: table([["shard", "programs", "packages", "estimate on one core"], ...rows]) };
  },
};

const warm: Command = {
  name: "cache warm",
  summary: "Compile one shard of a plan and write what its programs read.",
  usage: "--plan PLAN.json --source DIR --shard ID --out DIR [--store DIR]",
  options: {
    plan: { type: "string" },
    source: { type: "string" },
    shard: { type: "string" },
    out: { type: "string" },
    store: { type: "string" },
  },
  help: {
    plan: "the plan file",
    source: SELECTION_HELP.source,
    shard: "the shard's id in the plan",
    out: "the cache directory to write",
    store: PLANNING_HELP.store,
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const made = await planAt(values);
    const { root } = await goTool(progress);
    const options = {
      plan: made,
      shard: required(values, "shard"),
      source: sourceOf(values),
      goRoot: root,
      store: storeOf(values),
      progress,
    };
    const manifest = await warmShard({ ...options, out: path.resolve(required(values, "out")) });
    requireNoFailures(manifest.failed, made.allowFailed);
    return { json: manifest, text: summary(manifest) };
  },
};

const merge: Command = {
  name: "cache merge",
  summary: "Merge shards' cache directories by hard links.",
  usage: "--out DIR SHARD_DIR…",
  options: { out: { type: "string" } },
  help: { out: "the cache directory to write" },
  async run({ values, positionals }) {
    const manifest = await mergeCaches(
      path.resolve(required(values, "out")),
      positionals.map((directory) => path.resolve(directory)),
    );
    return { json: manifest, text: summary(manifest) };
  },
};

const verify: Command = {
  name: "cache verify",
  summary: "Build every program with nothing but a cache or an image: no network, and no compile action.",
  usage: "[--plan PLAN.json] --source DIR (--cache DIR | --image REF)",
  options: { ...SELECTION, plan: { type: "string" }, cache: { type: "string" }, image: { type: "string" } },
  help: {
    ...SELECTION_HELP,
    plan: "the plan file, instead of --modules",
    cache: "a cache directory",
    image: "an image, checked inside as its default user",
  },
  async run(invocation) {
    const { values, positionals, progress } = invocation;
    noArguments(positionals);
    const [directory, image] = [optional(values, "cache"), optional(values, "image")];
    if ((directory === undefined) === (image === undefined)) {
      throw new KilnError("usage", "give either --cache or --image", { mend: "See --help." });
    }
    const source = sourceOf(values);
    const { programs, contract } = await verifiedProgramsOf(values, source);
    if (directory !== undefined) {
      const cache = path.resolve(directory);
      const manifest = await readManifest(cache);
      const differences = contractDifferences(manifest.contract, contract);
      if (differences.length > 0) {
        throw new KilnError(
          "difference",
          `${cache} was warmed differently from what would be built:\n  ${differences.join("\n  ")}`,
          {
            mend: "Warm it again from a plan of this kiln.",
          },
        );
      }
      const { root } = await goTool(progress);
      const mounts = {
        contract,
        goRoot: root,
        goModCache: path.join(cache, "go-mod"),
        goBuildCache: path.join(cache, "go-build"),
      };
      return verified(await verifyCache(mounts, source, programs, progress), cache);
    }
    const engine = await readyEngine({ places: places(), progress });
    const container = { docker: engine.docker, env: engineEnvironment(engine) };
    return verified(await verifyImage(container, image ?? "", contract, source, programs, progress), image ?? "");
  },
};

function verified(verification: Verification, what: string) {
  const rows = verification.programs.map(({ directory, firstSeconds, secondSeconds, compiled, error }) => [
    directory,
    `${firstSeconds.toFixed(1)} s`,
    `${secondSeconds.toFixed(1)} s`,
    error !== undefined ? "failed" : `${compiled.length} compile actions`,
  ]);
  const text = table([["program", "first", "again", ""], ...rows]);
  if (verification.passed) return { json: verification, text: `${text}\n${what} is warm: no compile action` };
  return {
    json: verification,
    text: `${text}\n${what} is not warm:\n${describeMisses(verification)}`,
    exitCode: EXIT.difference,
  };
}

const layers: Command = {
  name: "cache layers",
  summary: "Turn a cache directory into image layers: what providers share, and one layer a provider.",
  usage: "--cache DIR --plan PLAN.json (--out OCI_LAYOUT | --push REPOSITORY)",
  options: { cache: { type: "string" }, plan: { type: "string" }, out: { type: "string" }, push: { type: "string" } },
  help: {
    cache: "the cache directory",
    plan: "the plan that it was warmed by",
    out: "an OCI layout to write",
    push: "a repository to push each layer to",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const cache = path.resolve(required(values, "cache"));
    const [out, push] = [optional(values, "out"), optional(values, "push")];
    if ((out === undefined) === (push === undefined)) {
      throw new KilnError("usage", "give either --out or --push", { mend: "See --help." });
    }
    const [manifest, made] = [await readManifest(cache), await planAt(values)];
    const differences = contractDifferences(manifest.contract, made.contract);
    if (differences.length > 0) {
      throw new KilnError("usage", `${cache} was not warmed by this plan:\n  ${differences.join("\n  ")}`, {
        mend: "Warm it by the plan, or give the plan that it was warmed by.",
      });
    }
    const scratch = path.join(places().work, "layers");
    const written: { name: string; digest: string; size: number; diffId: string; file: string; tag: string }[] = [];
    for (const layer of partition(manifest)) {
      progress.step(`layer ${layer.name}: ${layer.goBuild.length} entries, ${layer.goMod.length} modules`);
      const tag = `layer-${layer.name}-${(await layerKey(cache, layer)).slice(0, 32)}`;
      written.push({ name: layer.name, tag, ...(await writeLayer(cache, layer, path.join(scratch, `${tag}.tar.gz`))) });
    }
    const architecture = manifest.contract.goarch;
    if (out !== undefined) await writeLayout(path.resolve(out), written, architecture);
    const results: { name: string; digest: string; layer: string; size: number }[] = [];
    if (push !== undefined) {
      const client = await registryClient(progress);
      for (const layer of written) {
        const place = {
          repository: parseReference(push).repository,
          tag: layer.tag,
          architecture,
          createdBy: `kiln cache layers: ${layer.name}`,
        };
        results.push({
          name: layer.name,
          digest: await pushLayer(client, layer, place),
          layer: layer.digest,
          size: layer.size,
        });
      }
    } else {
      results.push(...written.map(({ name, digest, size: bytes }) => ({ name, digest, layer: digest, size: bytes })));
    }
    return { json: results, text: table(results.map(({ name, digest, size: bytes }) => [name, size(bytes), digest])) };
  },
};

const compose: Command = {
  name: "cache compose",
  summary: "Put a warm image together in the registry from a base and pushed layers. No layer bytes move.",
  usage: "--base REF --layers DIGEST… --to REPOSITORY[:TAG]",
  options: {
    base: { type: "string" },
    layers: { type: "string", multiple: true },
    to: { type: "string" },
    platform: { type: "string" },
  },
  help: {
    base: "the base image, by digest or tag",
    layers: "digests that `cache layers --push` printed, in order; more may follow as arguments",
    to: "where the image goes; the layers are there already",
    platform: "linux/amd64 or linux/arm64 (default: linux/amd64)",
  },
  async run({ values, positionals, progress }) {
    const to = parseReference(required(values, "to"));
    const digests = [...repeated(values, "layers"), ...positionals];
    if (digests.length === 0) throw new KilnError("usage", "--layers is missing", { mend: "See --help." });
    const client = await registryClient(progress);
    const digest = await composeInRegistry(client, {
      base: parseReference(required(values, "base")),
      layers: digests.map((text) =>
        text.includes("@") ? parseReference(text) : parseReference(`${to.repository}@${text}`),
      ),
      to,
      platform: optional(values, "platform") ?? "linux/amd64",
      labels: {},
    });
    return { json: { image: `${to.repository}@${digest}`, digest }, text: `${to.repository}@${digest}` };
  },
};

const simulate: Command = {
  name: "cache simulate",
  summary: "Plan, warm every shard, merge and verify on this machine.",
  usage: "--source DIR --modules PATTERN (--shards N | --by provider) --out DIR",
  options: { ...PLANNING, out: { type: "string" } },
  help: { ...PLANNING_HELP, out: "the merged cache directory; the plan and the shards go beside it" },
  async run(invocation) {
    const { values, positionals, progress } = invocation;
    noArguments(positionals);
    const out = path.resolve(required(values, "out"));
    const made = await planOf(invocation);
    await writeJson(`${out}.plan.json`, made);
    const source = sourceOf(values);
    const { root } = await goTool(progress);
    const directories: string[] = [];
    for (const { id } of made.shards) {
      const options = { plan: made, shard: id, source, goRoot: root, store: storeOf(values), progress };
      if (id === BASE_SHARD) {
        await compileInStore(options);
        continue;
      }
      directories.push(`${out}.shards/${id}`);
      await warmShard({ ...options, out: `${out}.shards/${id}` });
    }
    if (directories.length === 0) requireNoFailures(made.faults, []);
    progress.step("merging shards");
    const manifest = await mergeCaches(out, directories);
    progress.step("verifying without network");
    const programs = made.programs.filter((program) => manifest.modules.includes(program.directory));
    const outcome = verified(await verifyCache(mountsOf(made, root, out), source, programs, progress), out);
    requireNoFailures({ ...made.faults, ...manifest.failed }, made.allowFailed);
    return {
      ...outcome,
      json: { manifest, verification: outcome.json },
      text: `${outcome.text}\n${summary(manifest)}`,
    };
  },
};

export const cacheCommands: readonly Command[] = [modules, plan, warm, merge, verify, layers, compose, simulate];

function summary(manifest: CacheManifest): string {
  const { goBuildEntries, goModules, bytes } = manifest.counts;
  return `${manifest.modules.length} programs warm: ${goBuildEntries} build entries, ${goModules} Go modules, ${size(bytes)}`;
}

async function planOf({ values, progress }: Invocation): Promise<Plan> {
  const timings = optional(values, "timings");
  const { root } = await goTool(progress);
  const made = await makePlan({
    source: sourceOf(values),
    pattern: required(values, "modules"),
    providers: repeated(values, "provider"),
    division: divisionOf(values),
    contract: buildContract(toolVersions, process.arch === "x64" ? "amd64" : process.arch),
    goRoot: root,
    store: storeOf(values),
    ...(timings === undefined ? {} : { timings: await readTimings(timings) }),
    allowFailed: repeated(values, "allow-failed"),
    progress,
  });
  for (const [directory, fault] of unexpectedFailures(made.faults, made.allowFailed))
    progress.note(`${directory}: ${fault}`);
  return made;
}

function divisionOf(values: Invocation["values"]): Division {
  const [shards, by] = [optional(values, "shards"), optional(values, "by")];
  if ((shards === undefined) === (by === undefined)) {
    throw new KilnError("usage", "give either --shards N or --by provider", { mend: "See --help." });
  }
  if (by !== undefined) {
    if (by !== "provider")
      throw new KilnError("usage", `--by ${by}: shards are made by provider`, { mend: "Write --by provider." });
    return { by };
  }
  const count = Number(shards);
  if (!Number.isInteger(count) || count < 1) {
    throw new KilnError("usage", `--shards ${shards ?? ""} is not a number of shards`, {
      mend: "Write a whole number from 1 on.",
    });
  }
  return { count };
}

async function readTimings(file: string): Promise<Timings> {
  const document = await readJson<{ version: number; seconds?: Timings }>(
    path.resolve(file),
    "a timings file",
    TIMINGS_MEND,
  );
  return document.seconds ?? {};
}

async function planAt(values: Invocation["values"]): Promise<Plan> {
  return readJson<Plan>(path.resolve(required(values, "plan")), "a plan", PLAN_MEND);
}

/** The programs to verify and the contract to verify them under: of a plan, or of a pattern and this kiln's tools. */
async function verifiedProgramsOf(values: Invocation["values"], source: string) {
  if (optional(values, "plan") !== undefined) {
    const { programs, contract, faults } = await planAt(values);
    return { programs: programs.filter(({ directory }) => faults[directory] === undefined), contract };
  }
  const { programs } = await readPrograms(source, required(values, "modules"), repeated(values, "provider"));
  return { programs, contract: buildContract(toolVersions, process.arch === "x64" ? "amd64" : process.arch) };
}

function sourceOf(values: Invocation["values"]): string {
  return path.resolve(optional(values, "source") ?? ".");
}

function storeOf(values: Invocation["values"]): string {
  return path.resolve(optional(values, "store") ?? path.join(places().work, "store"));
}

async function registryClient(progress: Progress): Promise<RegistryClient> {
  return { regctl: (await resolveTool("regctl", { places: places(), progress })).path };
}

function goTool(progress: Progress) {
  return resolveTool("go", { places: places(), progress });
}
