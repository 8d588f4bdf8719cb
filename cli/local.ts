import path from "node:path";
import { bakeIntoStack, bakeTarget, readyStackBakery, type BakeTarget, type Bakery } from "../cache/stack-bake.ts";
import { buildContract } from "../cache/contract.ts";
import { describeMisses } from "../cache/misses.ts";
import { readPrograms } from "../cache/programs.ts";
import { verifyDelivery } from "../cache/verify-delivery.ts";
import { KilnError } from "../errors.ts";
import { removeImages } from "../execution/docker.ts";
import { removeJobsNetwork } from "../execution/job/network.ts";
import type { Progress } from "../progress.ts";
import { readImage } from "../registry/compose.ts";
import { parseReference } from "../registry/image-reference.ts";
import { readProjectName, removeLocksOfTheDead } from "../release/backend/lock.ts";
import { readStackSettings, writeWarmImage } from "../release/stack-file.ts";
import { engineEnvironment, findEngine, stopEngine } from "../toolchain/docker-engine.ts";
import { managedEngineHost } from "../toolchain/managed-engine.ts";
import { readStackNames, readyStacks } from "../toolchain/local-backend.ts";
import { readyLocalEnvironment } from "../toolchain/local-environment.ts";
import { isLocalStack, LOCAL_STACK } from "../toolchain/local-stacks.ts";
import { stopRegistry } from "../toolchain/loopback-registry.ts";
import { toolVersions } from "../toolchain/pins.ts";
import { places } from "../toolchain/places.ts";
import { run } from "../toolchain/process.ts";
import { removeFolder } from "../toolchain/remove-folder.ts";
import { BAKE_FOLDERS } from "../toolchain/work-folder.ts";
import { bakeReport } from "./cache/bake.ts";
import type { Command } from "./command.ts";
import { noArguments, optional } from "./options.ts";
import { duration } from "./printer.ts";
import { runPulumi } from "./pulumi.ts";

const up: Command = {
  name: "up",
  summary: "Make this machine ready, bake where needed, and bring up a stack (default: local).",
  usage: "[--stack S]",
  options: { stack: { type: "string" } },
  help: { stack: "the stack; for any but local and local-arm64 this is plain `pulumi up` with your own login" },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const stack = optional(values, "stack") ?? LOCAL_STACK;
    if (!isLocalStack(stack)) {
      return runPulumi(stack, ["up", "--yes"], { progress, json: values.json === true });
    }
    const start = performance.now();
    const here = places();
    const settings = await readStackSettings(here.project, stack);
    progress.step("making this machine ready: tools, Docker engine, loopback registry");
    const bakery = await readyStackBakery(here, settings, progress);
    const environment = await readyLocalEnvironment(here, bakery.engine, progress);
    await readyStacks(here, environment);

    const target = bakeTarget(here, settings, { allowFailed: [] });
    const isMerged = settings.image.dockerfile === "merged";
    const baked = isMerged ? await bakeIntoStack(here, { stack, settings, target }, bakery, progress) : undefined;

    progress.step("pulumi up");
    const { changes, outputs } = await pulumiUp(here.project, stack, { ...process.env, ...environment });
    const image = String(outputs.image);
    if (baked && (changes !== "none" || !baked.reused)) {
      progress.step("checking that the runner image is the warm image that was verified");
      await requireSameLayers(bakery.client, baked.warmImage, image);
    }
    if (changes !== "none" && baked?.verification === undefined) await requireWarm(bakery, target, image, progress);
    const seconds = (performance.now() - start) / 1000;
    const text = [
      ...(baked ? [bakeReport(baked)] : []),
      `image       ${image}`,
      `${changes === "none" ? "no changes" : `changes: ${changes}`} (${duration(seconds)})`,
    ].join("\n");
    return { json: { ...baked, image, changes, outputs, seconds }, text };
  },
};

/** Throws where a program does not build from an image alone. */
async function requireWarm(bakery: Bakery, target: BakeTarget, image: string, progress: Progress): Promise<void> {
  progress.step("verifying inside the image, without network");
  const { programs } = await readPrograms(target.source, target.pattern);
  const contract = buildContract(toolVersions, target.platform.replace(/^.*\//, ""), target.tags);
  const engine = { docker: bakery.engine.docker, env: engineEnvironment(bakery.engine) };
  const verification = await verifyDelivery(engine, { ...target, image, contract, programs }, progress);
  if (!verification.passed) throw new KilnError("difference", `${image} is not warm:\n${describeMisses(verification)}`);
}

/** Runs `pulumi up` and gives its changes in words (`none`, or `2 create, 1 update`) and the stack's outputs. */
async function pulumiUp(
  project: string,
  stack: string,
  env: NodeJS.ProcessEnv,
): Promise<{ changes: string; outputs: Readonly<Record<string, unknown>> }> {
  const options = { cwd: project, env };
  const attempt = () =>
    run("pulumi", ["up", "--stack", stack, "--yes", "--non-interactive", "--skip-preview", "--color", "never"], {
      ...options,
      allowFailure: true,
    });
  let result = await attempt();
  if (result.code !== 0 && (result.stdout + result.stderr).includes("currently locked by")) {
    const query = { url: env.PULUMI_BACKEND_URL ?? "", project: await readProjectName(project), stack };
    if (await removeLocksOfTheDead({ ...query, directory: project, env })) result = await attempt();
  }
  if (result.code !== 0) {
    throw new KilnError("failed", `pulumi up failed:\n${`${result.stdout}\n${result.stderr}`.trim()}`, {
      mend: `Run \`eval "$(npx kiln env)"\` and \`pulumi up -s ${stack}\` to see it by hand.`,
    });
  }
  const summary = result.stdout.split(/^Resources:$/m)[1] ?? "";
  const counts = [...summary.matchAll(/^\s+[-+~]+\s*(\d+) (created|updated|deleted|replaced)/gm)];
  const { stdout } = await run("pulumi", ["stack", "output", "--stack", stack, "--json", "--non-interactive"], options);
  return {
    changes: counts.map(([, count, verb]) => `${count ?? ""} ${verb ?? ""}`).join(", ") || "none",
    outputs: JSON.parse(stdout) as Record<string, unknown>,
  };
}

/** Checks that an image has exactly the file-system layers of the warm image that passed. */
async function requireSameLayers(client: { regctl: string }, warmImage: string, image: string): Promise<void> {
  const [warm, runner] = await Promise.all(
    [warmImage, image].map(async (text) => (await readImage(client, parseReference(text))).config.rootfs.diff_ids),
  );
  if (JSON.stringify(warm) !== JSON.stringify(runner)) {
    throw new KilnError("difference", `${image} does not have the layers of ${warmImage}`, {
      mend: "images/iac-runner/Dockerfile.merged must hold nothing but FROM, ARG and LABEL.",
    });
  }
}

const down: Command = {
  name: "down",
  summary: "Remove all that `up` made of the local stack: resources, registry, engine, state.",
  usage: "",
  options: {},
  help: {},
  async run({ positionals, progress }) {
    noArguments(positionals);
    const here = places();
    progress.step("stopping the loopback registry and the engine that kiln started");
    const engine = await findEngine({
      ...process.env,
      DOCKER_HOST: process.env.DOCKER_HOST ?? managedEngineHost(here),
    });
    const settings = await readStackSettings(here.project, LOCAL_STACK).catch(() => undefined);
    if (engine && settings) await removeImages(engine, `${settings.registry}/kiln/`);
    if (engine) await removeJobsNetwork({ docker: engine.docker, env: engineEnvironment(engine) });
    const stopped = [
      (await stopRegistry({ places: here })) ? "registry" : "",
      (await stopEngine({ places: here })) ? "engine" : "",
    ];
    for (const stack of (await readStackNames(here.project)).filter(isLocalStack)) {
      await writeWarmImage(here.project, stack, undefined);
    }
    progress.step("removing state and work folders");
    for (const folder of [here.state, ...BAKE_FOLDERS.map((name) => path.join(here.work, name))]) {
      await removeFolder(folder);
    }
    const names = stopped.filter((name) => name !== "");
    return {
      json: { stopped: names, removed: [here.state] },
      text: `${names.length > 0 ? `stopped ${names.join(" and ")}; ` : ""}removed the local stack. Tools stay in ${here.cache}.`,
    };
  },
};

export const localCommands: readonly Command[] = [up, down];
