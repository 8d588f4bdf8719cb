import { stat } from "node:fs/promises";
import path from "node:path";
import { readLocalDigests } from "../../cache/local-digests.ts";
import { MANIFEST_FILE, readManifest } from "../../cache/manifest.ts";
import { packagesDocument, readPackages, type PackagesDocument } from "../../cache/packages-document.ts";
import { weighGraph } from "../../cache/plan/weighed-graph.ts";
import type { PlannedGraph } from "../../cache/planning.ts";
import { priceOf, type Price, type PricedPackage, type PriceReason } from "../../cache/price.ts";
import { mountsOf } from "../../cache/warm.ts";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { readDigest } from "../../registry/client.ts";
import { formatReference, parseReference } from "../../registry/image-reference.ts";
import { duration, size, table } from "../printer.ts";
import { registryClient } from "./selection.ts";

export interface PricedRepository {
  readonly planned: PlannedGraph;
  readonly source: string;
  readonly goRoot: string;
  readonly store: string;
}

/** What baking a plan costs where `against` (an image in a registry, or a cache directory) is there already. */
export async function readPrice(against: string, repository: PricedRepository, progress: Progress): Promise<Price> {
  const { planned, source, goRoot, store } = repository;
  const { plan, graph, timings } = planned;
  const baked = await readBaked(against, progress);
  progress.step(`comparing with ${against}`);
  const sound = plan.programs.filter(({ directory }) => plan.faults[directory] === undefined);
  const local = await readLocalDigests(mountsOf(plan, goRoot, store), source, sound);
  return priceOf({ graph: weighGraph(graph, sound, timings), contract: plan.contract, local }, baked);
}

async function readBaked(against: string, progress: Progress): Promise<PackagesDocument> {
  const directory = path.resolve(against);
  const there = await stat(path.join(directory, MANIFEST_FILE)).catch(() => undefined);
  if (there !== undefined) {
    const manifest = await readManifest(directory);
    if (manifest.delivery !== "binaries") return packagesDocument(directory, manifest);
    throw new KilnError("usage", `${against} has binaries alone, and no compiled package to compare with`, {
      mend: "Name a cache directory that was warmed with --programs cache or both.",
    });
  }
  const reference = parseReference(against);
  const client = await registryClient(progress);
  const digest = reference.digest ?? (await readDigest(client, reference));
  if (digest === undefined) {
    throw new KilnError("usage", `${formatReference(reference)} is neither in a registry nor a cache directory`, {
      mend: "Name a warm image that was pushed, or what `npx kiln cache warm` or `merge` wrote.",
    });
  }
  return readPackages(client, { repository: reference.repository, digest });
}

const SHOWN = 15;

const REASONS: Readonly<Record<PriceReason, string>> = {
  contract: "contract",
  new: "new",
  edited: "edited",
  imports: "imports one of these",
};

/** A price for a person: one line, then layers, then packages. */
export function priceText(price: Price, against: string): string {
  const { packages } = price;
  return [
    ...headLines(price, against),
    ...(price.layers.some(changed) ? ["", table([LAYER_HEAD, ...layerRows(price)])] : []),
    ...(packages.length > 0 ? ["", table([PACKAGE_HEAD, ...packageRows(packages.slice(0, SHOWN))])] : []),
    ...(packages.length > SHOWN ? [`and ${packages.length - SHOWN} more (--json lists all)`] : []),
  ].join("\n");
}

/** A price as Markdown: the comment on a pull request. */
export function priceMarkdown(price: Price, against: string): string {
  const [first = "", ...rest] = headLines(price, against);
  const { packages } = price;
  const more = packages.length > SHOWN ? [`\nand ${packages.length - SHOWN} more`] : [];
  return [
    `**${first}**`,
    ...rest,
    ...(price.layers.some(changed) ? ["", ...markdownTable([LAYER_HEAD, ...layerRows(price)])] : []),
    ...(packages.length > 0
      ? [
          "",
          `<details><summary>${count(packages.length, "package")}</summary>`,
          "",
          ...markdownTable([PACKAGE_HEAD, ...packageRows(packages.slice(0, SHOWN))]),
          ...more,
          "",
          "</details>",
        ]
      : []),
  ].join("\n");
}

function headLines(price: Price, against: string): readonly string[] {
  const { packages, seconds, programs, bytes, pushed, differences } = price;
  if (packages.length === 0 && pushed === 0) return [`Nothing to compile: ${against} has all of it.`];
  const known = packages.filter(({ measured }) => measured).length;
  const basis = known === packages.length ? "measured" : known === 0 ? "estimated" : `${known} of them measured`;
  return [
    `${count(packages.length, "package")} to compile, ${cpuTime(seconds.compile)} of CPU time (${basis}), ${size(bytes)}; ` +
      `${count(programs.length, "program")} to link, ${cpuTime(seconds.link)}; about ${size(pushed)} to push`,
    ...(differences.length > 0
      ? [`Everything, since ${against} was warmed differently: ${differences.join("; ")}`]
      : []),
  ];
}

const LAYER_HEAD = ["layer", "compiled", "CPU time", "archives", "dropped", "to push, about"];
const PACKAGE_HEAD = ["package", "layer", "why", "CPU time", "archive"];

function changed({ compiled, dropped, pushed }: Price["layers"][number]): boolean {
  return compiled + dropped + pushed > 0;
}

function layerRows({ layers }: Price): readonly (readonly string[])[] {
  return layers
    .filter(changed)
    .map(({ name, compiled, seconds, bytes, dropped, pushed }) => [
      name,
      String(compiled),
      cpuTime(seconds),
      size(bytes),
      String(dropped),
      size(pushed),
    ]);
}

function packageRows(packages: readonly PricedPackage[]): readonly (readonly string[])[] {
  return packages.map(({ key, layer, reason, seconds, bytes }) => [
    key,
    layer,
    REASONS[reason],
    cpuTime(seconds),
    size(bytes),
  ]);
}

function markdownTable([head = [], ...rows]: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

function cpuTime(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)}s` : duration(seconds);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
