import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseResult, type JobResult } from "../../execution/job/result.ts";
import type { JobRuns } from "./job-runs.ts";
import { kilnCommand, type RunningCommand } from "./module-command.ts";
import { ISSUE, KEY, PASSWORD } from "./vault-of-jobs.ts";
import type { VaultServer } from "./vault-server.ts";

const SECRETS = {
  DB_PASSWORD: { path: "secret/data/app", field: "password" },
  DB_KEY: { path: "secret/data/app", field: "key", as: "file" },
  TLS_CERT: { path: ISSUE, field: "certificate", as: "file", with: { common_name: "job.example" } },
  TLS_KEY: { path: ISSUE, field: "private_key", as: "file", with: { common_name: "job.example" } },
};

/** Ends with 9 where it got something else than it should; says and leaves what it must not; waits until it may end. */
const SCRIPT = `
import hashlib, os, ssl, sys, time, urllib.request
option = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
password, key = os.environ["DB_PASSWORD"], open(os.environ["DB_KEY"]).read()
if hashlib.sha256((password + key).encode()).hexdigest() != option["expected"]: sys.exit(9)
ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(os.environ["TLS_CERT"], os.environ["TLS_KEY"])
print("marker of the output", password, key, open(os.environ["TLS_KEY"]).read(), flush=True)
for name, text in (("marker", "marker of an artifact"), ("leak", password)):
    with open(os.path.join(os.environ["ARTIFACTS_DIR"], name), "w") as file: file.write(text)
if option["gate"]: urllib.request.urlopen(option["gate"]).read()
time.sleep(float(option["sleep"])); sys.exit(int(option["code"]))`;

export interface AskedVaultJob {
  /** What proves who this is, by the names of secrets. */
  readonly login: Readonly<Record<string, string>>;
  readonly settings: object;
  readonly parameters?: object;
  readonly options?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

export interface EndedVaultJob {
  readonly code: number | null;
  readonly result: JobResult;
  /** All that kiln printed. */
  readonly said: string;
  /** The folder of its history, which no other job has. */
  readonly history: string;
}

/** Starts `kiln job run` with secrets of a Vault, as a person does whose environment says where that is. */
export async function startVaultJob(
  { login, settings, parameters, options = [], env = {} }: AskedVaultJob,
  runs: JobRuns,
  vault: VaultServer,
): Promise<{ readonly command: RunningCommand; readonly ended: Promise<EndedVaultJob> }> {
  const home = await mkdtemp(path.join(runs.folder, "run-"));
  const [history, scripts] = [path.join(home, "history"), path.join(home, "scripts")];
  const write = async (name: string, text: string) => {
    await writeFile(path.join(home, name), text, { mode: 0o600 });
    return path.join(home, name);
  };
  await mkdir(scripts);
  await write("scripts/job.py", SCRIPT);
  const secrets = Object.entries(login).map(async ([name, value]) => [
    "--secret",
    `${name}=${await write(name, value)}`,
  ]);
  const expected = createHash("sha256").update(`${PASSWORD}${KEY}`).digest("hex");
  const given = JSON.stringify({ expected, gate: "", sleep: 0, code: 0, ...parameters });
  const args = [
    ...["job", "run", "--image", runs.image, "--script", "job", "--repo", scripts, "--parameters", given],
    ...["--vault", await write("vault.json", JSON.stringify({ secrets: SECRETS, ...settings }))],
    ...["--history", history, "--grace", "1s", ...(await Promise.all(secrets)).flat(), ...options],
  ];
  const where = { VAULT_ADDR: vault.address, VAULT_CACERT: vault.caFile };
  const command = kilnCommand(args, { ...process.env, ...where, ...env });
  const ended = command.ended.then(async (code) => {
    const [folder = ""] = await readdir(history).catch(() => []);
    const result = await readFile(path.join(history, folder, "result.json"), "utf8").catch(() => "{}");
    return { code, result: parseResult(result), said: command.said(), history };
  });
  return { command, ended };
}
