import { EXIT } from "../../errors.ts";
import { CATALOGUE_FILE } from "../../execution/language/catalogue-reading.ts";
import { pinRunnerBase } from "../../release/runner-base-pin.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command } from "../command.ts";
import { pinReport } from "../module/pin.ts";
import { noArguments } from "../options.ts";

/** `kiln language pin`: what language runners stand on, by digest. */
export const languagePinCommand: Command = {
  name: "language pin",
  summary: `Write the digest of the public base of language runners into ${CATALOGUE_FILE}.`,
  usage: "[--check]",
  options: { check: { type: "boolean" } },
  help: { check: "write nothing; exit code 3 where the digest is missing, or the tag stands for another one" },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const here = places();
    const { path: regctl } = await resolveTool("regctl", { places: here, progress });
    const write = values.check !== true;
    const mirror = process.env.KILN_DOCKER_MIRROR;
    const pin = await pinRunnerBase(here.project, { client: { regctl }, mirror, write });
    const differs = pin.before !== pin.digest;
    return {
      json: { file: CATALOGUE_FILE, written: write && differs, ...pin },
      text: pinReport([{ name: "base", ...pin }], write, { file: CATALOGUE_FILE, command: "kiln language pin" }),
      ...(differs && !write ? { exitCode: EXIT.difference } : {}),
    };
  },
};
