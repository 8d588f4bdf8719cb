import path from "node:path";
import {
  buildContract,
  CONTRACT_LABEL,
  MODULES_LABEL,
  parseContractLabel,
  tagsOfContract,
} from "../../cache/contract.ts";
import { cacheBuild, imageBuild } from "../../cache/explain/site.ts";
import { explain, programDirectory, type Explanation } from "../../cache/explain/explain.ts";
import { readManifest } from "../../cache/manifest.ts";
import { readGoModuleOf } from "../../cache/source-files.ts";
import { withStagedSource } from "../../cache/staged-source.ts";
import { EXIT, KilnError } from "../../errors.ts";
import { readLabel } from "../../execution/docker.ts";
import type { Progress } from "../../progress.ts";
import { engineEnvironment, readyEngine } from "../../toolchain/docker-engine.ts";
import { toolVersions } from "../../toolchain/pins.ts";
import { places } from "../../toolchain/places.ts";
import type { Command, Outcome } from "../command.ts";
import { noArguments, optional, required } from "../options.ts";
import { goTool, ownContract, readySource, SELECTION_HELP } from "./selection.ts";

/** `kiln cache explain`. */
export const explainCommand: Command = {
  name: "cache explain",
  summary: "Say why a build of one program would compile: the first input that differs from its warming.",
  usage: "(--cache DIR | --image REF) --module DIR [--source DIR]",
  options: {
    cache: { type: "string" },
    image: { type: "string" },
    module: { type: "string" },
    source: { type: "string" },
  },
  help: {
    cache: "a cache directory; the Go settings of this shell count as well",
    image: "an image, asked inside as its default user",
    module: "the directory of one Go program, relative to --source",
    source: SELECTION_HELP.source,
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const [cache, image] = [optional(values, "cache"), optional(values, "image")];
    if ((cache === undefined) === (image === undefined)) {
      throw new KilnError("usage", "give either --cache or --image", { mend: "See --help." });
    }
    const module = required(values, "module");
    const source = await readySource(values, progress);
    if (cache !== undefined) return outcomeOf(await explainCache(path.resolve(cache), source, module, progress));
    return outcomeOf(await explainImage(image ?? "", source, module, progress));
  },
};

async function explainCache(cache: string, source: string, module: string, progress: Progress): Promise<Explanation> {
  const manifest = await readManifest(cache);
  const directory = await programDirectory(source, module, manifest.modules);
  progress.step(`comparing ${directory} with its warming`);
  const { root: goRoot } = await goTool(progress);
  // Platform and tags were chosen at warming: they are no fault of this machine.
  const contract = buildContract(toolVersions, manifest.contract.goarch, tagsOfContract(manifest.contract));
  const present = await cacheBuild({ cache, manifest, goRoot, contract, source, directory, progress });
  return explain({ ...manifest, inputs: manifest.inputs }, present, source, directory);
}

async function explainImage(image: string, source: string, module: string, progress: Progress): Promise<Explanation> {
  await programDirectory(source, module, []);
  const engine = await readyEngine({ places: places(), progress });
  const [label, warm] = await Promise.all([
    readLabel(engine, image, CONTRACT_LABEL),
    readLabel(engine, image, MODULES_LABEL),
  ]);
  const modules = (warm ?? "").split(",").filter((name) => name !== "");
  const directory = await programDirectory(source, module, modules);
  progress.step(`comparing ${directory} with its warming, inside the image`);
  const program = { provider: "", module: "", directory, goModule: await readGoModuleOf(source, directory) };
  return withStagedSource(source, [program], async (staged) => {
    const { warmed, present } = await imageBuild({
      ...{ image, modules, source, staged, directory, progress },
      engine: { docker: engine.docker, env: engineEnvironment(engine) },
      contract: label === undefined || label === "" ? ownContract({}) : parseContractLabel(image, label),
    });
    return explain(warmed, present, source, directory);
  });
}

const SHOWN = 12;

/** The one line first, then how much would be compiled, what else differs and what Go says. */
export function outcomeOf(explanation: Explanation): Outcome {
  const { line, warm, compiles, differences, fault } = explanation;
  const details: string[] = [];
  if (compiles !== undefined && !warm && fault === undefined) {
    const { packages, of } = compiles;
    const more = packages.length > SHOWN ? ` and ${packages.length - SHOWN} more (--json lists all)` : "";
    const named = `up to ${packages.length} of ${of} packages: ${packages.slice(0, SHOWN).join(", ")}${more}`;
    details.push(packages.length === 0 ? `the entries of all ${of} packages are there all the same` : named);
  }
  const others = differences.filter((difference) => difference.line !== line);
  const word = warm ? "without effect" : "also";
  for (const difference of others.slice(0, SHOWN)) details.push(`${word}: ${difference.line}`);
  if (others.length > SHOWN) details.push(`${word}: ${others.length - SHOWN} more differences (--json lists all)`);
  if (fault !== undefined && !line.includes(fault)) details.push(`Go says: ${fault.replaceAll("\n", "\n    ")}`);
  return {
    json: explanation,
    text: [line, ...details.map((detail) => `  ${detail}`)].join("\n"),
    ...(warm ? {} : { exitCode: EXIT.difference }),
  };
}
