import { rm } from "node:fs/promises";
import path from "node:path";
import { contractDifferences, imageEnvironment, PROGRAMS_LABEL } from "../../cache/contract.ts";
import { readGocache } from "../../cache/gocache.ts";
import type { LayerFile } from "../../cache/layer-archive.ts";
import { cacheLabels, readManifest, type CacheManifest } from "../../cache/manifest.ts";
import type { Packer } from "../../cache/packed-layer.ts";
import type { ProgramDelivery } from "../../cache/program-delivery.ts";
import { layerTag, plannedLayers, pushLayers, type PushLayersOptions } from "../../cache/push-layers.ts";
import { requireServedPacks } from "../../cache/served-packs.ts";
import { writeLayer } from "../../cache/write-layer.ts";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { composeInRegistry } from "../../registry/compose.ts";
import { parseReference } from "../../registry/image-reference.ts";
import { writeLayout } from "../../registry/layout.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command } from "../command.ts";
import { noArguments, optional, repeated, required } from "../options.ts";
import { size, table } from "../printer.ts";
import { deliveryOf, FORM, FORM_HELP, layoutOf } from "./form.ts";
import { planAt, platformOf, registryClient } from "./selection.ts";

/** What `cache layers` says of a layer; pushed, `digest` is that of the image which holds it alone. */
interface Result {
  readonly name: string;
  readonly digest: string;
  readonly layer: string;
  readonly size: number;
}

/** `kiln cache layers`. */
export const layersCommand: Command = {
  name: "cache layers",
  summary: "Turn a cache directory into image layers: what providers share, and one layer a provider.",
  usage: "--cache DIR --plan PLAN.json (--out OCI_LAYOUT | --push REPOSITORY)",
  options: {
    cache: { type: "string" },
    plan: { type: "string" },
    out: { type: "string" },
    push: { type: "string" },
    ...FORM,
  },
  help: {
    cache: "the cache directory",
    plan: "the plan that it was warmed by",
    out: "an OCI layout to write",
    push: "a repository to push each layer to",
    ...FORM_HELP,
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const cache = path.resolve(required(values, "cache"));
    const [out, push] = [optional(values, "out"), optional(values, "push")];
    if ((out === undefined) === (push === undefined)) {
      throw new KilnError("usage", "give either --out or --push", { mend: "See --help." });
    }
    const [manifest, made] = [await readManifest(cache), await planAt(values)];
    const differences = contractDifferences(manifest.contract, made.contract);
    if (differences.length > 0) {
      throw new KilnError("usage", `${cache} was not warmed by this plan:\n  ${differences.join("\n  ")}`, {
        mend: "Warm it by the plan, or give the plan that it was warmed by.",
      });
    }
    const delivery = requireDelivered(cache, manifest, deliveryOf(values));
    const packer =
      layoutOf(values) === "packed" && delivery !== "binaries" ? await readyPacker(manifest, progress) : undefined;
    const form = { cache, manifest, delivery, packer, scratch: path.join(places().work, "layers"), progress };
    const results: Result[] = [];
    if (out !== undefined) {
      const written = await writeLayers(form);
      await writeLayout(path.resolve(out), written, manifest.contract.goarch);
      for (const { name, digest, size: bytes, file } of written) {
        results.push({ name, digest, layer: digest, size: bytes });
        await rm(file, { force: true });
      }
    }
    if (push !== undefined) {
      const [client, { repository }] = [await registryClient(progress), parseReference(push)];
      for (const layer of (await pushLayers({ ...form, client, repository })).layers) {
        results.push({ name: layer.name, digest: layer.image, layer: layer.digest, size: layer.size });
      }
    }
    return { json: results, text: table(results.map(({ name, digest, size: bytes }) => [name, size(bytes), digest])) };
  },
};

/** What of a cache goes into layers. Throws where it was not warmed for that. */
function requireDelivered(cache: string, manifest: CacheManifest, wanted = manifest.delivery): ProgramDelivery {
  if (manifest.delivery === "both" || manifest.delivery === wanted) return wanted;
  throw new KilnError("usage", `${cache} was warmed for --programs ${manifest.delivery}, not for ${wanted}`, {
    mend: "Plan and warm again with the --programs that the image is to have.",
  });
}

/** The program that packs layers of a cache, on this machine. */
async function readyPacker({ contract }: CacheManifest, progress: Progress): Promise<Packer> {
  const { root: goRoot } = await resolveTool("go", { places: places(), progress });
  return (await readGocache({ places: places(), goRoot, contract, progress })).packer();
}

async function writeLayers(
  options: Omit<PushLayersOptions, "client" | "repository">,
): Promise<readonly (LayerFile & { readonly name: string })[]> {
  const { cache, packer, scratch, progress } = options;
  const written: (LayerFile & { name: string })[] = [];
  for (const layer of await plannedLayers(options)) {
    progress.step(`layer ${layer.name}: ${layer.goBuild.length} entries, ${layer.goMod.length} modules`);
    const file = path.join(scratch, `${await layerTag(cache, layer, packer)}.tar.gz`);
    written.push({ name: layer.name, ...(await writeLayer(cache, layer, packer, file)) });
  }
  return written;
}

/** `kiln cache compose`. */
export const composeCommand: Command = {
  name: "cache compose",
  summary: "Put a warm image together in the registry from a base and pushed layers. No layer bytes move.",
  usage: "--base REF --layers DIGEST… --to REPOSITORY[:TAG] [--cache DIR]",
  options: {
    base: { type: "string" },
    layers: { type: "string", multiple: true },
    to: { type: "string" },
    cache: { type: "string" },
    platform: { type: "string" },
  },
  help: {
    base: "the base image, by digest or tag",
    layers: "digests that `cache layers --push` printed, in order; more may follow as arguments",
    to: "where the image goes; the layers are there already",
    cache:
      "the cache directory of the layers: the image then says what it is warm for, which `--from` and `verify` read",
    platform: "linux/amd64 or linux/arm64 (default: this machine's)",
  },
  async run({ values, positionals, progress }) {
    const to = parseReference(required(values, "to"));
    const digests = [...repeated(values, "layers"), ...positionals];
    if (digests.length === 0) throw new KilnError("usage", "--layers is missing", { mend: "See --help." });
    const cache = optional(values, "cache");
    const manifest = cache === undefined ? undefined : await readManifest(path.resolve(cache));
    const client = await registryClient(progress);
    const digest = await composeInRegistry(client, {
      base: parseReference(required(values, "base")),
      layers: digests.map((text) =>
        text.includes("@") ? parseReference(text) : parseReference(`${to.repository}@${text}`),
      ),
      to,
      platform: platformOf(values),
      settings:
        manifest === undefined
          ? { labels: {} }
          : {
              labels: { ...cacheLabels(manifest), [PROGRAMS_LABEL]: manifest.delivery },
              environment: imageEnvironment(manifest.contract),
            },
      check: requireServedPacks,
    });
    return { json: { image: `${to.repository}@${digest}`, digest }, text: `${to.repository}@${digest}` };
  },
};
