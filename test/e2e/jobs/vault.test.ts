import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { engineEnvironment } from "../../../toolchain/docker-engine.ts";
import { jobEngine, jobImage, JobRuns } from "../../support/job-runs.ts";
import { filesBelow, inBase64, ofProcesses, printedBy, searched } from "../../support/searched-places.ts";
import { startVaultJob, type AskedVaultJob } from "../../support/vault-job.ts";
import { ISSUE, KEY, PASSWORD, prepareVault, type VaultOfJobs } from "../../support/vault-of-jobs.ts";
import { vaultOrReason, VaultServer } from "../../support/vault-server.ts";
import { unpackedImage } from "../../support/word-search.ts";

const tool = await vaultOrReason();
if (typeof tool === "string") console.warn(`skipped: ${tool}`);

/** Vault ends a token at once, and the leases of it right after. */
const PATIENT = { timeout: 10_000, interval: 100 };

/** A file of the job's container that its script alone has. */
const secretFile = (name: string, file: string) => `/run/kiln/kiln-run/vault/${name}/${file}`;

describe.skipIf(typeof tool === "string")("secrets of Vault itself", () => {
  let runs: JobRuns;
  let vault: VaultServer;
  let jobs: VaultOfJobs;
  let before: number;
  let reached: Awaited<ReturnType<JobRuns["hostAddress"]>>;
  let host: string;
  let gate: Server;
  /** What happens while the script waits. */
  let meanwhile: () => Promise<void>;

  beforeAll(async () => {
    if (typeof tool === "string") return;
    const engine = await jobEngine();
    runs = new JobRuns(engine, await jobImage(engine), await mkdtemp(path.join(tmpdir(), "kiln-test-vault-")));
    reached = await runs.hostAddress();
    host = reached.address;
    vault = await VaultServer.start(tool, runs.folder, host);
    jobs = await prepareVault(vault, runs.folder);
    before = await jobs.tokens();
    gate = createServer((_, response) => void meanwhile().finally(() => response.end()));
    gate.listen(0, host);
    await once(gate, "listening");
  }, 2_700_000);

  afterAll(async () => {
    gate.close();
    await vault.stop();
    await reached.remove();
    await rm(runs.folder, { recursive: true, force: true });
  });

  afterEach(async () => {
    expect(await jobs.tokens()).toBe(before);
    await vi.waitFor(async () => {
      expect(await vault.leases(ISSUE)).toEqual([]);
    }, PATIENT);
    expect(await runs.leftovers()).toEqual([]);
  });

  const kilnJob = (asked: AskedVaultJob) => startVaultJob(asked, runs, vault);
  const statusOf = async (lease: string) => (await vault.call("PUT", "sys/leases/lookup", { lease_id: lease })).status;
  const approle = async () => ({ VAULT_ROLE_ID: jobs.roleId, VAULT_SECRET_ID: await jobs.secretId() });

  it("reach the script, are nowhere else, and their leases and token are gone afterwards", async () => {
    const login = await approle();
    const docker = (...args: readonly string[]) => printedBy(runs.engine.docker, args, engineEnvironment(runs.engine));
    let [words, lease, token]: [readonly string[], string, string] = [[], "", ""];
    const during: unknown[] = [];
    meanwhile = async () => {
      const listed = await runs.docker("ps", "--filter", "label=dev.kiln.job=of-vault", "--format", "{{.Names}}");
      const name = listed.stdout.trim();
      const content = async (file: string) => (await runs.docker("exec", name, "cat", file)).stdout;
      token = await content(secretFile("token", "token"));
      const [, line = ""] = (await content(secretFile("TLS_KEY", "tls_key"))).split("\n");
      const plain = [PASSWORD, ...KEY.trim().split("\n"), login.VAULT_ROLE_ID, login.VAULT_SECRET_ID, token, line];
      words = plain.flatMap((word) => [word, ...inBase64(word)]);
      [lease = ""] = await vault.leases(ISSUE);
      during.push(await statusOf(lease));
      during.push((await vault.call("GET", "auth/token/lookup-self", undefined, { token })).status);
      const [cmdline, environ] = [await ofProcesses("cmdline"), await ofProcesses("environ")];
      const isScript = (id: string) => cmdline.get(id)?.includes("job.py\0--expected") === true;
      const have = [...environ].filter(([, text]) => words.some((word) => text.includes(word)));
      during.push(have.length > 0 && have.every(([id]) => isScript(id)));
      during.push(
        await searched(words, [
          { name: "docker inspect", control: "of-vault", source: docker("inspect", name) },
          // The engine keeps no log of a job, and says so.
          { name: "docker logs", control: "logging driver", source: docker("logs", name) },
          { name: "output", control: "marker of the output", source: docker("cp", `${name}:/workspace/output`, "-") },
          { name: "container", control: "PRETTY_NAME", source: docker("export", name) },
          { name: "arguments", control: "job.py", source: Readable.from([...cmdline.values()].join("\n")) },
        ]),
      );
    };
    const { port } = gate.address() as AddressInfo;
    const started = await kilnJob({
      ...{ login, settings: { auth: "approle" }, parameters: { gate: `http://${host}:${port}/` } },
      options: ["--job-id", "of-vault", "--vault-namespace", "team-of-test"],
    });
    const { code, result, said, history } = await started.ended;
    expect(result, said).toMatchObject({ status: "succeeded", artifacts: [{ name: "marker" }] });
    expect(result.artifacts_refused).toMatchObject([{ name: "leak" }]);
    expect(code).toBe(0);
    expect(during).toEqual([200, 200, true, { left: [], blind: [] }]);
    await vi.waitFor(async () => {
      expect(await statusOf(lease)).toBe(400);
    }, PATIENT);
    expect((await vault.call("GET", "auth/token/lookup-self", undefined, { token })).status).toBe(403);
    const image = unpackedImage(docker("save", runs.image));
    const after = await searched(words, [
      { name: "what kiln printed", control: "marker of the output", source: Readable.from(said) },
      { name: "history", control: "marker of an artifact", source: await filesBelow(history) },
      { name: "result", control: '"succeeded"', source: Readable.from(JSON.stringify(result)) },
      { name: "image", control: "PRETTY_NAME", source: image },
    ]);
    expect(after).toEqual({ left: [], blind: [] });
    expect(await jobs.audit()).toContain('"team-of-test"');
  });

  it.each([
    ["failed", { code: 3 }, [], 1],
    ["timed_out", { sleep: 60 }, ["--timeout", "2s"], 1],
  ])("are given back where the job %s", async (status, parameters, options, exit) => {
    const { ended } = await kilnJob({ login: await approle(), settings: { auth: "approle" }, parameters, options });
    const { code, result, said } = await ended;
    expect(result.status, said).toBe(status);
    expect(code).toBe(exit);
  });

  it("are given back where somebody presses Ctrl-C", async () => {
    const asked = { login: await approle(), settings: { auth: "approle" }, parameters: { sleep: 60 } };
    const { command, ended } = await kilnJob(asked);
    await command.saying(/marker of the output/);
    expect((await vault.leases(ISSUE)).length).toBe(1);
    command.child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 130, result: { status: "canceled" } });
  });

  it("come by a wrapping token, of a token or of an AppRole's half, and by none twice", async () => {
    const [token, half] = [await jobs.wrapped(), await jobs.secretId("60s")];
    for (const login of [{ VAULT_TOKEN: token }, { VAULT_TOKEN: half, VAULT_ROLE_ID: jobs.roleId }]) {
      for (const status of ["succeeded", "failed"]) {
        const { ended } = await kilnJob({ login, settings: { auth: "wrapped" } });
        const { result, said } = await ended;
        expect(result.status, said).toBe(status);
        if (status === "failed") expect(result.error_detail?.code).toBe("vault_failed");
      }
    }
  });

  it("come by the token of a pod, and by none for somebody else", async () => {
    for (const [audience, status] of [
      ["vault", "succeeded"],
      ["elsewhere", "failed"],
    ] as const) {
      const settings = { auth: "kubernetes", role: "job" };
      const { ended } = await kilnJob({ login: { VAULT_JWT: jobs.podToken(audience) }, settings });
      const { result, said } = await ended;
      expect(result.status, said).toBe(status);
    }
  });

  it("do not come from a Vault that nobody vouches for, nor over plain http", async () => {
    for (const [env, message] of [
      [{ VAULT_CACERT: "" }, "certificate"],
      [{ VAULT_ADDR: vault.address.replace("https", "http") }, "a token would be read on the way"],
    ] as const) {
      const { ended } = await kilnJob({ login: await approle(), settings: { auth: "approle" }, env });
      const { result, said } = await ended;
      expect(result, said).toMatchObject({ status: "failed" });
      expect(result.error).toContain(message);
    }
  });
});
