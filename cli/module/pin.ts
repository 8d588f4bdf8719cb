import { pinBases, type BasePin } from "../../execution/module/base-pins.ts";
import { BASES_FILE } from "../../execution/module/bases.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command } from "../command.ts";
import { table } from "../printer.ts";

/** `kiln module pin`: what module images stand on, by digest. */
export const pinCommand: Command = {
  name: "module pin",
  summary: "Write the digests of the public base images of modules into images/iac-module/bases.json.",
  usage: "[NAME…] [--check]",
  options: { check: { type: "boolean" } },
  help: { check: "write nothing; exit code 3 where a digest is missing, or the tag stands for another one" },
  async run({ values, positionals, progress }) {
    const here = places();
    const { path: regctl } = await resolveTool("regctl", { places: here, progress });
    const write = values.check !== true;
    const mirror = process.env.KILN_DOCKER_MIRROR;
    const pins = await pinBases(here.project, { client: { regctl }, names: positionals, mirror, write, progress });
    const differs = pins.some(isOther);
    const json = { file: BASES_FILE, written: write && differs, images: pins };
    return { json, text: pinReport(pins, write), ...(differs && !write ? { exitCode: 3 } : {}) };
  },
};

/** Which digests are other ones, in lines for a person. */
export function pinReport(
  pins: readonly BasePin[],
  written: boolean,
  { file, command } = { file: BASES_FILE, command: "kiln module pin" },
): string {
  const rows = pins.map(({ name, image, before, digest }) => {
    const was = before === digest ? "as it was" : before === null ? "new" : `was ${before}`;
    return [name, image, digest, was];
  });
  const count = pins.filter(isOther).length;
  const ending =
    count === 0
      ? "no changes"
      : written
        ? `wrote ${file}: review and commit it. Builds take these images from now on.`
        : `${count} of ${pins.length} differ: \`${command}\` writes them`;
  return `${table(rows)}\n${ending}`;
}

function isOther({ before, digest }: BasePin): boolean {
  return before !== digest;
}
