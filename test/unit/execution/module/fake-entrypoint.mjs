// Plays a module's container: reads the request and the secret channel as the real entrypoint does, and does what the
// test's scenario says. Inputs come back as outputs, secret ones sealed.
import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const [home, folder] = process.argv.slice(2);
const injected = path.join(folder, "workspace/run");
const workspace = existsSync(injected) ? injected : path.join(folder, "workspace");
const scenario = JSON.parse(readFileSync(path.join(home, "scenario.json"), "utf8"));
const request = JSON.parse(readFileSync(path.join(workspace, "input.json"), "utf8"));
const secrets = JSON.parse(readFileSync(path.join(folder, "stdin"), "utf8"));
const key = Buffer.from(secrets.state_key, "base64");

const response = { success: false, action: request.action, phase: "starting", run_id: request.run_id };
function save(fields) {
  Object.assign(response, fields);
  writeFileSync(path.join(workspace, "partial"), JSON.stringify(response));
  renameSync(path.join(workspace, "partial"), path.join(workspace, "output.json"));
}
const say = (event) => process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`);
function seal(name, value) {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", scenario.otherKey ? randomBytes(32) : key, nonce).setAAD(
    Buffer.from(`output:${name}`),
  );
  const data = Buffer.concat([nonce, cipher.update(JSON.stringify(value)), cipher.final(), cipher.getAuthTag()]);
  return { value: null, sensitive: true, encrypted: data.toString("base64") };
}
/** The state mode, as the entrypoint of the scenario's tool finds it. */
function stateMode() {
  if (request.state_mode !== undefined) return request.state_mode;
  if (request.backend !== undefined && request.backend.type !== "local") return "remote";
  if (request.state !== undefined || request.backend !== undefined || scenario.tool === "opentofu") return "carried";
  return (request.environment?.PULUMI_BACKEND_URL ?? "") === "" ? "carried" : "remote";
}
function nextState() {
  if (stateMode() !== "carried" && scenario.state === undefined) return undefined;
  const first = { lineage: "0d9f3f0e-1f3c-4d57-9a55-3a9a0a1f0c11", serial: 0 };
  const { lineage, serial } = request.state ?? first;
  const sealed = {
    cipher: "aes-256-gcm",
    nonce: randomBytes(12).toString("base64"),
    data: randomBytes(30).toString("base64"),
  };
  const state = {
    format: "kiln-state/v1",
    tool: scenario.tool ?? "pulumi",
    stack: request.stack_name ?? "",
    lineage,
    serial: serial + 1,
    ...sealed,
  };
  return { ...state, ...scenario.state };
}
function end(fields, code) {
  save({ ...fields, phase: "done" });
  writeFileSync(path.join(folder, "exit"), String(code));
  process.exit(code);
}

/** Of inputs, variables and files, the secret ones too, by the run's key; what says how one logs in is left out. */
function planDigest() {
  const counts = ([name]) => !/^(?:AWS_|GITHUB_TOKEN)/.test(name);
  const environment = Object.entries({ ...request.environment, ...secrets.environment })
    .filter(counts)
    .sort();
  const files = Object.entries(secrets.files ?? {})
    .filter(counts)
    .sort();
  const inputs = Object.entries({ ...request.inputs, ...secrets.inputs }).sort();
  const text = JSON.stringify([inputs, environment, files]);
  return `sha256:${createHmac("sha256", key).update(text).digest("hex")}`;
}

process.on("SIGTERM", async () => {
  if (scenario.ignoresTerm) return;
  await sleep(scenario.graceMs ?? 0);
  const message = "cancelled by SIGTERM";
  const state = request.stack_name === undefined ? {} : { state: nextState() };
  end(
    { ...state, error: message, error_detail: { code: "cancelled", phase: "running", message, retryable: false } },
    143,
  );
});

if (!scenario.silent) {
  save({ error: "not finished: starting" });
  for (const phase of ["preparing", "running"]) say({ kind: "phase", phase });
  save({ phase: "running", error: "not finished: running" });
}
if (scenario.leak) {
  const everything = JSON.stringify(secrets);
  say({ kind: "log", message: `config: ${everything}` });
  process.stdout.write(`plain ${everything}\n`);
  process.stderr.write(`${JSON.stringify(everything)} ${encodeURIComponent(Object.values(secrets.inputs)[0])}\n`);
}
for (let line = 0; line < (scenario.lines ?? 0); line++) say({ kind: "log", message: `line ${line}` });
if (scenario.runMs) await sleep(scenario.runMs);
if (scenario.link) symlinkSync(scenario.link, path.join(workspace, "output.json"));
if (scenario.dies !== undefined) {
  writeFileSync(path.join(folder, "exit"), String(scenario.dies));
  process.exit(scenario.dies);
}
const outputs = Object.fromEntries([
  ...Object.entries(request.inputs).map(([name, value]) => [name, { value }]),
  ...Object.entries(secrets.inputs ?? {}).map(([name, value]) => [name, scenario.leak ? { value } : seal(name, value)]),
]);
const leaked = scenario.leak
  ? { logs: JSON.stringify(secrets), changes: [{ resource: "r", action: "create", after: secrets }] }
  : {};
const plans = scenario.plans && secrets.state_key_lasting !== false;
const planned = plans && request.action === "preview" ? { plan_digest: planDigest() } : {};
if (plans && request.plan_digest !== undefined && request.plan_digest !== planDigest()) {
  const message = "$.plan_digest: the plan is another one now";
  end({ error: message, error_detail: { code: "plan_moved", phase: "planning", message, retryable: false } }, 3);
}
end(
  { success: true, error: undefined, outputs, ...planned, state: nextState(), ...leaked, ...scenario.response },
  scenario.exit ?? 0,
);
