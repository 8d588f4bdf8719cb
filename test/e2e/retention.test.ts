import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { HistoryEntry } from "../../cli/release/history.ts";
import { silent } from "../../progress.ts";
import type { Prune } from "../../release/prune.ts";
import { places } from "../../toolchain/places.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { kiln, makeCheckout, removeCheckout, type Checkout } from "../support/checkout.ts";
import { RegistryProcess } from "../support/registry-process.ts";
import { keyOf, ReleaseRegistry } from "../support/release-registry.ts";

const RELEASES = Array.from({ length: 20 }, (_, index) => index + 1);
const DAY_MS = 86_400_000;

/** One release every 20 days; what stays is what dev had in 90 days, prod's last two, an open branch, tags, an index. */
const KEPT = [...[15, 16, 17, 18, 19, 20], 10, 12, ...[7, 14], 3, 1];
const GONE = RELEASES.filter((number) => !KEPT.includes(number));

let root = "";
let checkout: Checkout;
let running: RegistryProcess;
let warm: ReleaseRegistry;

const stackFile = (stack: string) => path.join(checkout.directory, `stacks/Pulumi.${stack}.yaml`);

async function putReleases(): Promise<void> {
  for (const number of RELEASES) await warm.putRelease(number);
  await warm.tag("image 1", "nightly");
  for (const number of [7, 14]) await warm.tag(`image ${number}`, `v1.0.${number}`);
  for (const number of [5, 10, 15]) {
    await warm.tag(`image ${number}`, `promoted-${warm.digest(`image ${number}`).slice(7, 39)}`);
  }
  await warm.putIndex("index 3", "image 3", "v1.0.3");
  await warm.putIndex("index 2", "image 2", `promoted-${keyOf("index 2")}`);
  await warm.attach("signature 20", "record 20", "application/vnd.test.signature", "signed");
  for (const number of [4, 19]) await warm.attachByTag(`cosign ${number}`, `image ${number}`);
}

/** What belongs to the releases that stay, and nothing else. */
function expected(): readonly string[] {
  const names = KEPT.flatMap((number) => [
    ...[`image ${number}`, `record ${number}`, `list of record ${number}`],
    ...[`aws ${number}`, `common ${Math.ceil(number / 5)}`],
  ]);
  const others = ["base", "index 3", "signature 20", "list of signature 20", "cosign 19"];
  return [...new Set([...names, ...others])].sort();
}

/** Writes what a stack names, and commits it some days ago. */
async function commit(stack: string, number: number): Promise<void> {
  const [registry] = warm.repository.split("/");
  const named = `${warm.repository}@${warm.digest(`image ${number}`)}`;
  await writeFile(stackFile(stack), `config:\n  kiln:registry: ${registry ?? ""}\n  kiln:warmImage: ${named}\n`);
  const date = new Date(Date.now() - (RELEASES.length - number) * 20 * DAY_MS - DAY_MS / 2).toISOString();
  await git(["add", "stacks"], date);
  await git(["commit", "--quiet", "--message", `Release ${number} to ${stack}`], date);
}

async function git(args: readonly string[], date = new Date().toISOString()): Promise<string> {
  const who = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
  const env = { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
  return (await run("git", [...who, ...args], { cwd: checkout.directory, env })).stdout.trim();
}

async function prune(...flags: readonly string[]): Promise<Prune> {
  const args = ["release", "prune", "--stack", "dev", "--keep-last", "2", "--json", ...flags];
  const { code, stdout, stderr } = await kiln(checkout, args);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Prune;
}

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "kiln-retention-"));
  checkout = await makeCheckout();
  const regctl = (await resolveTool("regctl", { places: places(), progress: silent })).path;
  // A registry deletes nothing unless it is told that it may.
  vi.stubEnv("REGISTRY_STORAGE_DELETE_ENABLED", "true");
  running = await RegistryProcess.start(root);
  warm = new ReleaseRegistry({ regctl }, `${running.address}/kiln/base-images/iac-runner-warm`);
  await putReleases();
  await git(["init", "--quiet", "--initial-branch=main"]);
  for (const number of RELEASES) {
    await commit("dev", number);
    if ([5, 10, 15].includes(number)) await commit("prod", number);
  }
  await git(["checkout", "--quiet", "-b", "promote-prod"]);
  await commit("prod", 12);
  await git(["checkout", "--quiet", "main"]);
});

afterAll(async () => {
  await running.stop();
  await removeCheckout(checkout);
  await rm(root, { recursive: true, force: true });
});

describe("a clean-up after twenty releases", () => {
  it("says first what it would delete and why the rest stays, and changes nothing", async () => {
    const before = await warm.present();
    const { keep, remove, foreign } = await prune("--grace-hours", "0");
    const names = new Map([...warm.manifests].map(([name, digest]) => [digest, name]));
    expect(keep.map(({ digest }) => names.get(digest)).sort()).toEqual(expected());
    const others = before.filter((name) => !expected().includes(name));
    expect(remove.map(({ digest }) => names.get(digest)).sort()).toEqual(others);
    const reason = (name: string) => keep.find(({ digest }) => digest === warm.digest(name))?.reason;
    expect(reason("image 20")).toMatch(/^stacks\/Pulumi\.dev\.yaml at [0-9a-f]{7}$/);
    expect(reason("image 10")).toMatch(/^stacks\/Pulumi\.prod\.yaml at [0-9a-f]{7}$/);
    expect(reason("image 12")).toBe("stacks/Pulumi.prod.yaml at promote-prod");
    expect([reason("image 7"), reason("index 3")]).toEqual(["tag v1.0.7", "tag v1.0.3"]);
    expect(reason("image 3")).toBe(`part of ${warm.digest("index 3").slice(0, 19)}`);
    expect(foreign).toEqual([`${warm.repository}:nightly`]);
    expect(await warm.present()).toEqual(before);
  });

  it("deletes nothing that it has not seen unused for a day, and notes what it sees", async () => {
    const before = await warm.present();
    const { removed, failed } = await prune("--yes");
    expect([removed, failed]).toEqual([[], []]);
    expect(await warm.present()).toEqual(before);
    expect(await warm.tags()).toContain("kiln-unused-since");
  });

  it("leaves exactly what is reachable", async () => {
    const { failed, removed } = await prune("--yes", "--grace-hours", "0");
    expect(failed).toEqual([]);
    expect(await warm.present()).toEqual(expected());
    expect(removed).toHaveLength(warm.manifests.size - expected().length);
    const old = ["kiln-unused-since", ...GONE.map((number) => `inputs-${keyOf(`${number}`)}`)];
    expect((await warm.tags()).filter((tag) => old.includes(tag))).toEqual([]);
    expect((await prune("--yes", "--grace-hours", "0")).remove).toEqual([]);
  });

  it("leaves every kept image whole once the registry has collected its garbage", async () => {
    await running.stop();
    const { path: binary } = await resolveTool("registry", { places: places(), progress: silent });
    await run(binary, ["garbage-collect", path.join(root, "config.json")]);
    await running.restart();
    for (const number of KEPT) expect(await warm.missingBlobs(`image ${number}`)).toEqual([]);
    expect([await warm.hasLayer("aws 1"), await warm.hasLayer("aws 2")]).toEqual([true, false]);
  });
});

describe("a clean-up from another commit than that of main", () => {
  it("leaves what main's last versions name, however long ago", async () => {
    await git(["checkout", "--quiet", "--detach", await git(["log", "--format=%H", "--grep=^Release 1 to dev"])]);
    const { remove } = await prune("--keep-days", "0", "--grace-hours", "0");
    await git(["checkout", "--quiet", "main"]);
    const names = new Map([...warm.manifests].map(([name, digest]) => [digest, name]));
    const gone = new Set(remove.map(({ digest }) => names.get(digest)));
    for (const number of [20, 19, 15, 10]) expect(gone.has(`image ${number}`), `image ${number}`).toBe(false);
    expect(gone.has("image 17")).toBe(true);
  });
});

describe("the history of a stack", () => {
  it("tells what the registry has still, and under which release", async () => {
    const { code, stdout, stderr } = await kiln(checkout, ["release", "history", "--stack", "prod", "--json"]);
    expect(code, stderr).toBe(0);
    const { images } = JSON.parse(stdout) as { readonly images: readonly HistoryEntry[] };
    expect(images.map(({ subject, state }) => [subject, state?.registry])).toEqual([
      ["Release 15 to prod", "verified"],
      ["Release 10 to prod", "verified"],
      ["Release 5 to prod", "gone"],
    ]);
    const dev = await kiln(checkout, ["release", "history", "--stack", "dev"]);
    expect(dev.stdout).toMatch(/ verified +v1\.0\.14 .* Release 14 to dev$/m);
  });

  it("is what a rollback goes back in, to what is there and verified alone", async () => {
    const first = await git(["log", "--format=%H", "--grep=Release 5 to prod"]);
    const refused = await kiln(checkout, ["release", "rollback", "--stack", "prod", "--to", first]);
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining("has no sha256:") as string });
    const { code, stdout, stderr } = await kiln(checkout, ["release", "rollback", "--stack", "prod"]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("commit it, then `pulumi up -s prod`");
    expect(await readFile(stackFile("prod"), "utf8")).toContain(`@${warm.digest("image 10")}\n`);
  });
});

describe("a clean-up that does not know all that is in use", () => {
  const refused = async (said: string, ...flags: readonly string[]) => {
    const before = await warm.present();
    const { code, stderr } = await kiln(checkout, ["release", "prune", "--grace-hours", "0", "--yes", ...flags]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
    expect(await warm.present()).toEqual(before);
  };

  it("is refused in a clone that is behind what was promoted since", async () => {
    const origin = path.join(root, "origin");
    await git(["clone", "--quiet", "--bare", ".", origin]);
    await git(["remote", "add", "origin", origin]);
    await git(["fetch", "--quiet", "origin"]);
    expect((await prune("--yes", "--grace-hours", "0")).removed).toEqual([]);
    await run("git", ["update-ref", "refs/heads/main", "refs/heads/promote-prod"], { cwd: origin });
    await refused("git fetch --prune origin", "--stack", "dev");
    await git(["remote", "remove", "origin"]);
  });

  it("is refused of the images of a standalone stack, until its running one is named", async () => {
    const [registry = ""] = warm.repository.split("/");
    const standalone = `config:\n  kiln:registry: ${registry}\n  kiln:image: { dockerfile: standalone }\n`;
    await writeFile(stackFile("edge"), standalone);
    await refused("stack edge is standalone", "--stack", "dev");
    const runner = `${warm.repository.replace(/-warm$/, "")}@${warm.digest("image 20")}`;
    expect((await prune("--running", `edge=${runner}`)).dryRun).toBe(true);
    await rm(stackFile("edge"));
  });
});
