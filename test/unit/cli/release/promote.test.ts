import { describe, expect, it } from "vitest";
import { promotionReport } from "../../../../cli/release/promote.ts";
import type { Promotion } from "../../../../release/promote.ts";

const promotion: Promotion = {
  ...{ from: "dev", to: "staging", warmImage: "s/warm@sha256:2", before: "s/warm@sha256:1" },
  ...{ dryRun: false, unchanged: false },
  verification: { record: "sha256:r", programs: ["m/aws/vpc", "m/aws/eks"], compileActions: 0 },
  signedBy: undefined,
  copied: { blobs: 2, bytes: 1_500_000, attached: ["sha256:r"] },
  fileSystem: { count: 5, digest: "sha256:list", diffIds: [] },
  change: {
    layers: {
      added: [{ name: "aws", bytes: 1_400_000, holds: "caches" }],
      removed: [{ name: "aws", bytes: 900_000, holds: "caches" }],
    },
    bytesToPull: 1_400_000,
    programs: { added: ["m/aws/eks"], removed: ["m/gcp/net"] },
    contract: ['Go version: "go1.26.8", "go1.27.0"'],
  },
};

describe("promotionReport", () => {
  it("says old and new, what travelled, what is equal and what differs, and what to do next", () => {
    expect(promotionReport(promotion).split("\n")).toEqual([
      "warm image  s/warm@sha256:2",
      "was         s/warm@sha256:1",
      "verified    2 programs, 0 compile actions; record sha256:r",
      "signed      not asked for: stacks/Pulumi.staging.yaml has no kiln:signatures",
      "copied      2 blobs (1.5 MB), 1 attached",
      "layers      5 equal file-system layers in dev and staging; list sha256:list",
      "            + aws  1.4 MB",
      "            - aws  900 kB",
      "to pull     1.4 MB on a machine that has the old image",
      "program     + m/aws/eks",
      "program     - m/gcp/net",
      'contract    Go version: "go1.26.8", "go1.27.0"',
      "wrote stacks/Pulumi.staging.yaml: commit it, then `pulumi up -s staging`. A rollback is a revert of that commit.",
    ]);
  });

  it.each<[string, Partial<Promotion>, string]>([
    ["nothing to do", { unchanged: true, before: promotion.warmImage }, "no changes"],
    ["a dry run", { dryRun: true }, "dry run: nothing was copied, stacks/Pulumi.staging.yaml is as it was"],
    [
      "a registry that lacked something",
      { before: promotion.warmImage },
      "stacks/Pulumi.staging.yaml said so already; what its registry lacked is there now",
    ],
  ])("ends after %s with what is so", (_, fields, ending) => {
    const report = promotionReport({ ...promotion, ...fields });
    expect(report.split("\n").at(-1)).toBe(ending);
    expect(report.includes("\nwas ")).toBe(fields.before === undefined);
  });

  it("says where there was no image before, and where the registry has everything", () => {
    const copied = { blobs: 0, bytes: 0, attached: [] };
    const report = promotionReport({ ...promotion, before: undefined, copied });
    expect(report).toMatch(/^was +not set$/m);
    expect(report).toMatch(/^copied +nothing: the registry has it$/m);
    expect(report).toMatch(/^to pull +1\.4 MB on a machine that has none$/m);
  });
});
