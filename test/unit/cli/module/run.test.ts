import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { readCommands } from "../../../../cli/commands.ts";
import { isModuleDirectory } from "../../../../cli/module/image-argument.ts";
import { runRequest, runSettings } from "../../../../cli/module/run-options.ts";
import { exitCodeOf, resultDocument, resultText, sayEvent } from "../../../../cli/module/run-text.ts";
import type { ExecutionResult } from "../../../../execution/module/execute-options.ts";
import { parseResponse } from "../../../../execution/module/protocol.ts";
import { checkRequest } from "../../../../execution/module/request.ts";
import { sandboxOf } from "../../../../execution/sandbox.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const COMMANDS = await readCommands();

it.each(["preview", "apply", "refresh", "destroy", "import"])(
  "module %s is a command whose every option has help",
  (action) => {
    const command = COMMANDS.find(({ name }) => name === `module ${action}`);
    expect(Object.keys(command?.help ?? {}).sort()).toEqual(Object.keys(command?.options ?? { none: 1 }).sort());
  },
);

it("an argument is a directory where there is one or it is written as a path, else an image", async () => {
  expect(await isModuleDirectory(await temporaryDirectory())).toBe(true);
  expect(await isModuleDirectory("examples/modules")).toBe(true);
  for (const image of ["ghcr.io/o/module:1", "kiln-module", `r@sha256:${"0".repeat(64)}`]) {
    expect(await isModuleDirectory(image)).toBe(false);
  }
  for (const directory of ["./nothing/here", "../nothing", "/nothing/here"]) {
    await expect(isModuleDirectory(directory)).rejects.toThrow(`${directory} is no directory`);
  }
});

it("options become the request", async () => {
  const digest = `sha256:${"0".repeat(64)}`;
  const values = { "stack-name": "s", "state-mode": "remote", "plan-digest": digest, set: ["a:=1"] };
  expect(await runRequest("apply", values)).toEqual({
    ...{ action: "apply", inputs: { a: 1 }, stack_name: "s", state_mode: "remote", plan_digest: digest },
  });
  expect(await runRequest("refresh", { update: true })).toMatchObject({ refresh: { update: true } });
  expect(await runRequest("destroy", { "allow-missing-state": true })).toMatchObject({
    destroy: { allow_missing_state: true },
  });
  const resource = ["aws_s3_bucket.b=my-bucket", "aws:s3/bucket:Bucket::data=arn:x=y", 'm["a"].r=i'];
  expect((await runRequest("import", { resource })).import).toEqual([
    { address: "aws_s3_bucket.b", id: "my-bucket" },
    { address: "aws:s3/bucket:Bucket::data", id: "arn:x=y", type: "aws:s3/bucket:Bucket", name: "data" },
    { address: 'm["a"].r', id: "i" },
  ]);
});

it("options become the run's settings", () => {
  const values = {
    credentials: "aws,kubernetes",
    timeout: "30m",
    grace: "45",
    memory: "4g",
    cpus: "1.5",
    network: "none",
  };
  expect(runSettings({ ...values, state: "/s", digest: "sha256:1" })).toEqual({
    credentials: ["aws", "kubernetes"],
    digest: "sha256:1",
    limits: { timeoutMs: 1_800_000, graceMs: 45_000, memory: "4g", cpus: 1.5 },
    network: "none",
    state: { directory: "/s" },
  });
});

it.each([
  [{ timeout: "soon" }, "--timeout soon is no time"],
  [{ timeout: "0" }, "--timeout 0 is no time"],
  [{ timeout: "600h" }, "--timeout 600h is no time"],
  [{ cpus: "two" }, "--cpus two is no number of processors"],
  [{ cpus: "" }, "--cpus  is no number of processors"],
  [{ credentials: "amazon" }, 'there are no credentials called "amazon"'],
])("%j is refused", (values, message) => {
  expect(() => runSettings(values)).toThrow(message);
});

it.each([
  [{ "state-mode": "nowhere" }, "--state-mode nowhere is none of its values"],
  [{ resource: ["x"] }, "--resource x maps nothing"],
  [{ "plan-digest": "x" }, "request.plan_digest"],
])("%j is refused", async (values, message) => {
  await expect(runRequest("apply", values).then(checkRequest)).rejects.toThrow(message);
});

function resultOf(response: Readonly<Record<string, unknown>>): ExecutionResult {
  const facts = { running: false, exitCode: 0, outOfMemory: false, error: "", startedAt: "", finishedAt: "" };
  return {
    response: parseResponse(JSON.stringify({ success: true, action: "apply", ...response })),
    outputs: { url: { value: "http://a", sensitive: false }, password: { value: "hunter22", sensitive: true } },
    exitCode: 0,
    runId: "r",
    image: { reference: "i", id: "sha256:1", repoDigests: [], labels: {} },
    container: { name: "c", kept: false, ...facts },
    sandbox: sandboxOf({}, "host"),
    carried: false,
    state: { folder: "/s", serial: 3, changed: true },
  };
}

it("a result shows changes, outputs and sums, and secrets only when asked to", () => {
  const changes = [
    { resource: "bucket", action: "create", type: "aws:s3:Bucket" },
    { resource: "stack", action: "no-op" },
    { resource: "queue", action: "replace" },
  ];
  expect(resultText(resultOf({ changes }), false).split("\n")).toEqual([
    "+  create   bucket  aws:s3:Bucket",
    "±  replace  queue",
    'url       "http://a"',
    "password  [secret]",
    "1 created, 0 updated, 1 replaced, 0 deleted, 1 the same",
    "state 3 in /s",
    "relaxed: the network of the engine's machine, its loopback included",
  ]);
  expect(resultText(resultOf({}), true)).toContain('password  "hunter22"');
  const hidden = JSON.stringify(resultDocument(resultOf({}), false));
  expect(hidden).not.toContain("hunter22");
  expect(JSON.parse(hidden)).toMatchObject({
    outputs: { url: { value: "http://a" }, password: { value: null, sensitive: true } },
  });
  expect(JSON.stringify(resultDocument(resultOf({}), true))).toContain("hunter22");
});

it("a preview says what would be, and the digest to apply it by; a refresh says drift", () => {
  const changes = [{ resource: "a", action: "update" }];
  const preview = resultText(resultOf({ action: "preview", changes, plan_digest: "sha256:1" }), false);
  expect(preview).toContain("0 to create, 1 to update, 0 to replace, 0 to delete, 0 the same\nplan digest sha256:1");
  expect(resultText(resultOf({ action: "refresh", drift: true }), false)).toContain(
    "drift: resources are not as the state says",
  );
});

it("an apply whose plan moved says what would be: nothing was done", () => {
  const detail = { code: "plan_moved", phase: "planning", message: "moved", retryable: false };
  const changes = [{ resource: "a", action: "create" }];
  const text = resultText(resultOf({ success: false, changes, error: "moved", error_detail: detail }), false);
  expect(text).toContain("1 to create, 0 to update");
  expect(text).not.toContain("created");
});

it("a state that stands in no directory is printed: it is nowhere else", () => {
  const state = {
    ...{ format: "kiln-state/v1", tool: "pulumi", stack: "s", lineage: "0d9f3f0e-1f3c-4d57-9a55-3a9a0a1f0c11" },
    ...{ serial: 4, cipher: "aes-256-gcm", nonce: "AAAA", data: "AAAA" },
  };
  const { image, sandbox, container, exitCode, runId, outputs, response } = resultOf({ state });
  const result = { image, sandbox, container, exitCode, runId, outputs, response, carried: true };
  const lines = resultText(result, false).split("\n");
  const at = lines.findIndex((line) => line.startsWith("state 4 of s, sealed"));
  expect(JSON.parse(lines[at + 1] ?? "")).toEqual(state);
  // Of a preview it is the one that was given; one that nobody could open is kept elsewhere.
  for (const other of [resultOf({ state }), { ...result, carried: false }]) {
    expect(resultText(other, false)).not.toContain("lineage");
  }
});

it("a container that is kept is named with the result, which people see with --quiet too", () => {
  const result = resultOf({ success: false, error: "the disk is full" });
  expect(resultText(result, false)).not.toContain("kept");
  const kept = { ...result, container: { ...result.container, kept: true } };
  expect(resultText(kept, false)).toMatch(/the disk is full\nkept: the container c, whose state is not saved yet$/);
});

it("a failure says its code, phase and reason", () => {
  const detail = { code: "state_locked", phase: "running", message: "held by x", retryable: true };
  const text = resultText(resultOf({ success: false, error: "held by x", error_detail: detail }), false);
  expect(text.split("\n").at(-1)).toBe("failed (state_locked, while running, may be tried again): held by x");
});

it.each([
  ["state_missing", "--allow-missing-state"],
  ["plan_moved", "kiln module preview"],
  ["state_key_wrong", "KILN_STATE_PASSPHRASE"],
])("a run that ends with %s says what to do here", (code, mend) => {
  const detail = { code, phase: "preparing", message: "no", retryable: false };
  const text = resultText(resultOf({ success: false, error: "no", error_detail: detail }), false);
  expect(text.split("\n").at(-2)).toBe(`failed (${code}, while preparing): no`);
  expect(text.split("\n").at(-1)).toContain(mend);
});

const EXITS: readonly (readonly [Readonly<Record<string, unknown>>, number])[] = [
  [{ success: true }, 0],
  [{ success: true, drift: true }, 3],
  [{ success: true, drift: false }, 0],
  [{ success: false }, 1],
  [{ success: false, error_detail: { code: "bad_request" } }, 2],
  [{ success: false, error_detail: { code: "unsupported_action" } }, 2],
  [{ success: false, error_detail: { code: "plan_moved" } }, 3],
  [{ success: false, error_detail: { code: "state_missing" } }, 3],
  [{ success: false, error_detail: { code: "state_mismatch" } }, 3],
  [{ success: false, error_detail: { code: "state_key_wrong" } }, 3],
  [{ success: false, error_detail: { code: "resource_failed" } }, 1],
  [{ success: false, error_detail: { code: "deadline_exceeded" } }, 1],
  [{ success: false, error_detail: { code: "cancelled" } }, 130],
];

it.each(EXITS)("%j ends the command with %i", (response, code) => {
  expect(exitCodeOf(resultOf(response).response, checkRequest({ action: "refresh" }))).toBe(code);
});

it("drift that was taken into the state is no difference any more, whether an option or a file asked for that", async () => {
  const { response } = resultOf({ action: "refresh", drift: true });
  const input = path.join(await temporaryDirectory(), "request.json");
  await writeFile(input, JSON.stringify({ action: "refresh", refresh: { update: true } }));
  for (const values of [{ update: true }, { input }]) {
    expect(exitCodeOf(response, await runRequest("refresh", values))).toBe(0);
  }
  expect(exitCodeOf(response, await runRequest("refresh", {}))).toBe(3);
});

it("a refresh that failed says nothing of drift", () => {
  const failed = resultOf({ action: "refresh", success: false, drift: false, error: "denied" });
  expect(resultText(failed, false)).not.toContain("drift");
});

it("events are said as they come", () => {
  const said: unknown[] = [];
  const say = (kind: string) => (text: string) => void said.push([kind, text]);
  const progress = { step: say("step"), update: say("update"), note: say("note") };
  sayEvent({ at: "", kind: "phase", phase: "running" }, progress);
  sayEvent({ at: "", kind: "resource", action: "create", resource: "b", status: "started" }, progress);
  sayEvent({ at: "", kind: "log", message: "hello" }, progress);
  sayEvent({ at: "", kind: "log", message: "" }, progress);
  sayEvent({ at: "", kind: "diagnostic", severity: "error", message: "no" }, progress);
  expect(said).toEqual([
    ["step", "running"],
    ["update", "create b started"],
    ["note", "hello"],
    ["note", "error: no"],
  ]);
});

it("what an image answers is shown and never obeyed by a terminal", () => {
  const acting = "\u001b[2J\u009b0m";
  const state = {
    ...{ format: "kiln-state/v1", tool: "pulumi", stack: acting, lineage: "0d9f3f0e-1f3c-4d57-9a55-3a9a0a1f0c11" },
    ...{ serial: 4, cipher: "aes-256-gcm", nonce: "AAAA", data: "AAAA" },
  };
  const detail = { code: "internal", phase: acting, message: acting, retryable: false };
  const said = { plan_digest: acting, success: false, error: acting, error_detail: detail };
  const changes = [{ resource: acting, action: "create", type: acting }];
  const { image, sandbox, container, exitCode, runId, outputs, response } = resultOf({ ...said, state, changes });
  const result = { image, sandbox, container, exitCode, runId, outputs, response, carried: true };
  const text = resultText(result, false);
  expect(text).toContain("plan digest \u241b[2J\ufffd0m");
  expect(text).toContain("state 4 of \u241b[2J");
  expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
});
