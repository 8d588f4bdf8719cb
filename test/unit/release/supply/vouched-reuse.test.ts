import { beforeEach, describe, expect, it, vi } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { silent } from "../../../../progress.ts";
import { attachBundle } from "../../../../release/supply/bundle.ts";
import type { Signer } from "../../../../release/supply/cosign.ts";
import { commitMaterial, LOCAL_BUILDER } from "../../../../release/supply/provenance.ts";
import { REUSE_PREDICATE, vouchedReuse, type VouchedReuseOptions } from "../../../../release/supply/vouched-reuse.ts";
import { useMemory } from "../../../support/memory-client.ts";
import { MemoryNotary } from "../../../support/memory-notary.ts";
import { MemoryRegistry } from "../../../support/memory-registry.ts";
import { KEY, sealInMemory } from "../../../support/sealed-image.ts";
import { putWarmImage } from "../../../support/warm-image.ts";

vi.mock("../../../../registry/client.ts", async (original) =>
  (await import("../../../support/memory-client.ts")).clientInMemory(original),
);

const REPOSITORY = "localhost:5181/kiln/base-images/iac-runner-warm";
const TAG = "base-0123456789abcdef";
const COMMIT = "c".repeat(40);
const OURS: Signer = { kind: "key", key: "cosign.pub" };

let registry: MemoryRegistry;
let notary: MemoryNotary;
let image: { readonly repository: string; readonly digest: string };
let notes: string[];

beforeEach(() => {
  registry = new MemoryRegistry();
  notary = new MemoryNotary();
  useMemory(registry);
  image = { repository: REPOSITORY, digest: putWarmImage(registry, REPOSITORY) };
  notes = [];
});

const reuse = (signer: Signer | KilnError = OURS, options: Partial<VouchedReuseOptions> = {}) =>
  vouchedReuse({
    ...{ client: registry.client, notary, policy: KEY },
    signer: () => (signer instanceof KilnError ? Promise.reject(signer) : Promise.resolve(signer)),
    progress: { ...silent, note: (text) => void notes.push(text) },
    ...options,
  });
const attached = () => registry.repository(REPOSITORY).manifests.size - 1;

describe("what is taken from a registry", () => {
  it("is what the stack's signer vouches for, without a word", async () => {
    await reuse().vouch(image, TAG);
    expect(await reuse().takes(image, TAG)).toBe(true);
    await reuse().vouch(image, TAG);
    expect([notes, attached(), notary.signed]).toEqual([[], 1, 1]);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ["that nobody signed", () => Promise.resolve(), "it has no signature for that tag"],
    [
      "that somebody else signed",
      () => reuse({ kind: "key", key: "other.pub" }, { policy: { kind: "key", key: "other.pub" } }).vouch(image, TAG),
      "it has a signature that does not stand: accepted signatures do not match threshold",
    ],
    ["that was signed for another tag", () => reuse().vouch(image, "base-old"), "it has no signature for that tag"],
    ["that is sealed alone", () => sealInMemory(registry, notary, image), "it has no signature for that tag"],
    [
      "with a signature of another image",
      async () => {
        const other = { repository: REPOSITORY, digest: putWarmImage(registry, REPOSITORY, { layers: ["other"] }) };
        await reuse().vouch(other, TAG);
        const blobs = [...registry.repository(REPOSITORY).blobs.values()];
        const text = blobs.find((blob) => blob.includes("dsseEnvelope")) ?? "";
        await attachBundle(registry.client, image, text, REUSE_PREDICATE);
      },
      "it has no signature for that tag",
    ],
  ])("is no base or shard %s, and a line says so", async (_, prepare, reason) => {
    await prepare();
    notes.length = 0;
    expect(await reuse().takes(image, TAG)).toBe(false);
    expect(notes).toEqual([`${REPOSITORY}:${TAG} is made anew and not taken: ${reason}`]);
  });

  it("is no warm image that is sealed of the very commit that is built: anybody can copy one under another's tag", async () => {
    const materials = [commitMaterial(undefined, COMMIT)];
    const facts = { builder: { id: LOCAL_BUILDER }, version: "0.1.0", parameters: {}, materials };
    await sealInMemory(registry, notary, image, { facts });
    const tag = "inputs-0";
    expect(await reuse().takes(image, tag)).toBe(false);
    await reuse().vouch(image, tag);
    expect(await reuse().takes(image, tag)).toBe(true);
    expect(await reuse().takes(image, "inputs-1")).toBe(false);
  });

  it("is nothing of which nobody can say here whether it is signed", async () => {
    await reuse().vouch(image, TAG);
    await sealInMemory(registry, notary, image);
    const unreachable = new KilnError("unreachable", "signatures cannot be verified: no trust root");
    vi.spyOn(notary, "faultOf").mockRejectedValue(unreachable);
    expect(await reuse().takes(image, TAG)).toBe(false);
    expect(notes[0]).toContain("it is not known to be signed: signatures cannot be verified: no trust root");
  });
});

describe("what is made", () => {
  it.each<[string, Signer | KilnError, Partial<VouchedReuseOptions>, string]>([
    ["where there is nobody to sign as", new KilnError("usage", "there is nobody to sign as"), {}, "nobody to sign as"],
    ["where an issuer would put into a public log what a key was to sign", { kind: "oidc" }, {}, "signed here as key"],
    [
      "where a key would sign for a workflow",
      OURS,
      { policy: { kind: "keyless", identities: ["https://example.com/workflow"], issuer: "https://example.com" } },
      "signed here as keyless",
    ],
    ["where another key signs", { kind: "key", key: "mine.pub" }, {}, "was not signed as the stack demands"],
  ])("is left unsigned, with a line, %s", async (_, signer, options, said) => {
    await reuse(signer, options).vouch(image, TAG);
    expect(notes).toEqual([expect.stringContaining(`${TAG} will be made anew by the next job: it `)]);
    expect(notes[0]).toContain(said);
    expect(attached()).toBe(0);
  });
});
