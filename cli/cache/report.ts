import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { readManifest } from "../../cache/manifest.ts";
import { reportCache, reportImage, reportPage, reportRows } from "../../cache/report.ts";
import { KilnError } from "../../errors.ts";
import { readImage } from "../../registry/compose.ts";
import { parseReference } from "../../registry/image-reference.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import type { Command } from "../command.ts";
import { noArguments, optional } from "../options.ts";
import { size, table } from "../printer.ts";
import { registryClient } from "./selection.ts";

/** `kiln cache report`. */
export const reportCommand: Command = {
  name: "cache report",
  summary: "Show what a cache directory or an image holds, by layer.",
  usage: "(--cache DIR | --image REF [--against REF]) [--html FILE]",
  options: {
    cache: { type: "string" },
    image: { type: "string" },
    against: { type: "string" },
    html: { type: "string" },
  },
  help: {
    cache: "a cache directory",
    image: "an image in a registry",
    against: "another image: show what somebody pulls who has that one",
    html: "also write the report as a page",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const [directory, image, against] = ["cache", "image", "against"].map((name) => optional(values, name));
    if ((directory === undefined) === (image === undefined) || (directory !== undefined && against !== undefined)) {
      throw new KilnError("usage", "give either --cache, or --image with or without --against", {
        mend: "See --help.",
      });
    }
    const platform = ownPlatform();
    const read = async (reference: string) =>
      readImage(await registryClient(progress), parseReference(reference), platform);
    const report =
      directory === undefined
        ? reportImage(await read(image ?? ""), against === undefined ? undefined : await read(against))
        : await reportCache(path.resolve(directory), await readManifest(path.resolve(directory)));
    const html = optional(values, "html");
    if (html !== undefined) {
      await writeFile(`${html}.partial`, reportPage(directory ?? image ?? "", report, size));
      await rename(`${html}.partial`, html);
    }
    return { json: report, text: table(reportRows(report, size)) };
  },
};
