import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { KilnError } from "../../../errors.ts";
import { readOutputs, requireLogin } from "../../../release/pulumi-stack.ts";
import { imagesNamed, readStackDrift } from "../../../release/stack-drift.ts";
import { memory, useMemory } from "../../support/memory-client.ts";
import { MemoryNotary, NO_NOTARY } from "../../support/memory-notary.ts";
import { MemoryRegistry } from "../../support/memory-registry.ts";
import { sealInMemory } from "../../support/sealed-image.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { putRecord, putWarmImage } from "../../support/warm-image.ts";

vi.mock("../../../registry/client.ts", async (original) =>
  (await import("../../support/memory-client.ts")).clientInMemory(original),
);

const WARM = "localhost:5181/kiln/base-images/iac-runner-warm";
const RUNNER = "localhost:5181/kiln/base-images/iac-runner";

let registry: MemoryRegistry;
let project: string;
let digest: string;
let env: NodeJS.ProcessEnv;

/** What the fake Pulumi does when it is called with these first two words. */
async function writePulumi(cases: Readonly<Record<string, string>>): Promise<void> {
  const arms = Object.entries(cases).map(([words, script]) => `"${words}") ${script} ;;`);
  const script = `#!/bin/sh\necho "$*" >> "${project}/calls"\ncase "$1 $2" in\n${arms.join("\n")}\nesac\n`;
  await writeFile(path.join(project, "bin/pulumi"), script);
  await chmod(path.join(project, "bin/pulumi"), 0o755);
}

const outputs = (values: object) => `echo '${JSON.stringify(values)}'`;

beforeEach(async () => {
  registry = new MemoryRegistry();
  useMemory(registry);
  project = await temporaryDirectory();
  await Promise.all([mkdir(path.join(project, "stacks")), mkdir(path.join(project, "bin"))]);
  digest = putWarmImage(registry, WARM);
  putRecord(registry, WARM, digest);
  const file = `config:\n  kiln:registry: localhost:5181\n  kiln:warmImage: ${WARM}@${digest}\n`;
  await writeFile(path.join(project, "stacks/Pulumi.dev.yaml"), file);
  env = { PATH: `${path.join(project, "bin")}:/usr/bin:/bin` };
});

const drift = (pulumi: NodeJS.ProcessEnv | undefined = env) =>
  readStackDrift({ project, stack: "dev", client: registry.client, notary: NO_NOTARY, pulumi });

describe("readStackDrift", () => {
  it("asks for a preview that refreshes and expects no changes, and looks at every image", async () => {
    const runner = putWarmImage(registry, RUNNER, { layers: ["runner"] });
    const values = { image: `${RUNNER}@${runner}`, warmImage: `${WARM}@${digest}`, toolVersions: { go: "1.26" } };
    await writePulumi({ "preview --refresh": "exit 0", "stack output": outputs(values) });
    expect(await drift()).toEqual({
      stack: "dev",
      preview: { kind: "same" },
      images: [
        { image: values.warmImage, namedBy: ["kiln:warmImage", "output warmImage"], state: "sound", fault: "" },
        { image: values.image, namedBy: ["output image"], state: "sound", fault: "" },
      ],
    });
    expect((await readFile(path.join(project, "calls"), "utf8")).split("\n")).toEqual([
      "preview --refresh --expect-no-changes --json --non-interactive --stack dev",
      "stack output --json --non-interactive --stack dev",
      "",
    ]);
  });

  it("without Pulumi looks at the images that the file names, and at nothing else", async () => {
    const { preview, images } = await readStackDrift({
      ...{ project, stack: "dev", client: registry.client, notary: NO_NOTARY, pulumi: undefined },
    });
    expect(preview).toEqual({ kind: "not asked" });
    expect(images.map(({ namedBy, state }) => [...namedBy, state])).toEqual([["kiln:warmImage", "sound"]]);
  });

  it.each<[string, string, object]>([
    [
      "changes",
      `echo '{"steps":[{"op":"update","urn":"urn:pulumi:dev::kiln::a:b:C::d"}]}'; exit 7`,
      { kind: "differs", changes: [{ operation: "update", type: "a:b:C", name: "d", properties: [] }] },
    ],
    [
      "changes, as an older Pulumi says it",
      "echo 'error: no changes were expected for preview but changes were proposed' >&2; exit 1",
      { kind: "differs", changes: [] },
    ],
    ["a stack that never ran", "exit 6", { kind: "unknown", reason: "the backend has no such stack" }],
    [
      "a failure",
      "echo 'warning: using a plugin' >&2; echo 'error: the cluster is away' >&2; exit 1",
      { kind: "unknown", reason: "error: the cluster is away" },
    ],
    [
      "a failure of the program",
      `echo '{"steps":[{"op":"create","urn":"urn:pulumi:dev::kiln::a:b:C::d"}],"diagnostics":[{"severity":"error","message":"error: no warm image"}]}'; exit 1`,
      { kind: "unknown", reason: "error: no warm image" },
    ],
    [
      "silence",
      "echo 'warning: using a plugin' >&2; exit 255",
      { kind: "unknown", reason: "pulumi preview exited with 255" },
    ],
  ])("tells %s", async (_, script, preview) => {
    await writePulumi({ "preview --refresh": script, "stack output": "exit 1" });
    expect(await drift()).toMatchObject({ preview });
  });

  it("is not content with a preview where the backend does not say what runs", async () => {
    const refused = "echo 'error: incorrect passphrase' >&2; exit 255";
    await writePulumi({ "preview --refresh": "exit 0", "stack output": refused });
    expect((await drift()).preview).toEqual({
      kind: "unknown",
      reason: "the outputs of stack dev cannot be read: error: incorrect passphrase",
    });
  });

  it("asks for the record of a warm image in whichever repository the file names it", async () => {
    const [elsewhere, file] = ["ghcr.io/other/evil", path.join(project, "stacks/Pulumi.dev.yaml")];
    const evil = putWarmImage(registry, elsewhere, { layers: ["evil"] });
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(/warmImage: .*/, `warmImage: ${elsewhere}@${evil}`));
    await writePulumi({ "preview --refresh": "exit 0", "stack output": outputs({}) });
    const fault = "is not verified: no verification record is attached to it";
    expect((await drift()).images).toMatchObject([{ state: "faulty", fault }]);
    putRecord(registry, elsewhere, evil);
    expect((await drift()).images).toMatchObject([{ state: "sound" }]);
  });

  it("does not take a refused login for drift", async () => {
    await writePulumi({ "preview --refresh": "echo 'error: 401' >&2; exit 3" });
    await expect(drift()).rejects.toMatchObject({ kind: "unreachable", message: /refuses this login: error: 401/ });
  });

  it.each<[string, () => void, object]>([
    [
      "gone",
      () => {
        registry.repository(WARM).manifests.clear();
      },
      { state: "faulty", fault: "is no longer in its registry" },
    ],
    [
      "there without its record",
      () => {
        for (const [other] of registry.repository(WARM).manifests) {
          if (other !== digest) registry.repository(WARM).manifests.delete(other);
        }
      },
      { state: "faulty", fault: "is not verified: no verification record is attached to it" },
    ],
    [
      "in a registry that does not answer",
      () => registry.down.add("localhost:5181"),
      { state: "unknown", fault: expect.stringContaining("does not answer") as string },
    ],
  ])("tells an image that is %s", async (_, change, finding) => {
    change();
    expect(
      (await readStackDrift({ project, stack: "dev", client: registry.client, notary: NO_NOTARY, pulumi: undefined }))
        .images,
    ).toMatchObject([finding]);
  });

  it("lets Ctrl-C through", async () => {
    memory.functions = {
      readDigest: () => {
        throw new KilnError("interrupted", "interrupted");
      },
    };
    await writePulumi({});
    await expect(drift()).rejects.toMatchObject({ kind: "interrupted" });
  });
});

describe("imagesNamed", () => {
  it("finds images at any depth, each once, and nothing that is not pinned", () => {
    const [one, two] = ["1", "2"].map((digit) => `r/a@sha256:${digit.repeat(64)}`);
    const values = { a: one, b: { c: [{ d: two }], tag: "r/a:latest" }, e: one, f: null, g: 1 };
    expect([...imagesNamed({ warmImage: undefined, runners: undefined }, values)]).toEqual([
      [one, ["output a", "output e"]],
      [two, ["output b.c.0.d"]],
    ]);
  });
});

describe("requireLogin", () => {
  it("is content with a Pulumi that knows somebody", async () => {
    await writePulumi({ "whoami --non-interactive": "echo me" });
    await expect(requireLogin(project, env)).resolves.toBeUndefined();
  });

  it("says what is missing: the login, or Pulumi itself", async () => {
    await writePulumi({ "whoami --non-interactive": "echo 'error: no credentials' >&2; exit 3" });
    await expect(requireLogin(project, env)).rejects.toMatchObject({ kind: "unreachable", message: /no credentials/ });
    await expect(requireLogin(project, { PATH: project })).rejects.toMatchObject({
      kind: "unreachable",
      message: "pulumi is not on PATH",
    });
  });
});

describe("readOutputs", () => {
  it.each<[string, string, object]>([
    ["what the last update said", outputs({ image: "r/a" }), { image: "r/a" }],
    ["none of a stack that never ran", "exit 6", {}],
    ["none of it by an older Pulumi", "echo \"error: no stack named 'dev' found\" >&2; exit 255", {}],
    ["none where there is no document", "echo nothing", {}],
    ["none of null", "echo null", {}],
  ])("gives %s", async (_, script, values) => {
    await writePulumi({ "stack output": script });
    expect(await readOutputs({ project, stack: "dev", env })).toEqual(values);
  });
});

describe("the seal of deployed images", () => {
  const notary = new MemoryNotary();
  const faults = async () =>
    (await readStackDrift({ project, stack: "dev", client: registry.client, notary, pulumi: env })).images.map(
      ({ state, fault }) => [state, fault.replaceAll(/ \(sha256:\w+\)/g, "")],
    );

  beforeEach(async () => {
    const file = path.join(project, "stacks/Pulumi.dev.yaml");
    await writeFile(file, `${await readFile(file, "utf8")}  kiln:signatures: { key: cosign.pub }\n`);
    const runner = putWarmImage(registry, RUNNER, { layers: ["runner"] });
    await sealInMemory(registry, notary, { repository: WARM, digest });
    await sealInMemory(registry, notary, { repository: RUNNER, digest: runner });
    await writePulumi({
      "preview --refresh": "exit 0",
      "stack output": outputs({ image: `${RUNNER}@${runner}`, other: `ghcr.io/acme/other@${runner}` }),
    });
    registry.putManifest(
      "ghcr.io/acme/other",
      JSON.parse(registry.repository(RUNNER).manifests.get(runner) ?? "") as never,
    );
  });

  it("is verified where the stack demands one, of what this project made alone", async () => {
    expect(await faults()).toEqual([
      ["sound", ""],
      ["sound", ""],
      ["sound", ""],
    ]);
  });

  it("is demanded of the warm image in whichever repository the file names it", async () => {
    const [elsewhere, file] = ["ghcr.io/other/evil", path.join(project, "stacks/Pulumi.dev.yaml")];
    const evil = putWarmImage(registry, elsewhere, { layers: ["evil"] });
    putRecord(registry, elsewhere, evil);
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(/warmImage: .*/, `warmImage: ${elsewhere}@${evil}`));
    const [first] = await faults();
    expect(first).toEqual(["faulty", expect.stringMatching(/^has no signature; /)]);
  });

  it("is drift where it is gone or another's", async () => {
    const { manifests } = registry.repository(RUNNER);
    for (const [name, text] of manifests) if (text.includes("sigstore.dev/cosign")) manifests.delete(name);
    const file = path.join(project, "stacks/Pulumi.dev.yaml");
    expect(await faults()).toEqual([
      ["sound", ""],
      ["faulty", "has no signature"],
      ["sound", ""],
    ]);
    await writeFile(file, (await readFile(file, "utf8")).replace("cosign.pub", "other.pub"));
    expect((await faults())[0]?.[1]).toContain("has a signature that does not stand: accepted signatures do not match");
  });
});
