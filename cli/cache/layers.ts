import path from "node:path";
import { contractDifferences } from "../../cache/contract.ts";
import { layerKey, partition, writeLayer } from "../../cache/layers.ts";
import { readManifest } from "../../cache/manifest.ts";
import { KilnError } from "../../errors.ts";
import { composeInRegistry } from "../../registry/compose.ts";
import { parseReference } from "../../registry/image-reference.ts";
import { writeLayout } from "../../registry/layout.ts";
import { pushLayer } from "../../registry/push-layer.ts";
import { places } from "../../toolchain/places.ts";
import type { Command } from "../command.ts";
import { noArguments, optional, repeated, required } from "../options.ts";
import { size, table } from "../printer.ts";
import { planAt, registryClient } from "./selection.ts";

/** `kiln cache layers`. */
export const layersCommand: Command = {
  name: "cache layers",
  summary: "Turn a cache directory into image layers: what providers share, and one layer a provider.",
  usage: "--cache DIR --plan PLAN.json (--out OCI_LAYOUT | --push REPOSITORY)",
  options: { cache: { type: "string" }, plan: { type: "string" }, out: { type: "string" }, push: { type: "string" } },
  help: {
    cache: "the cache directory",
    plan: "the plan that it was warmed by",
    out: "an OCI layout to write",
    push: "a repository to push each layer to",
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
    const scratch = path.join(places().work, "layers");
    const written: { name: string; digest: string; size: number; diffId: string; file: string; tag: string }[] = [];
    for (const layer of partition(manifest)) {
      progress.step(`layer ${layer.name}: ${layer.goBuild.length} entries, ${layer.goMod.length} modules`);
      const tag = `layer-${layer.name}-${(await layerKey(cache, layer)).slice(0, 32)}`;
      written.push({ name: layer.name, tag, ...(await writeLayer(cache, layer, path.join(scratch, `${tag}.tar.gz`))) });
    }
    const architecture = manifest.contract.goarch;
    if (out !== undefined) await writeLayout(path.resolve(out), written, architecture);
    const results: { name: string; digest: string; layer: string; size: number }[] = [];
    if (push !== undefined) {
      const client = await registryClient(progress);
      for (const layer of written) {
        const place = {
          repository: parseReference(push).repository,
          tag: layer.tag,
          architecture,
          createdBy: `kiln cache layers: ${layer.name}`,
        };
        results.push({
          name: layer.name,
          digest: await pushLayer(client, layer, place),
          layer: layer.digest,
          size: layer.size,
        });
      }
    } else {
      results.push(...written.map(({ name, digest, size: bytes }) => ({ name, digest, layer: digest, size: bytes })));
    }
    return { json: results, text: table(results.map(({ name, digest, size: bytes }) => [name, size(bytes), digest])) };
  },
};

/** `kiln cache compose`. */
export const composeCommand: Command = {
  name: "cache compose",
  summary: "Put a warm image together in the registry from a base and pushed layers. No layer bytes move.",
  usage: "--base REF --layers DIGEST… --to REPOSITORY[:TAG]",
  options: {
    base: { type: "string" },
    layers: { type: "string", multiple: true },
    to: { type: "string" },
    platform: { type: "string" },
  },
  help: {
    base: "the base image, by digest or tag",
    layers: "digests that `cache layers --push` printed, in order; more may follow as arguments",
    to: "where the image goes; the layers are there already",
    platform: "linux/amd64 or linux/arm64 (default: linux/amd64)",
  },
  async run({ values, positionals, progress }) {
    const to = parseReference(required(values, "to"));
    const digests = [...repeated(values, "layers"), ...positionals];
    if (digests.length === 0) throw new KilnError("usage", "--layers is missing", { mend: "See --help." });
    const client = await registryClient(progress);
    const digest = await composeInRegistry(client, {
      base: parseReference(required(values, "base")),
      layers: digests.map((text) =>
        text.includes("@") ? parseReference(text) : parseReference(`${to.repository}@${text}`),
      ),
      to,
      platform: optional(values, "platform") ?? "linux/amd64",
      labels: {},
    });
    return { json: { image: `${to.repository}@${digest}`, digest }, text: `${to.repository}@${digest}` };
  },
};
