import { describe, expect, it } from "vitest";
import {
  driftIssue,
  previewChanges,
  previewError,
  verdictOf,
  type ImageFinding,
  type PreviewFinding,
  type StackDrift,
} from "../../../release/drift.ts";

const WARM = `ghcr.io/acme/infra/base-images/iac-runner-warm@sha256:${"1".repeat(64)}`;
const image = (fields: Partial<ImageFinding> = {}): ImageFinding => ({
  ...{ image: WARM, namedBy: ["kiln:warmImage", "output warmImage"], state: "sound", fault: "" },
  ...fields,
});
const same: PreviewFinding = { kind: "same" };
const stack = (name: string, fields: Partial<StackDrift> = {}): StackDrift => ({
  ...{ stack: name, preview: same, images: [image()] },
  ...fields,
});
const differs: PreviewFinding = {
  kind: "differs",
  changes: [
    {
      ...{ operation: "update", type: "kubernetes:core/v1:Namespace", name: "runners" },
      properties: ['metadata.labels["a`b"]', "spec"],
    },
    { operation: "create", type: "docker:index/image:Image", name: "iac-runner", properties: [] },
  ],
};
const gone = image({ state: "faulty", fault: "is no longer in its registry" });
const silent = image({ state: "unknown", fault: "could not be looked at: @acme <b>refuses</b>" });

describe("verdictOf", () => {
  it.each<[string, Partial<StackDrift>, string]>([
    ["all well", {}, "clean"],
    ["images alone, all well", { preview: { kind: "not asked" } }, "clean"],
    ["changes", { preview: differs }, "drift"],
    ["an image that is gone", { images: [image(), gone] }, "drift"],
    ["one that is gone, and one without an answer", { images: [silent, gone] }, "drift"],
    ["no answer of the registry", { images: [silent] }, "unknown"],
    ["no answer of Pulumi", { preview: { kind: "unknown", reason: "x" } }, "unknown"],
  ])("%s", (_, fields, verdict) => {
    expect(verdictOf(stack("dev", fields))).toBe(verdict);
  });
});

describe("driftIssue", () => {
  it("is called for by nothing where all is well", () => {
    expect(driftIssue([stack("dev"), stack("prod", { preview: { kind: "not asked" } })])).toBeUndefined();
    expect(driftIssue([])).toBeUndefined();
  });

  it("says per stack what differs, what is gone, and what mends it", () => {
    const results = [
      stack("dev", { preview: differs }),
      stack("prod", { images: [gone, image()] }),
      stack("staging", { preview: { kind: "unknown", reason: "the backend has no such stack" }, images: [silent] }),
      stack("test"),
    ];
    expect(driftIssue(results)).toEqual({
      title: "Drift in dev, prod; no answer for staging",
      text: `What runs is not what the stacks' files say, or could not be compared. This text follows the nightly check, which closes
the issue once all is well.

| Stack | Resources | Images |
| ----- | --------- | ------ |
| \`dev\` | 2 changes | 1 image, all there |
| \`prod\` | as they should be | 1 of 2 missing or unverified |
| \`staging\` | no answer | 1 of 1 without an answer |
| \`test\` | as they should be | 1 image, all there |

### dev

A refresh and preview would change:

- update \`kubernetes:core/v1:Namespace\` \`runners\`: \`metadata.labels["a'b"]\`, \`spec\`
- create \`docker:index/image:Image\` \`iac-runner\`

\`pulumi preview -s dev --refresh --diff\` shows the values; \`pulumi up -s dev --refresh\` puts back what the file says.

### prod

Images:

- \`${WARM}\` (kiln:warmImage, output warmImage) is no longer in its registry

Bake it again (\`npx kiln cache bake --stack prod\`), promote it again, or revert the stack's file.

### staging

Its resources could not be compared: \`the backend has no such stack\`

Images:

- \`${WARM}\` (kiln:warmImage, output warmImage) could not be looked at: @\u200bacme &lt;b>refuses&lt;/b>`,
    });
  });

  it("has a title of its own where nothing could be asked, and counts what it leaves out", () => {
    const [change] = differs.changes;
    const changes = Array.from({ length: 35 }, () => change).filter((one) => one !== undefined);
    expect(driftIssue([stack("dev", { images: [silent] })])?.title).toBe("No answer for dev");
    const text = driftIssue([stack("dev", { preview: { kind: "differs", changes } })])?.text;
    expect(text).toContain("| `dev` | 35 changes |");
    expect(text).toContain("- and 5 more");
  });
});

describe("previewChanges", () => {
  it("names what changes, by properties and without values", () => {
    const steps = [
      { op: "same", urn: "urn:pulumi:dev::kiln::pulumi:pulumi:Stack::kiln-dev" },
      { op: "refresh", urn: "urn:pulumi:dev::kiln::a:b:C::d" },
      {
        op: "update",
        urn: "urn:pulumi:dev::kiln::kiln:image:RunnerImage$docker:index/image:Image::iac-runner",
        detailedDiff: { "build.args.WARM": { kind: "update" }, "build.args.A": { kind: "add" } },
        newState: { inputs: { secret: "value" } },
      },
      { op: "delete", urn: "urn:pulumi:dev::kiln::a:b:C::with::colons", detailedDiff: null },
      null,
      { op: 1 },
    ];
    expect(previewChanges(JSON.stringify({ steps, changeSummary: {} }))).toEqual([
      {
        ...{ operation: "update", type: "docker:index/image:Image", name: "iac-runner" },
        properties: ["build.args.A", "build.args.WARM"],
      },
      { operation: "delete", type: "a:b:C", name: "with::colons", properties: [] },
    ]);
  });

  it.each(["", "no JSON", "null", "{}", '{"steps": 1}'])("finds none in %j", (text) => {
    expect(previewChanges(text)).toEqual([]);
  });
});

describe("previewError", () => {
  it("gives the first error among what Pulumi says", () => {
    const diagnostics = [null, { severity: "warning", message: "a" }, { severity: "error", message: "b\n" }];
    expect(previewError(JSON.stringify({ diagnostics }))).toBe("b");
  });

  it.each(["", "[]", '{"diagnostics": {}}', '{"diagnostics": [{"severity": "error"}]}'])("finds none in %j", (text) => {
    expect(previewError(text)).toBeUndefined();
  });
});
