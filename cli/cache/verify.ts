import path from "node:path";
import { CONTRACT_LABEL, parseContractLabel, PROGRAMS_LABEL } from "../../cache/contract.ts";
import { readManifest } from "../../cache/manifest.ts";
import { describeMisses } from "../../cache/misses.ts";
import { matchesGlob } from "../../cache/pattern.ts";
import { PROGRAM_DELIVERIES, type ProgramDelivery } from "../../cache/program-delivery.ts";
import { readPrograms } from "../../cache/programs.ts";
import { mountsOf } from "../../cache/warm.ts";
import { verifyDelivery } from "../../cache/verify-delivery.ts";
import { verifyCache, type Verification } from "../../cache/verify.ts";
import { EXIT, KilnError } from "../../errors.ts";
import { readLabel } from "../../execution/docker.ts";
import { engineEnvironment, readyEngine, type Engine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";
import type { Command, Invocation, Outcome } from "../command.ts";
import { noArguments, optional, repeated, required } from "../options.ts";
import { table } from "../printer.ts";
import { CHECK_TIMES, checkTimes } from "./check-times.ts";
import {
  goTool,
  ownContract,
  planAt,
  requireContract,
  requireOwnTools,
  readySource,
  SELECTION,
  SELECTION_HELP,
  TARGET,
  TARGET_HELP,
} from "./selection.ts";
import { RECOMPILE, RECOMPILE_HELP, recompileDirectory, recompileImage, recompileRequest } from "./recompile.ts";

/** `kiln cache verify`. */
export const verifyCommand: Command = {
  name: "cache verify",
  summary: "Build every program with nothing but a cache or an image: no network, and no compile action.",
  usage: "[--plan PLAN.json] --source DIR (--cache DIR | --image REF) [--recompile all|PERCENT [--seed N]]",
  options: {
    ...{ ...SELECTION, ...TARGET, ...RECOMPILE },
    ...{ plan: { type: "string" }, cache: { type: "string" }, image: { type: "string" } },
  },
  help: {
    ...SELECTION_HELP,
    ...TARGET_HELP,
    plan: "the plan file, instead of --modules",
    cache: "a cache directory",
    image: "an image, checked inside as its default user; with --recompile, one in a registry",
    ...RECOMPILE_HELP,
  },
  async run(invocation) {
    const { values, positionals, progress } = invocation;
    noArguments(positionals);
    const [directory, image] = [optional(values, "cache"), optional(values, "image")];
    if ((directory === undefined) === (image === undefined)) {
      throw new KilnError("usage", "give either --cache or --image", { mend: "See --help." });
    }
    const request = recompileRequest(values);
    const source = await readySource(values, progress);
    const { programs, contract } = await verifiedProgramsOf(values, source);
    if (directory !== undefined) {
      const cache = path.resolve(directory);
      const manifest = await readManifest(cache);
      requireContract(cache, manifest.contract, contract);
      const { root } = await goTool(progress);
      if (request) {
        return recompileDirectory({ request, source, programs, contract, goRoot: root, progress }, cache, manifest);
      }
      return verified(await verifyCache(mountsOf({ contract }, root, cache), source, programs, progress), cache);
    }
    if (request) {
      const { root } = await goTool(progress);
      return recompileImage({ request, source, programs, contract, goRoot: root, progress }, image ?? "");
    }
    const engine = await readyEngine({ places: places(), progress });
    const label = await readLabel(engine, image ?? "", CONTRACT_LABEL);
    if (label !== undefined) requireContract(image ?? "", parseContractLabel(image ?? "", label), contract);
    const container = { docker: engine.docker, env: engineEnvironment(engine) };
    const delivered = {
      image: image ?? "",
      delivery: await deliveryOf(engine, image ?? ""),
      contract,
      source,
      programs,
    };
    return verified(await verifyDelivery(container, delivered, progress), image ?? "");
  },
};

/** What an image says of its programs; one that says nothing has caches. */
async function deliveryOf(engine: Engine, image: string): Promise<ProgramDelivery> {
  const label = await readLabel(engine, image, PROGRAMS_LABEL);
  return PROGRAM_DELIVERIES.find((known) => known === label) ?? "cache";
}

/** The report of a verification, with exit code 3 where it did not pass. */
export function verified(verification: Verification, what: string): Outcome {
  const rows = verification.programs.map((check) => [
    check.directory,
    ...checkTimes(check),
    check.error !== undefined ? "failed" : `${check.compiled.length} compile actions`,
  ]);
  const text = table([["program", ...CHECK_TIMES, ""], ...rows]);
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
