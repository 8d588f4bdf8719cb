import { beforeEach, describe, expect, it, vi } from "vitest";
import { KilnError } from "../../../../errors.ts";
import type { ImageManifest } from "../../../../registry/client.ts";
import { attachBundle, BUNDLE_TYPE, readBundles } from "../../../../release/supply/bundle.ts";
import { readSealState, requireSeal } from "../../../../release/supply/seal-faults.ts";
import { PREDICATES, statementOf, type SealPart } from "../../../../release/supply/statement.ts";
import type { SignaturePolicy } from "../../../../settings/signatures.ts";
import { memory, useMemory } from "../../../support/memory-client.ts";
import { putAny } from "../../../support/memory-manifests.ts";
import { MemoryNotary } from "../../../support/memory-notary.ts";
import { MemoryRegistry } from "../../../support/memory-registry.ts";
import { KEY, sealInMemory } from "../../../support/sealed-image.ts";
import { putWarmImage } from "../../../support/warm-image.ts";

vi.mock("../../../../registry/client.ts", async (original) =>
  (await import("../../../support/memory-client.ts")).clientInMemory(original),
);

const WARM = "localhost:5181/kiln/base-images/iac-runner-warm";
const RUNNER = "localhost:5181/kiln/base-images/iac-runner";

let registry: MemoryRegistry;
let notary: MemoryNotary;
let image: { readonly repository: string; readonly digest: string };

beforeEach(() => {
  registry = new MemoryRegistry();
  notary = new MemoryNotary();
  useMemory(registry);
  image = { repository: WARM, digest: putWarmImage(registry, WARM) };
});

const sealed = (options?: Parameters<typeof sealInMemory>[3]) => sealInMemory(registry, notary, image, options);
const faults = async (policy: SignaturePolicy = KEY, of = image) =>
  (await readSealState({ client: registry.client, notary, policy }, of)).faults;

/** The manifest by which a part is attached. */
async function referrer(part: SealPart): Promise<{ readonly digest: string; readonly manifest: ImageManifest }> {
  const { bundles } = await readBundles(registry.client, image);
  const digest = bundles.find(({ statement }) => statement.predicateType === PREDICATES[part])?.digest ?? "";
  const manifest = JSON.parse(registry.repository(WARM).manifests.get(digest) ?? "") as ImageManifest;
  return { digest, manifest };
}

/** Puts another text in the place of a part's bundle, as whoever may push to the repository can. */
async function replace(part: SealPart, change: (text: string) => string): Promise<void> {
  const { digest, manifest } = await referrer(part);
  const repository = registry.repository(WARM);
  const text = change(repository.blobs.get(manifest.layers[0]?.digest ?? "") ?? "");
  repository.manifests.delete(digest);
  registry.putManifest(WARM, { ...manifest, layers: [registry.putBlob(WARM, text)] });
}

/** A bundle with a statement that was changed after it was signed. */
const altered = (from: string, to: string) => (text: string) => {
  const bundle = JSON.parse(text) as { dsseEnvelope: { payload: string } };
  const payload = Buffer.from(bundle.dsseEnvelope.payload, "base64").toString().replace(from, to);
  return JSON.stringify({ dsseEnvelope: { ...bundle.dsseEnvelope, payload: Buffer.from(payload).toString("base64") } });
};

describe("a seal", () => {
  it("is a list of packages, provenance and a signature, read back by digest, and added once", async () => {
    const [first] = await sealed();
    expect(first).toMatchObject({ image: `${WARM}@${image.digest}`, added: ["sbom", "provenance", "signature"] });
    expect(await faults()).toEqual([]);
    const { manifest } = await referrer("provenance");
    expect(manifest).toMatchObject({
      artifactType: BUNDLE_TYPE,
      subject: { digest: image.digest },
      annotations: { "dev.sigstore.bundle.predicateType": PREDICATES.provenance },
    });
    const [second] = await sealed();
    expect(second).toEqual({ ...first, added: [] });
    expect(notary.signed).toBe(3);
  });

  it("is completed where a part of it went", async () => {
    await sealed();
    registry.repository(WARM).manifests.delete((await referrer("sbom")).digest);
    expect(await sealed()).toMatchObject([{ added: ["sbom"] }]);
    expect(await faults()).toEqual([]);
  });

  it("of a runner takes the packages of the warm image with the same layers, without reading them again", async () => {
    await sealed();
    const warm = JSON.parse(registry.repository(WARM).manifests.get(image.digest) ?? "") as ImageManifest;
    const config = JSON.parse(registry.repository(WARM).blobs.get(warm.config.digest) ?? "") as object;
    const Labels = { "org.opencontainers.image.base.name": `${WARM}@${image.digest}` };
    const text = JSON.stringify({ ...config, config: { Labels } });
    const runner = {
      repository: RUNNER,
      digest: registry.putManifest(RUNNER, { ...warm, config: registry.putBlob(RUNNER, text) }),
    };
    const readPackages = vi.fn();
    await sealInMemory(registry, notary, runner, { readPackages });
    expect(readPackages).not.toHaveBeenCalled();
    const state = await readSealState({ client: registry.client, notary, policy: KEY }, runner);
    const list = state.sound.find(({ part }) => part === "sbom")?.bundle.statement.predicate;
    expect(list?.packages).toMatchObject([{ name: RUNNER }, { name: "github.com/acme/tool" }]);
    const built = state.sound.find(({ part }) => part === "provenance")?.bundle.statement.predicate.buildDefinition;
    expect(built).toMatchObject({
      resolvedDependencies: [{ name: "base", digest: { sha256: image.digest.slice(7) } }],
    });
  });

  it("of an index is that of its images, a signature and provenance", async () => {
    const other = putWarmImage(registry, WARM, { architecture: "arm64" });
    const manifests = [image.digest, other].map((digest) => ({ digest, size: 1, mediaType: "m" }));
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const index = { repository: WARM, digest: putAny(registry, WARM, { schemaVersion: 2, mediaType, manifests }) };
    expect(await faults(KEY, index)).toEqual(
      expect.arrayContaining(["has no signature", `lists ${other}, which has no provenance`]),
    );
    const all = await sealInMemory(registry, notary, index);
    expect(all.map(({ added }) => added.length)).toEqual([3, 3, 2]);
    expect(await faults(KEY, index)).toEqual([]);
    expect((await referrer("signature")).manifest.subject?.digest).toBe(image.digest);
  });

  it("that would not be whose the stack demands is not attached", async () => {
    const error = await sealed({ signer: { kind: "oidc" } }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "difference" });
    expect(String(error)).toContain("who signs here is not whom stack dev demands");
    expect((error as { mend: string }).mend).toContain("Sign as the key cosign.pub");
    expect([notary.signed, registry.writes.filter((write) => write.startsWith("push"))]).toEqual([1, []]);
  });

  it("that would list nothing is refused", async () => {
    const error = sealed({ readPackages: () => Promise.resolve([]) });
    await expect(error).rejects.toThrow("was sealed, but it has a list of packages (SBOM) that does not stand");
  });

  it("by an issuer goes the same way as by a key", async () => {
    const policy: SignaturePolicy = { kind: "keyless", identities: ["other", notary.identity], issuer: "https://i" };
    await sealed({ signer: { kind: "oidc" }, policy });
    expect(await faults(policy)).toEqual([]);
    expect(await faults({ ...policy, identities: ["other"] })).toHaveLength(3);
  });

  it("is refused for an image that is not there", async () => {
    const gone = { repository: WARM, digest: `sha256:${"0".repeat(64)}` };
    await expect(sealInMemory(registry, notary, gone)).rejects.toMatchObject({ kind: "difference" });
  });
});

describe("what is wrong with a seal", () => {
  it.each<[SealPart, string]>([
    ["signature", "has no signature"],
    ["sbom", "has no list of packages (SBOM)"],
    ["provenance", "has no provenance"],
  ])("is a missing %s", async (part, fault) => {
    await sealed();
    registry.repository(WARM).manifests.delete((await referrer(part)).digest);
    expect(await faults()).toEqual([fault]);
  });

  it.each<[string, SealPart, (text: string) => string, RegExp]>([
    [
      "a list of packages that was altered",
      "sbom",
      altered("acme/tool", "acme/kool"),
      /list .* do not match threshold/,
    ],
    ["provenance that was altered", "provenance", altered('"dev"', '"prod"'), /provenance .* do not match threshold/],
    ["an empty list", "sbom", altered("externalRefs", "otherRefs"), /it lists no package/],
    ["a build of another kind", "provenance", altered("urn:kiln:build", "urn:else"), /it is of a build of type/],
    ["no builder", "provenance", altered("urn:kiln:builder:local", ""), /it names no builder/],
    ["another digest as subject", "provenance", altered('"sha256":"', '"sha256":"0'), /it is about another image/],
    ["no statement", "signature", () => "{}", /carries sha256:\w+, a bundle without a signed statement/],
  ])("is %s", async (_, part, change, fault) => {
    await sealed();
    await replace(part, change);
    expect((await faults()).join("; ")).toMatch(fault);
  });

  it("is a signature of another image, however good", async () => {
    await sealed();
    const other = { repository: WARM, digest: putWarmImage(registry, WARM, { layers: ["other"] }) };
    for (const { text, statement } of (await readBundles(registry.client, image)).bundles) {
      await attachBundle(registry.client, other, text, statement.predicateType);
    }
    const found = await faults(KEY, other);
    expect(found.map((fault) => fault.replace(/\(.*\)/, "")).join()).toMatch(/it is about another image/);
    expect(found).toHaveLength(3);
  });

  it("is a bundle without layers", async () => {
    await sealed();
    const { digest, manifest } = await referrer("signature");
    registry.repository(WARM).manifests.delete(digest);
    const empty = registry.putManifest(WARM, { ...manifest, layers: [] });
    expect(await faults()).toEqual(["has no signature", `carries ${empty}, a bundle with no content`]);
  });

  it("is everything, for another signer", async () => {
    await sealed();
    expect(await faults({ kind: "key", key: "other.pub" })).toHaveLength(3);
  });

  it("is nothing that others attached beside it", async () => {
    await sealed();
    const text = await notary.sign(JSON.stringify(statementOf("signature", image, {})), { kind: "key", key: "other" });
    await attachBundle(registry.client, image, text, PREDICATES.signature);
    expect(await faults()).toEqual([]);
  });

  it("is nothing that a listing names and the registry has not, beside what stands", async () => {
    await sealed();
    const { readReferrers } = memory.functions as { readReferrers: (...args: readonly unknown[]) => Promise<string[]> };
    const gone = `sha256:${"0".repeat(64)}`;
    memory.functions.readReferrers = async (...args) => [gone, ...(await readReferrers(...args))];
    expect(await faults()).toEqual([]);
    registry.repository(WARM).manifests.delete((await referrer("signature")).digest);
    expect(await faults()).toEqual(["has no signature", `lists ${gone}, a bundle that is not there`]);
  });

  it("is nothing that cannot be verified beside what stands, and unknown where nothing does", async () => {
    await sealed();
    const { digest } = await referrer("signature");
    const bundle = await notary.sign(JSON.stringify(statementOf("signature", image, {})), { kind: "key", key: "odd" });
    const odd = await attachBundle(registry.client, image, bundle, PREDICATES.signature);
    const { manifests } = registry.repository(WARM);
    const sound = manifests.get(digest) ?? "";
    // Behind the odd one.
    manifests.delete(digest);
    manifests.set(digest, sound);
    const verify = notary.faultOf.bind(notary);
    vi.spyOn(notary, "faultOf").mockImplementation((text, ...args) =>
      text === bundle ? Promise.reject(new KilnError("unreachable", "no trust root")) : verify(text, ...args),
    );
    expect(await faults()).toEqual([]);
    manifests.delete(digest);
    await expect(faults()).rejects.toThrow("no trust root");
    expect(manifests.has(odd)).toBe(true);
  });

  it("is told with the stack and what to do", async () => {
    const error = await requireSeal({ client: registry.client, notary, policy: KEY }, image, "staging").catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ kind: "difference" });
    expect(String(error)).toContain(
      `${WARM}@${image.digest} is not sealed for stack staging: it has no signature; it has no list of packages (SBOM); it has no provenance`,
    );
    expect((error as { mend: string }).mend).toContain("npx kiln release seal --stack staging --image");
  });
});
