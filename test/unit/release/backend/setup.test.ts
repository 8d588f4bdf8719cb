import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { silent } from "../../../../progress.ts";
import { backendPlan, type BackendRequest } from "../../../../release/backend/plan.ts";
import { requirePassphrase, setUp, type StepOutcome } from "../../../../release/backend/setup.ts";
import { scriptOf, type Step } from "../../../../release/backend/step.ts";
import { run } from "../../../../toolchain/process.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { VendorCommands } from "../../../support/vendor-commands.ts";

const S3 = "s3://acme-state?region=eu-central-1";
const KMS = "awskms://alias/kiln-state?region=eu-central-1";
const PLACE = { project: "acme-1", location: "europe-west3", resourceGroup: "acme" };
const REQUESTS: Readonly<Record<string, BackendRequest>> = {
  "S3 and KMS": { url: S3, secrets: KMS, stacks: ["dev"] },
  "Cloud Storage and KMS": {
    ...{ url: "gs://acme-state/kiln", stacks: ["dev"], ...PLACE },
    secrets: "gcpkms://projects/acme-1/locations/europe-west3/keyRings/kiln/cryptoKeys/state",
  },
  "Azure and its key vault": {
    ...{ url: "azblob://state?storage_account=acmestate", stacks: ["dev"], ...PLACE },
    secrets: "azurekeyvault://acme-state.vault.azure.net/keys/state",
  },
  "S3 and a passphrase": { url: "s3://acme-state?region=us-east-1", secrets: "passphrase", stacks: ["dev"] },
};

/** Dozens of processes, on a machine that may be busy. */
const PATIENCE_MS = 60_000;

const SECRET = "correct horse battery staple";
const COMMITTED = "# dev\nencryptionsalt: v1:of-the-empty-passphrase\nconfig:\n  kiln:registry: ghcr.io/a/b\n";

/** A checkout with a stack and fake vendor commands. */
async function machine(options: { readonly refuses?: string; readonly refusal?: string; readonly home?: string } = {}) {
  const home = options.home ?? (await temporaryDirectory());
  await mkdir(path.join(home, "stacks"), { recursive: true });
  await writeFile(path.join(home, "stacks/Pulumi.dev.yaml"), COMMITTED);
  const commands = await VendorCommands.create(home, options);
  const env = { PATH: `${commands.path}:/usr/bin:/bin`, PULUMI_CONFIG_PASSPHRASE: SECRET };
  return { home, commands, env, text: () => readFile(path.join(home, "stacks/Pulumi.dev.yaml"), "utf8") };
}

/** What one backend's commands did in two runs of kiln on one machine, and in the printed script on another. */
interface Runs {
  readonly first: readonly StepOutcome[];
  readonly second: readonly StepOutcome[];
  readonly calls: { readonly first: Calls; readonly second: Calls; readonly script: Calls };
  readonly files: { readonly first: string; readonly second: string; readonly script: string };
}
type Calls = readonly (readonly string[])[];

async function runAll(steps: readonly Step[], url: string, root: string): Promise<Runs> {
  const [{ home, commands, env, text }, byHand] = [
    await machine({ home: path.join(root, "kiln") }),
    await machine({ home: path.join(root, "script") }),
  ];
  const options = { project: home, env, progress: silent };
  const first = await setUp(steps, options);
  const [firstCalls, firstFile] = [await commands.calls(), await text()];
  const second = await setUp(steps, options);
  const script = scriptOf(steps, { PULUMI_BACKEND_URL: url });
  await run("/bin/sh", ["-c", script], { cwd: byHand.home, env: byHand.env });
  const secondCalls = (await commands.calls()).slice(firstCalls.length);
  return {
    ...{ first, second },
    calls: { first: firstCalls, second: secondCalls, script: await byHand.commands.calls() },
    files: { first: firstFile, second: await text(), script: await byHand.text() },
  };
}

describe.each(Object.entries(REQUESTS))("a backend of %s", (_, wanted) => {
  const steps = backendPlan(wanted);
  let runs: Runs;

  beforeAll(async () => {
    const root = await mkdtemp(path.join(tmpdir(), "kiln-backend-"));
    runs = await runAll(steps, wanted.url, root);
    return () => rm(root, { recursive: true });
  }, PATIENCE_MS);

  it("is made once: a second run finds all of it and changes nothing", () => {
    expect(runs.first.filter(({ outcome }) => outcome === "done").length).toBeGreaterThan(5);
    const checked = steps.filter(({ check }) => check !== undefined).map(({ title }) => title);
    expect(runs.second.filter(({ outcome }) => outcome === "was there").map(({ title }) => title)).toEqual(checked);
    const creating = /^(create|init|create-.*|change-secrets-provider)$/;
    expect(runs.calls.second.filter((call) => call.some((word) => creating.test(word)))).toEqual([]);
    expect(runs.files.second).toBe(runs.files.first);
  });

  it("is made by the printed script with exactly the same calls", () => {
    expect(runs.calls.script).toEqual(runs.calls.first);
    expect(runs.files.script).toBe(runs.files.first);
  });

  it("has no secret in any argument, nor the salt of the empty passphrase in a stack's file", () => {
    expect(JSON.stringify([runs.calls, scriptOf(steps, {})])).not.toContain(SECRET);
    expect(runs.files.first).not.toContain("of-the-empty-passphrase");
  });
});

describe("set-up", { timeout: PATIENCE_MS }, () => {
  const request: BackendRequest = { url: S3, secrets: KMS, stacks: ["dev"] };

  it("hands a key's id on to what needs it", async () => {
    const { home, commands, env } = await machine();
    await setUp(backendPlan(request), { project: home, env, progress: silent });
    const calls = await commands.calls();
    expect(calls.find((call) => call.includes("create-alias"))).toContain("1234-key");
    expect(calls.find((call) => call.includes("enable-key-rotation"))).toContain("1234-key");
  });

  it("needs every program before it changes anything", async () => {
    const { home, commands, env } = await machine();
    const options = { project: home, env: { ...env, PATH: path.join(home, "none") }, progress: silent };
    await expect(setUp(backendPlan(request), options)).rejects.toMatchObject({
      ...{ kind: "unreachable", message: "aws is not on PATH" },
      mend: expect.stringContaining("docs.aws.amazon.com") as string,
    });
    expect(await commands.calls()).toEqual([]);
  });

  it("stops at what a vendor refuses, in the vendor's words, and goes on from there", async () => {
    const { home, commands, env } = await machine({ refuses: "aws put-public-access-block" });
    const options = { project: home, env, progress: silent };
    await expect(setUp(backendPlan(request), options)).rejects.toMatchObject({
      ...{ kind: "failed", message: expect.stringContaining("AccessDenied: the vendor's own words") as string },
    });
    expect((await commands.calls()).at(-1)).toContain("put-public-access-block");
    await VendorCommands.create(home);
    const outcomes = await setUp(backendPlan(request), options);
    expect(outcomes[0]).toEqual({ title: "bucket acme-state", outcome: "was there" });
  });

  const EXPIRED =
    "An error occurred (ExpiredTokenException) when calling the DescribeKey operation: The token is expired";

  it.each([
    ["aws describe-key", { url: S3, secrets: KMS }, /^create-key$/],
    ["gcloud keys describe", REQUESTS["Cloud Storage and KMS"], /^create$/],
    ["az group show", REQUESTS["Azure and its key vault"], /^create$/],
    ["pulumi stack --show-name", { url: S3, secrets: KMS }, /^init$/],
  ] as const)("takes an expired login at %s for no answer, and makes nothing again", async (refuses, wanted, makes) => {
    const { home, env } = await machine();
    const steps = backendPlan({ ...request, ...wanted });
    await setUp(steps, { project: home, env, progress: silent });
    const commands = await VendorCommands.create(home, { refuses, refusal: EXPIRED });
    const before = (await commands.calls()).length;
    await expect(setUp(steps, { project: home, env, progress: silent })).rejects.toMatchObject({
      ...{ kind: "unreachable", message: expect.stringContaining(EXPIRED) as string },
    });
    const script = run("/bin/sh", ["-c", scriptOf(steps, {})], { cwd: home, env, allowFailure: true });
    expect(await script).toMatchObject({ code: 4, stderr: expect.stringContaining(EXPIRED) as string });
    const since = (await commands.calls()).slice(before);
    expect(since.filter((call) => call.some((word) => makes.test(word)))).toEqual([]);
  });

  it("says how to go on from a key without its alias, by its id", async () => {
    const { home, env } = await machine({ refuses: "aws create-alias" });
    await expect(setUp(backendPlan(request), { project: home, env, progress: silent })).rejects.toMatchObject({
      ...{ kind: "failed", message: expect.stringMatching(/^KMS key alias\/kiln-state is half done: /) as string },
      mend: expect.stringContaining(
        "create-alias --region eu-central-1 --alias-name alias/kiln-state --target-key-id 1234-key`",
      ) as string,
    });
  });

  it("leaves a lifecycle that somebody chose: setting one would replace it", async () => {
    const { home, commands, env } = await machine();
    await run("aws", ["s3api", "put-bucket-lifecycle-configuration", "theirs"], { env, cwd: home });
    await setUp(backendPlan(request), { project: home, env, progress: silent });
    const set = (await commands.calls()).filter((call) => call.includes("put-bucket-lifecycle-configuration"));
    expect(set).toHaveLength(1);
  });

  it.each([
    ["", "  x:token:\n    secure: v1:abc\n"],
    [" in a list", "  x:tokens:\n    - secure: v1:abc\n"],
    [" in braces", "  x:token: { secure: v1:abc }\n"],
    [" in JSON", '  x:token: {"secure": "v1:abc"}\n'],
  ])("keeps the salt of a file that holds secrets%s", async (_, secret) => {
    const { home, env, text } = await machine();
    const held = `${COMMITTED}${secret}`;
    await writeFile(path.join(home, "stacks/Pulumi.dev.yaml"), held);
    // The real Pulumi then wants the passphrase that the salt belongs to; the fake one would replace the salt.
    const absent = '[ "$2" = init ] || [ "$1" = login ] || { echo "error: no stack named dev found" >&2; exit 6; }';
    await writeFile(path.join(home, "bin/pulumi"), `#!/bin/sh\n${absent}\n`);
    await setUp(backendPlan({ ...request, secrets: "passphrase", stacks: ["dev"] }), {
      ...{ project: home, env, progress: silent },
    });
    expect(await text()).toBe(held);
  });

  it("leaves a change that asks for a new passphrase to a person", async () => {
    const { home, env } = await machine();
    await writeFile(path.join(home, "stacks/Pulumi.dev.yaml"), "secretsprovider: awskms://alias/x\nconfig: {}\n");
    await writeFile(path.join(home, "bin/pulumi"), "#!/bin/sh\n");
    const steps = backendPlan({ ...request, secrets: "passphrase", stacks: ["dev"] });
    await expect(setUp(steps, { project: home, env, progress: silent })).rejects.toMatchObject({
      mend: expect.stringContaining("`pulumi stack change-secrets-provider passphrase --stack dev`") as string,
    });
  });
});

describe("a passphrase", () => {
  it.each([{}, { PULUMI_CONFIG_PASSPHRASE: "" }])("that is empty is refused: %j", (env) => {
    expect(() => {
      requirePassphrase("passphrase", env);
    }).toThrow(expect.objectContaining({ kind: "usage" }));
  });

  it("comes from a variable or a file, and only where one is needed", () => {
    requirePassphrase("passphrase", { PULUMI_CONFIG_PASSPHRASE: "x" });
    requirePassphrase("passphrase", { PULUMI_CONFIG_PASSPHRASE_FILE: "/run/secrets/x" });
    requirePassphrase("awskms://alias/x?region=eu-central-1", {});
  });
});
