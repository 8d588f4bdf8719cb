import { EXIT } from "../../errors.ts";
import type { ExecutionResult, StateResult } from "../../execution/module/execute-options.ts";
import { reportsOnly } from "../../execution/module/request-rules.ts";
import type { ModuleRequest } from "../../execution/module/request.ts";
import type { ErrorCode, ModuleEvent, ModuleResponse, ResourceChange } from "../../execution/module/response.ts";
import { isEnvelope } from "../../execution/module/state-envelope.ts";
import { REDACTED } from "../../execution/redactor.ts";
import type { Progress } from "../../progress.ts";
import { printable, printableLine } from "../printable.ts";
import { table } from "../printer.ts";

const SIGNS: Readonly<Record<ResourceChange["action"], string>> = {
  create: "+",
  update: "~",
  delete: "-",
  replace: "±",
  "no-op": " ",
  read: "<",
  import: "=",
};

/** What a person sees of a run: changes, outputs, summary; why it failed. Secrets only with `showSecrets`. */
export function resultText(result: ExecutionResult, showSecrets: boolean): string {
  const { response, outputs, state, sandbox, container } = result;
  const changed = response.changes.filter(({ action }) => action !== "no-op").map(changeRow);
  const rows = Object.entries(outputs).map(([name, { value, sensitive }]) => [
    printableLine(name),
    sensitive && !showSecrets ? REDACTED : printableLine(JSON.stringify(value)),
  ]);
  return [
    ...(changed.length === 0 ? [] : [table(changed)]),
    ...(rows.length === 0 ? [] : [table(rows)]),
    summaryText(response),
    ...(response.drift === undefined || !response.success
      ? []
      : [response.drift ? "drift: resources are not as the state says" : "no drift"]),
    ...(response.plan_digest === undefined ? [] : [printableLine(`plan digest ${response.plan_digest}`)]),
    ...(state === undefined ? carriedText(result) : [stateText(state)]),
    ...sandbox.relaxations.map((relaxation) => `relaxed: ${relaxation}`),
    ...(response.success ? [] : [failureText(response)]),
    ...(container.kept ? [`kept: the container ${container.name}, whose state is not saved yet`] : []),
  ].join("\n");
}

/** The document of `--json`: the response with the values of outputs in it; sensitive ones only with `showSecrets`. */
export function resultDocument(result: ExecutionResult, showSecrets: boolean): unknown {
  const { response, outputs, ...rest } = result;
  const open = Object.entries(outputs).map(([name, { value, sensitive }]) => {
    const hidden = sensitive && !showSecrets;
    return [name, { value: hidden ? null : value, ...(sensitive ? { sensitive } : {}) }] as const;
  });
  return { ...response, outputs: { ...response.outputs, ...Object.fromEntries(open) }, execution: rest };
}

const CODES: Readonly<Partial<Record<ErrorCode, number>>> = {
  bad_request: EXIT.usage,
  unsupported_action: EXIT.usage,
  plan_moved: EXIT.difference,
  state_missing: EXIT.difference,
  state_mismatch: EXIT.difference,
  state_key_wrong: EXIT.difference,
  cancelled: EXIT.interrupted,
};

/** The exit code of a run; drift that the request only asked to report is a difference. */
export function exitCodeOf({ success, drift, error_detail: detail }: ModuleResponse, request: ModuleRequest): number {
  if (!success) return (detail && CODES[detail.code]) ?? EXIT.failed;
  return drift === true && reportsOnly(request) ? EXIT.difference : EXIT.done;
}

/** Says an event as it comes. */
export function sayEvent(event: ModuleEvent, progress: Progress): void {
  const text = (name: string) => (typeof event[name] === "string" ? event[name] : "");
  if (event.kind === "phase") progress.step(text("phase"));
  else if (event.kind === "resource") progress.update(`${text("action")} ${text("resource")} ${text("status")}`, 0, 0);
  else if (event.kind === "diagnostic") progress.note(`${text("severity")}: ${text("message")}`);
  else if (event.kind === "log" && text("message") !== "") progress.note(text("message"));
}

function changeRow({ action, resource, type }: ResourceChange): readonly string[] {
  return [SIGNS[action], action, printableLine(resource), printableLine(type ?? "")];
}

function summaryText({ action, summary, error_detail: detail }: ModuleResponse): string {
  // What was refused while it was planned, such as a plan that moved, has changed nothing.
  const done = action !== "preview" && action !== "refresh" && detail?.phase !== "planning";
  const parts = (["create", "update", "replace", "delete"] as const).map((word) => {
    const said = done ? `${word.replace(/e?$/, "")}ed` : `to ${word}`;
    return `${summary[word]} ${said}`;
  });
  return `${parts.join(", ")}, ${summary.same} the same`;
}

function stateText({ folder, serial, changed }: StateResult): string {
  return serial === undefined ? `no state in ${folder}` : `state ${serial} in ${folder}${changed ? "" : ", as it was"}`;
}

/** A state that is in no directory: who does not see it here has lost it. */
function carriedText({ carried, response: { state } }: ExecutionResult): readonly string[] {
  if (!carried || !isEnvelope(state)) return [];
  const head = `state ${state.serial} of ${state.stack}, sealed: the next request's "state" (--json has it too)`;
  return [printableLine(head), printable(JSON.stringify(state))];
}

/** What a person does about a refusal, in the words of this command line. */
const MENDS: Readonly<Partial<Record<ErrorCode, string>>> = {
  state_missing: "Check --stack-name and --state. Where nothing is left to destroy: --allow-missing-state.",
  state_key_wrong: "Set the KILN_STATE_PASSPHRASE, or put back the key, that the state was written with.",
  plan_moved: "Run kiln module preview again, look at what it says, and give its digest.",
};

function failureText({ error, error_detail: detail }: ModuleResponse): string {
  const code =
    detail === undefined
      ? ""
      : ` (${detail.code}, while ${detail.phase}${detail.retryable ? ", may be tried again" : ""})`;
  const mend = detail === undefined ? undefined : MENDS[detail.code];
  const reason = printable(error ?? detail?.message ?? "no reason was given");
  return `${printableLine(`failed${code}`)}: ${reason}${mend === undefined ? "" : `\n${mend}`}`;
}
