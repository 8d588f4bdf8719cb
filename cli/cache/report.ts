import { lstat, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Contents } from "../../cache/report/contents.ts";
import { reportPage } from "../../cache/report/page.ts";
import {
  isCacheDirectory,
  readCacheContents,
  readImageContents,
  readVerification,
  type ReadOptions,
} from "../../cache/report/read-contents.ts";
import { reportRows } from "../../cache/report.ts";
import { readTimings } from "../../cache/timings.ts";
import { KilnError } from "../../errors.ts";
import type { Command } from "../command.ts";
import { noArguments, optional } from "../options.ts";
import { size, table } from "../printer.ts";
import { platformOf, registryClient, STORE_HELP, storeOf, TARGET_HELP } from "./selection.ts";

/** `kiln cache report`. */
export const reportCommand: Command = {
  name: "cache report",
  summary: "Show what a cache directory or an image holds, by layer, and on a page by provider, module and package.",
  usage: "(--cache DIR | --image REF) [--against REF|DIR] [--html FILE [--store DIR] [--verification FILE]]",
  options: {
    cache: { type: "string" },
    image: { type: "string" },
    against: { type: "string" },
    platform: { type: "string" },
    html: { type: "string" },
    store: { type: "string" },
    verification: { type: "string" },
  },
  help: {
    cache: "a cache directory",
    image: "an image in a registry",
    against:
      "another image or cache directory: show what changed, and of an image what somebody pulls who has that one",
    platform: TARGET_HELP.platform,
    html: "also write the report as one page that needs no network",
    store: `${STORE_HELP}, whose compile times the page shows`,
    verification: "what `kiln cache verify --json` printed, whose build times the page shows",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const [directory, image, against, html, verification] = ["cache", "image", "against", "html", "verification"].map(
      (name) => optional(values, name),
    );
    const shown = directory ?? image;
    if (shown === undefined || (directory !== undefined && image !== undefined)) {
      throw new KilnError("usage", "give either --cache or --image", { mend: "See --help." });
    }
    const client = () => registryClient(progress);
    const options: ReadOptions = { client, platform: platformOf(values), sizes: html !== undefined, progress };
    const { contents, other } = await readBoth({ shown, isImage: image !== undefined, against }, options);
    if (html !== undefined) {
      const measured = {
        timings: await readTimings(storeOf(values)),
        verification: verification === undefined ? undefined : await readVerification(verification),
      };
      await writePage(path.resolve(html), reportPage({ contents, against: other, size, ...measured }));
    }
    const { sizes } = contents;
    const json = { ...contents.report, ...(sizes === undefined ? {} : { sizes }) };
    return { json, text: table(reportRows(contents.report, size)) };
  },
};

/** What is shown and what it is compared with, each a cache directory or an image. */
async function readBoth(
  names: { readonly shown: string; readonly isImage: boolean; readonly against: string | undefined },
  options: ReadOptions,
): Promise<{ readonly contents: Contents; readonly other: Contents | undefined }> {
  const { shown, isImage, against } = names;
  const older =
    against === undefined
      ? undefined
      : (await isCacheDirectory(against))
        ? { contents: await readCacheContents(path.resolve(against), options), image: undefined }
        : await readImageContents(against, undefined, options);
  const contents = isImage
    ? (await readImageContents(shown, older?.image, options)).contents
    : await readCacheContents(path.resolve(shown), options);
  return { contents, other: older?.contents };
}

async function writePage(file: string, page: string): Promise<void> {
  const there = await lstat(file).catch(() => undefined);
  if (there !== undefined && !there.isFile()) {
    throw new KilnError("usage", `${file} is no file, and kiln will not replace it`, {
      mend: "Choose another --html.",
    });
  }
  await writeFile(`${file}.partial`, page);
  await rename(`${file}.partial`, file);
}
