import { KilnError } from "../../errors.ts";
import { promote, type Promotion } from "../../release/promote.ts";
import { stackFile } from "../../settings.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command } from "../command.ts";
import { noArguments, required } from "../options.ts";
import { size, table } from "../printer.ts";
import { notaryHere } from "./notary.ts";
import { readyPromotionRequest } from "./promotion-request.ts";

/** `kiln release promote`. */
export const promoteCommand: Command = {
  name: "release promote",
  summary: "Take a stack's verified warm image to another stack: copy it, check the copy, write its digest.",
  usage: "--from S --to S [--dry-run | --pull-request]",
  options: {
    from: { type: "string" },
    to: { type: "string" },
    "dry-run": { type: "boolean" },
    "pull-request": { type: "boolean" },
  },
  help: {
    from: "the stack whose warm image is taken",
    to: "the stack that gets it",
    "dry-run": "say what would be copied and what would change, and change nothing",
    "pull-request": "open or update a pull request that changes the target's file on the default branch",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const [from, to] = [required(values, "from"), required(values, "to")];
    const here = places();
    const dryRun = values["dry-run"] === true;
    if (dryRun && values["pull-request"] === true) {
      throw new KilnError("usage", "--pull-request goes without --dry-run", { mend: "See --help." });
    }
    const request =
      values["pull-request"] === true ? await readyPromotionRequest(here.project, process.env) : undefined;
    const { path: regctl } = await resolveTool("regctl", { places: here, progress });
    const promotion = await promote({
      ...{ client: { regctl }, notary: notaryHere(here, progress), project: here.project },
      ...{ from, to, dryRun, progress },
    });
    if (request === undefined) return { json: promotion, text: promotionReport(promotion) };
    const changes = promotionTable(promotion);
    const { pullRequest, text } = await request.open(promotion, changes, progress);
    return { json: { ...promotion, pullRequest }, text: `${changes}\n${text}` };
  },
};

/** What a promotion changed and what is next, in lines for a person. */
export function promotionReport(promotion: Promotion): string {
  return `${promotionTable(promotion)}\n${ending(promotion)}`;
}

function promotionTable(promotion: Promotion): string {
  const { from, to, warmImage, before, verification, signedBy, copied, fileSystem, change, dryRun } = promotion;
  const { programs, record } = verification;
  const nothing = copied.blobs === 0 && copied.attached.length === 0;
  const amount = `${copied.blobs} blobs (${size(copied.bytes)}), ${copied.attached.length} attached`;
  const rows = [
    ["warm image", warmImage],
    ...(before === warmImage ? [] : [["was", before ?? "not set"]]),
    [
      "verified",
      `${programs.length} programs, ${verification.compileActions} compile actions${verification.emulated === true ? ", under emulation" : ""}; record ${record}`,
    ],
    ["signed", signedBy === undefined ? `not asked for: ${stackFile(to)} has no kiln:signatures` : `by ${signedBy}`],
    [dryRun ? "to copy" : "copied", nothing ? "nothing: the registry has it" : amount],
    ["layers", `${fileSystem.count} equal file-system layers in ${from} and ${to}; list ${fileSystem.digest}`],
    ...change.layers.added.map(({ name, bytes }) => ["", `+ ${name}  ${size(bytes)}`]),
    ...change.layers.removed.map(({ name, bytes }) => ["", `- ${name}  ${size(bytes)}`]),
    ["to pull", `${size(change.bytesToPull)} on a machine that has ${before === undefined ? "none" : "the old image"}`],
    ...change.programs.added.map((program) => ["program", `+ ${program}`]),
    ...change.programs.removed.map((program) => ["program", `- ${program}`]),
    ...change.contract.map((difference) => ["contract", difference]),
  ];
  return table(rows);
}

function ending({ to, before, warmImage, unchanged, dryRun }: Promotion): string {
  if (unchanged) return "no changes";
  const file = stackFile(to);
  if (dryRun) return `dry run: nothing was copied, ${file} is as it was`;
  if (before === warmImage) return `${file} said so already; what its registry lacked is there now`;
  return `wrote ${file}: commit it, then \`pulumi up -s ${to}\`. A rollback is a revert of that commit.`;
}
