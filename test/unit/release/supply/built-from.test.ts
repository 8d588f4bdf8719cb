import { beforeEach, describe, expect, it, vi } from "vitest";
import { requireBuiltFrom } from "../../../../release/supply/built-from.ts";
import { commitMaterial, commitsIn, LOCAL_BUILDER, provenanceOf } from "../../../../release/supply/provenance.ts";
import { useMemory } from "../../../support/memory-client.ts";
import { MemoryNotary } from "../../../support/memory-notary.ts";
import { MemoryRegistry } from "../../../support/memory-registry.ts";
import { KEY, sealInMemory } from "../../../support/sealed-image.ts";
import { putWarmImage } from "../../../support/warm-image.ts";

vi.mock("../../../../registry/client.ts", async (original) =>
  (await import("../../../support/memory-client.ts")).clientInMemory(original),
);

const WARM = "localhost:5181/kiln/base-images/iac-runner-warm";
const [ONE, TWO, THREE] = ["1", "2", "3"].map((digit) => digit.repeat(40)) as [string, string, string];
const factsOf = (...commits: readonly string[]) => ({
  ...{ builder: { id: LOCAL_BUILDER }, version: "0.1.0", parameters: {} },
  materials: [...commits.map((commit) => commitMaterial(undefined, commit)), { name: "plan", digest: { sha256: "0" } }],
});

let registry: MemoryRegistry;
let notary: MemoryNotary;
let image: { readonly repository: string; readonly digest: string };

beforeEach(() => {
  registry = new MemoryRegistry();
  notary = new MemoryNotary();
  useMemory(registry);
  image = { repository: WARM, digest: putWarmImage(registry, WARM) };
});

const sealAt = (commits: readonly string[], thisCommit: boolean) =>
  sealInMemory(registry, notary, image, { facts: factsOf(...commits), thisCommit });
const required = (commit: string) =>
  requireBuiltFrom({ client: registry.client, notary, policy: KEY }, image, { commit, tag: "v1", stack: "dev" });

describe("commitsIn", () => {
  it("is those of the checkout and of a source, and nothing in what is no provenance", () => {
    expect(commitsIn(provenanceOf(factsOf(ONE, TWO)))).toEqual([ONE, TWO]);
    for (const resolvedDependencies of [undefined, {}, [1, null, {}, { digest: { gitCommit: 1 } }]]) {
      expect(commitsIn({ buildDefinition: { resolvedDependencies } })).toEqual([]);
    }
    expect(commitsIn({})).toEqual([]);
  });
});

describe("an image that a tag is to name", () => {
  it("was built from the tag's commit, as its provenance says", async () => {
    await sealAt([ONE, TWO], false);
    await required(ONE);
    await required(TWO);
    await expect(required(THREE)).rejects.toMatchObject({
      kind: "difference",
      message: `${WARM}@${image.digest} is not of v1, which is commit ${THREE}: its provenance names commit ${ONE} and ${TWO}`,
      mend: expect.stringContaining("seal --stack dev --this-commit --image") as string,
    });
  });

  it("may have been taken again by that commit, which is sealed as well", async () => {
    await sealAt([ONE], false);
    expect(await sealAt([TWO], false)).toMatchObject([{ added: [] }]);
    await expect(required(TWO)).rejects.toThrow("is not of v1");
    expect(await sealAt([TWO], true)).toMatchObject([{ added: ["provenance"] }]);
    await required(ONE);
    await required(TWO);
    for (const commit of [ONE, TWO]) expect(await sealAt([commit], true)).toMatchObject([{ added: [] }]);
  });

  it("is not what somebody else says was built from it", async () => {
    await sealAt([ONE], false);
    const other = { kind: "key", key: "other.pub" } as const;
    await sealInMemory(registry, notary, image, { policy: other, signer: other, facts: factsOf(TWO) });
    await expect(required(TWO)).rejects.toThrow(`its provenance names commit ${ONE}`);
  });

  it("is not one whose provenance names none", async () => {
    await sealAt([], false);
    await expect(required(ONE)).rejects.toThrow("its provenance names no commit");
  });
});
