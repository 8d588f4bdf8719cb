import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it, vi } from "vitest";
import { pinReport } from "../../../../cli/module/pin.ts";
import { pinBases } from "../../../../execution/module/base-pins.ts";
import {
  baseReference,
  BASES_FILE,
  isPinned,
  readBases,
  type ModuleBases,
} from "../../../../execution/module/bases.ts";
import { Builder } from "../../../../execution/module/builder.ts";
import { silent } from "../../../../progress.ts";
import { parseReference } from "../../../../registry/image-reference.ts";
import { mirroredReference } from "../../../../toolchain/base-image.ts";
import { places } from "../../../../toolchain/places.ts";
import { PROJECT } from "../../../support/checkout.ts";
import { MemoryRegistry } from "../../../support/memory-registry.ts";
import { unpinnedProject } from "../../../support/unpinned-project.ts";

const memory = vi.hoisted((): { readDigest: (...args: never[]) => unknown } => ({ readDigest: () => undefined }));
vi.mock("../../../../registry/client.ts", async (original) => ({
  ...(await original<object>()),
  readDigest: (...args: never[]) => memory.readDigest(...args),
}));

const MIRROR = "localhost:5180";

/** A registry of this machine that serves Docker Hub's images, and the others by their own names. */
function registryOf(bases: ModuleBases): MemoryRegistry {
  const registry = new MemoryRegistry();
  memory.readDigest = registry.functions.readDigest;
  for (const { image, tag } of Object.values(bases.images)) push(registry, `${image}:${tag}`, "first");
  return registry;
}

function push(registry: MemoryRegistry, image: string, content: string): void {
  const { repository, tag } = parseReference(mirroredReference(image, MIRROR));
  const config = registry.putBlob(repository, `${image} ${content}`);
  registry.putManifest(repository, { schemaVersion: 2, config, layers: [] } as never, tag);
}

it("the pins of this checkout are looked up on a loopback registry, written, checked, and what builds may be pushed on", async () => {
  const project = await unpinnedProject();
  const bases = await readBases(project);
  const registry = registryOf(bases);
  const pin = (write: boolean) =>
    pinBases(project, { client: registry.client, names: [], mirror: MIRROR, write, progress: silent });
  const module = path.join(PROJECT, "examples/iac/opentofu");
  const builder = new Builder({ places: { ...places(), project } });
  const released = () =>
    builder.build({
      ...{ directory: module, tag: "ghcr.io/o/m:1", push: true },
      engine: { docker: "/nowhere/docker", host: undefined, managed: false },
    });

  await expect(released()).rejects.toThrow("an image for a registry needs bases by digest");
  const before = await readFile(path.join(project, BASES_FILE), "utf8");
  const looked = await pin(false);
  expect(pinReport(looked, false)).toContain("`kiln module pin` writes them");
  expect(await readFile(path.join(project, BASES_FILE), "utf8")).toBe(before);

  expect(pinReport(await pin(true), true)).toContain("review and commit it");
  const pinned = await readBases(project);
  for (const name of Object.keys(bases.images)) expect(isPinned(baseReference(pinned, name)), name).toBe(true);
  expect(pinReport(await pin(false), false)).toMatch(/no changes$/);
  const { dockerfile, unpinned } = await builder.inspect(module);
  expect(unpinned).toEqual([]);
  expect(dockerfile).toContain(`ARG BASE_IMAGE=${baseReference(pinned, "debian")}`);
  // It is past the refusal, and looks for the engine.
  await expect(released()).rejects.toThrow("/nowhere/docker");

  push(registry, "docker.io/library/debian:bookworm-slim", "second");
  const moved = (await pin(false)).filter(({ before: was, digest }) => was !== digest);
  expect(moved.map(({ name }) => name)).toEqual(["debian"]);
});
