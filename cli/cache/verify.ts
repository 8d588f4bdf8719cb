import path from "node:path";
import { describeMisses } from "../../cache/bake.ts";
import { CONTRACT_LABEL, contractDifferences, parseContractLabel, type BuildContract } from "../../cache/contract.ts";
import { readManifest } from "../../cache/manifest.ts";
import { matchesGlob } from "../../cache/pattern.ts";
import { readPrograms } from "../../cache/programs.ts";
import { mountsOf } from "../../cache/warm.ts";
import { verifyCache, verifyImage, type Verification } from "../../cache/verify.ts";
import { EXIT, KilnError } from "../../errors.ts";
import { readLabel } from "../../execution/docker.ts";
import { engineEnvironment, readyEngine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";
import type { Command, Invocation, Outcome } from "../command.ts";
import { noArguments, optional, repeated, required } from "../options.ts";
import { table } from "../printer.ts";
import {
  goTool,
  ownContract,
  planAt,
  requireOwnTools,
  readySource,
  SELECTION,
  SELECTION_HELP,
  TARGET,
  TARGET_HELP,
} from "./selection.ts";

/** `kiln cache verify`. */
export const verifyCommand: Command = {
  name: "cache verify",
  summary: "Build every program with nothing but a cache or an image: no network, and no compile action.",
  usage: "[--plan PLAN.json] --source DIR (--cache DIR | --image REF)",
  options: { ...SELECTION, ...TARGET, plan: { type: "string" }, cache: { type: "string" }, image: { type: "string" } },
  help: {
    ...SELECTION_HELP,
    ...TARGET_HELP,
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
    const source = await readySource(values, progress);
    const { programs, contract } = await verifiedProgramsOf(values, source);
    if (directory !== undefined) {
      const cache = path.resolve(directory);
      const manifest = await readManifest(cache);
      requireContract(cache, manifest.contract, contract);
      const { root } = await goTool(progress);
      return verified(await verifyCache(mountsOf({ contract }, root, cache), source, programs, progress), cache);
    }
    const engine = await readyEngine({ places: places(), progress });
    const label = await readLabel(engine, image ?? "", CONTRACT_LABEL);
    if (label !== undefined) requireContract(image ?? "", parseContractLabel(image ?? "", label), contract);
    const container = { docker: engine.docker, env: engineEnvironment(engine) };
    return verified(await verifyImage(container, image ?? "", contract, source, programs, progress), image ?? "");
  },
};

/** Throws where what was warmed under one contract is to be built under another: every build would be a miss. */
function requireContract(what: string, warmed: BuildContract, wanted: BuildContract): void {
  const differences = contractDifferences(warmed, wanted);
  if (differences.length === 0) return;
  throw new KilnError(
    "difference",
    `${what} was warmed differently from what would be built:\n  ${differences.join("\n  ")}`,
    { mend: "Warm it again with this kiln, or verify it with the kiln that warmed it." },
  );
}

/** The report of a verification, with exit code 3 where it did not pass. */
export function verified(verification: Verification, what: string): Outcome {
  const rows = verification.programs.map(({ directory, firstSeconds, secondSeconds, compiled, error }) => [
    directory,
    `${firstSeconds.toFixed(1)} s`,
    secondSeconds === undefined ? "" : `${secondSeconds.toFixed(1)} s`,
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

/** The programs to verify and the contract to verify them under: of a plan, or of a pattern and this kiln's tools. */
async function verifiedProgramsOf(values: Invocation["values"], source: string) {
  if (optional(values, "plan") !== undefined) {
    const plan = await planAt(values);
    requireOwnTools(plan);
    const { programs, contract, faults, allowFailed } = plan;
    const expected = programs.filter(
      ({ directory }) => faults[directory] === undefined && !allowFailed.some((glob) => matchesGlob(glob, directory)),
    );
    return { programs: expected, contract };
  }
  const { programs } = await readPrograms(source, required(values, "modules"), repeated(values, "provider"));
  return { programs, contract: ownContract(values) };
}
