import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRecord } from "../../cache/record.ts";
import { silent } from "../../progress.ts";
import { pushDocument, pushIndex, pushManifest, OCI, regctl, type RegistryClient } from "../../registry/client.ts";
import { readImage } from "../../registry/compose.ts";
import { copyImage, readMissing, requireCopy } from "../../registry/copy.ts";
import { formatReference, parsePinnedImage, referrersTag, type PinnedImage } from "../../registry/image-reference.ts";
import { tagManifest } from "../../registry/tag-manifest.ts";
import type { Promotion } from "../../release/promote.ts";
import { readStackSettings, writeWarmImage } from "../../release/stack-file.ts";
import { places } from "../../toolchain/places.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { FIXTURE_PATTERN, kiln, makeCheckout, PROJECT, removeCheckout, type Checkout } from "../support/checkout.ts";
import { engineOf } from "../support/engine.ts";
import { isExtended } from "../support/extended.ts";
import { RegistryProcess } from "../support/registry-process.ts";

/** dev, staging and prod on loopback registries of their own; dev's is the checkout's, which a bake starts. */
let checkout: Checkout;
let client: RegistryClient;
let root: string;
let [staging, prod]: RegistryProcess[] = [];
let first: PinnedImage;

const SOURCE = "test/fixtures/programs";
const stackFile = (stack: string) => path.join(checkout.directory, `stacks/Pulumi.${stack}.yaml`);
const text = (stack: string) => readFile(stackFile(stack), "utf8");
const promote = (from: string, to: string, ...flags: readonly string[]) =>
  kiln(checkout, ["release", "promote", "--from", from, "--to", to, ...flags]);

/** The warm image that a stack's file names. */
async function warmImage(stack: string): Promise<PinnedImage> {
  const { warmImage: named } = await readStackSettings(checkout.directory, stack);
  const image = parsePinnedImage(named ?? "");
  if (image === undefined) throw new Error(`stack ${stack} has no warm image`);
  return image;
}

async function promoted(from: string, to: string): Promise<Promotion> {
  const result = await promote(from, to, "--json");
  expect({ code: result.code, stderr: result.code === 0 ? "" : result.stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(result.stdout) as Promotion;
}

async function bakeDev(): Promise<void> {
  const result = await kiln(checkout, ["cache", "bake", "--stack", "dev"]);
  expect({ code: result.code, stderr: result.code === 0 ? "" : result.stderr }).toEqual({ code: 0, stderr: "" });
}

/** Git on the stack files alone: a repository inside the checkout would be one of the programs' too. */
const git = (...args: readonly string[]) => {
  const who = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
  const where = ["--git-dir", path.join(root, "stacks.git"), "--work-tree", checkout.directory];
  return run("git", [...who, ...where, ...args], { cwd: checkout.directory });
};

async function commit(message: string): Promise<void> {
  await git("add", "stacks");
  await git("commit", "--message", message);
}

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "kiln-promotion-"));
  checkout = await makeCheckout({ store: path.join(PROJECT, ".kiln/test-store-fixture") });
  client = { regctl: (await resolveTool("regctl", { places: places(), progress: silent })).path };
  staging = await RegistryProcess.start(path.join(root, "staging"));
  prod = await RegistryProcess.start(path.join(root, "prod"));
  const registries = { dev: checkout.registry, staging: staging.address, prod: prod.address };
  for (const [stack, registry] of Object.entries(registries)) {
    const source = `  kiln:source:\n    path: ${SOURCE}\n    modules: "${FIXTURE_PATTERN}"\n`;
    const committed = (await text(stack)).replace(/^ +kiln:warmImage: .*\n/m, "").trimEnd();
    // These stacks have signers that no test is: what has no seal travels here, until a test demands one.
    const unsigned = committed.replace(/^ +kiln:signatures:\n(?: {4,}.*\n)+/m, "");
    const own = unsigned.replace(/^( +kiln:registry: ).*$/m, `$1${registry}`);
    await writeFile(stackFile(stack), `${own}\n${source}`);
  }
  await bakeDev();
  first = await warmImage("dev");
  await git("init", "--quiet");
  await commit("Warm image for dev");
});

afterAll(async () => {
  await Promise.all([staging?.stop(), prod?.stop()]);
  await kiln(checkout, ["down"]);
  await removeCheckout(checkout);
  await rm(root, { recursive: true, force: true });
});

describe("dev -> staging -> prod", () => {
  it("says on a dry run what it would do, and does nothing", async () => {
    const before = await text("staging");
    const result = await promote("dev", "staging", "--dry-run");
    expect([result.code, await text("staging")]).toEqual([0, before]);
    expect(result.stdout).toMatch(/^to copy +\d+ blobs \([\d.]+ MB\), 2 attached$/m);
    const { repository } = await warmImage("dev");
    const target = { repository: repository.replace(checkout.registry, staging?.address ?? ""), digest: first.digest };
    await expect(readImage(client, target)).rejects.toThrow();
  });

  it("goes on after Ctrl-C, which leaves the file as it was", async () => {
    const before = await text("staging");
    let sent = false;
    const result = await kiln(checkout, ["release", "promote", "--from", "dev", "--to", "staging"], {
      onStderr: (said, pid) => {
        if (sent || !said.includes("copying to")) return;
        sent = true;
        process.kill(pid, "SIGINT");
      },
    });
    expect([result.code, await text("staging")]).toEqual([130, before]);
  });

  it("has equal file-system layers, and the record, in every registry", async () => {
    const promotions = [await promoted("dev", "staging"), await promoted("staging", "prod")];
    const systems = await Promise.all(
      ["dev", "staging", "prod"].map(async (stack) => {
        const image = await warmImage(stack);
        const found = await readRecord(client, image);
        expect(found.record).toMatchObject({ image: first.digest, compileActions: 0 });
        return { digest: image.digest, diffIds: (await readImage(client, image)).config.rootfs.diff_ids };
      }),
    );
    expect(new Set(systems.map((system) => JSON.stringify(system))).size).toBe(1);
    expect(systems[0]?.diffIds.length).toBeGreaterThan(3);
    for (const { fileSystem, unchanged } of promotions) {
      expect({ unchanged, diffIds: fileSystem.diffIds }).toEqual({ unchanged: false, diffIds: systems[0]?.diffIds });
    }
    expect(promotions[0]?.fileSystem.digest).toBe(promotions[1]?.fileSystem.digest);
    expect(await text("prod")).toContain(`  kiln:warmImage: ${prod?.address ?? ""}/`);
    await commit("Promote to staging and prod");
  });

  it("says no changes the second time", async () => {
    const before = await text("prod");
    const result = await promote("staging", "prod");
    expect([result.code, await text("prod")]).toEqual([0, before]);
    expect(result.stdout).toMatch(/^no changes$/m);
    expect(result.stdout).toMatch(/equal file-system layers .* sha256:[0-9a-f]{64}$/m);
  });

  it("is previewed without a login, FROM the promoted digest", async () => {
    expect(await previewedWarmImage("prod")).toBe(`${(await warmImage("prod")).repository}@${first.digest}`);
  });
});

describe("an image that was never verified", () => {
  it("is refused with exit 3 and the commands that verify, and nothing is written", async () => {
    const image = await readImage(client, first);
    const config = { ...image.config, created: "2001-01-01T00:00:00Z" };
    const digest = await pushManifest(
      client,
      { repository: first.repository },
      { ...image.manifest, config: await pushDocument(client, first.repository, OCI.config, JSON.stringify(config)) },
    );
    const [dev, before] = [await text("dev"), await text("staging")];
    await writeWarmImage(checkout.directory, "dev", `${first.repository}@${digest}`);
    const result = await promote("dev", "staging");
    await writeFile(stackFile("dev"), dev);
    expect([result.code, await text("staging")]).toEqual([3, before]);
    expect(result.stderr).toContain(`${digest} was never verified: no verification record is attached to it`);
    expect(result.stderr).toContain("npx kiln cache bake --stack dev");
    expect(result.stderr).toContain("npx kiln cache verify --image");
  });
});

describe("a registry that takes no copy", () => {
  it.each(["read-only", "down"])("because it is %s is exit 4, and the file stays", async (state) => {
    const fresh = await RegistryProcess.start(path.join(root, state));
    const before = await text("prod");
    await writeFile(stackFile("prod"), before.replace(prod?.address ?? "", fresh.address));
    const changed = await text("prod");
    await (state === "down" ? fresh.stop() : fresh.restart({ readOnly: true }));
    const result = await promote("staging", "prod");
    const after = await text("prod");
    await writeFile(stackFile("prod"), before);
    await fresh.stop();
    expect([result.code, after]).toEqual([4, changed]);
    expect(result.stderr).toContain(state === "down" ? "does not answer" : "is read-only");
  });
});

describe("within one registry", () => {
  it("blobs are mounted, so that no layer moves", async () => {
    const from = await warmImage("staging");
    const copy = {
      from,
      image: await readImage(client, from),
      to: `${staging?.address ?? ""}/other/warm`,
      tag: "kept",
    };
    const missing = await readMissing(client, copy);
    await copyImage(client, copy, missing, silent);
    await requireCopy(client, copy);
    const log = (await staging?.log()) ?? "";
    const mounts = log
      .split("\n")
      .filter((line) => /POST \/v2\/other\/warm\/blobs\/uploads\/\?.*mount=.* 201 /.test(line));
    expect(mounts.length).toBeGreaterThanOrEqual(missing.blobs.length);
    expect((await readRecord(client, { repository: copy.to, digest: from.digest })).record).toBeDefined();
  });
});

describe("a new image and its rollback", () => {
  it("says what changes, and reverting the file brings the old image back, verified", async () => {
    const previewBefore = await previewedWarmImage("staging");
    await cp(path.join(checkout.directory, SOURCE, "beta"), path.join(checkout.directory, SOURCE, "gamma"), {
      recursive: true,
    });
    await bakeDev();
    const { change, before, warmImage: now } = await promoted("dev", "staging");
    expect(before).toContain(first.digest);
    expect(change.programs).toEqual({ added: ["gamma/one"], removed: [] });
    expect(change.layers.added.length).toBeGreaterThan(0);
    expect(change.bytesToPull).toBe(change.layers.added.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(await previewedWarmImage("staging")).toBe(now);
    await commit("Promote gamma to staging");

    await git("revert", "--no-edit", "HEAD");
    expect((await warmImage("staging")).digest).toBe(first.digest);
    expect(await previewedWarmImage("staging")).toBe(previewBefore);
    expect((await readRecord(client, await warmImage("staging"))).record).toMatchObject({ image: first.digest });
    await rm(path.join(checkout.directory, SOURCE, "gamma"), { recursive: true });
    const { repository } = await warmImage("staging");
    const select = ["--source", SOURCE, "--modules", FIXTURE_PATTERN];
    const verified = await kiln(checkout, ["cache", "verify", ...select, "--image", `${repository}@${first.digest}`]);
    expect(verified.stdout).toContain("no compile action");
    expect(verified.code).toBe(0);
  });
});

describe.runIf(isExtended)("stacks that demand a seal", () => {
  const names = ["dev", "staging", "prod"];
  const password = { COSIGN_PASSWORD: "sesame" };
  const release = (...args: readonly string[]) => kiln(checkout, ["release", ...args], { env: password });
  let cosign: string;

  const reference = async (stack: string) => {
    const { repository, digest } = await warmImage(stack);
    return `${repository}@${digest}`;
  };

  beforeAll(async () => {
    cosign = (await resolveTool("cosign", { places: places(), progress: silent })).path;
    await run(cosign, ["generate-key-pair"], { cwd: root, env: { ...process.env, ...password } });
    await cp(path.join(root, "cosign.pub"), path.join(checkout.directory, "cosign.pub"));
    for (const stack of names) await appendFile(stackFile(stack), "  kiln:signatures: { key: cosign.pub }\n");
  });

  it("refuse an image without one, with exit 3", async () => {
    const before = await text("staging");
    const result = await promote("dev", "staging");
    expect([result.code, await text("staging")]).toEqual([3, before]);
    expect(result.stderr).toContain("is not sealed for stack staging: it has no signature");
  });

  it("take it once it has, and give it to the next, as cosign itself verifies there", async () => {
    const sealed = await release(
      "seal",
      ...["--stack", "dev", "--image", await reference("dev"), "--key", path.join(root, "cosign.key")],
    );
    expect({ code: sealed.code, stderr: sealed.code === 0 ? "" : sealed.stderr }).toEqual({ code: 0, stderr: "" });
    expect(`${sealed.stdout}${sealed.stderr}`).not.toContain("sesame");
    expect((await promoted("dev", "staging")).signedBy).toBe("the key cosign.pub");
    await promoted("staging", "prod");
    const image = await reference("prod");
    const flags = ["--key", path.join(root, "cosign.pub"), "--insecure-ignore-tlog=true"];
    await run(cosign, ["verify", ...flags, image]);
    for (const type of ["slsaprovenance1", "spdxjson"]) {
      await run(cosign, ["verify-attestation", ...flags, "--type", type, image]);
    }
    const verified = await release("verify", "--stack", "prod", "--image", image, "--json");
    expect(verified.code).toBe(0);
    const { images } = JSON.parse(verified.stdout) as {
      images: { parts: { part: string; predicate?: { packages?: { name: string }[] } }[] }[];
    };
    const list = images[0]?.parts.find(({ part }) => part === "sbom")?.predicate?.packages?.map(({ name }) => name);
    expect(list).toEqual(expect.arrayContaining(["git", "stdlib", "github.com/pulumi/pulumi/pkg/v3"]));
  });

  it("take an index of images, which has exactly those and is sealed with them", async () => {
    const { repository, digest } = await warmImage("dev");
    // What else a tag names is no part of it.
    await tagManifest(client, { repository, digest: (await warmImage("staging")).digest }, "latest");
    const index = `${repository}@${await pushIndex(client, { repository }, [digest])}`;
    const flags = ["--stack", "dev", "--image", index];
    const sealed = await release("seal", ...flags, "--key", path.join(root, "cosign.key"), "--json");
    const { sealed: each } = JSON.parse(sealed.stdout) as { sealed: { image: string; added: string[] }[] };
    expect(each.map(({ image, added }) => [image, added])).toEqual([
      [`${repository}@${digest}`, []],
      [index, ["provenance", "signature"]],
    ]);
    expect((await release("verify", ...flags)).code).toBe(0);
  });

  it("are told by drift of a signature that is gone, and of one that is another's", async () => {
    const drift = () => release("drift", "--images", "--stack", "prod");
    expect((await drift()).code).toBe(0);
    const before = await text("prod");
    await run(cosign, ["generate-key-pair", "--output-key-prefix", "other"], {
      cwd: checkout.directory,
      env: { ...process.env, ...password },
    });
    await writeFile(stackFile("prod"), before.replace("{ key: cosign.pub }", "{ key: other.pub }"));
    const another = await drift();
    await writeFile(stackFile("prod"), before);
    expect([another.code, another.stdout]).toEqual([3, expect.stringContaining("a signature that does not stand")]);

    // The registry keeps it, but no longer tells of it: to whoever looks, that is the same.
    const { repository, digest } = await warmImage("prod");
    await regctl(client, repository, ["index", "create", formatReference({ repository, tag: referrersTag(digest) })]);
    const gone = await drift();
    expect([gone.code, gone.stdout]).toEqual([3, expect.stringContaining("has no signature")]);
  });
});

/** The warm image from which a preview of a stack would build, as Pulumi's plan says it. */
async function previewedWarmImage(stack: string): Promise<string> {
  const engine = await engineOf(checkout);
  const { stdout, stderr } = await engine.shell("pulumi", ["preview", "--stack", stack, "--json", "--non-interactive"]);
  const plan = /"WARM": "([^"]+)"/.exec(stdout)?.[1];
  if (plan === undefined) throw new Error(`no plan in the preview of ${stack}:\n${stdout}${stderr}`);
  return plan;
}
