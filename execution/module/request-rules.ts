import { KilnError } from "../../errors.ts";
import type { Backend, ModuleRequest, StateMode } from "./request.ts";

/** The stack that a request with a state directory must name: a name that modules share would be a state that they share. */
export function stackOf({ stack_name: stack }: ModuleRequest): string {
  if (stack !== undefined) return stack;
  throw new KilnError("usage", "the request names no stack, whose state would be kept", {
    mend: "Name it: --stack-name, or stack_name in the request.",
  });
}

/** Whether a request only looks: a state that comes with its answer is not kept. */
export function reportsOnly({ action, refresh }: Pick<ModuleRequest, "action" | "refresh">): boolean {
  return action === "preview" || (action === "refresh" && refresh?.update !== true);
}

/** Where the state of a request is, as the entrypoint has it. `backendUrl` is PULUMI_BACKEND_URL of the container. */
export function stateModeOf(request: ModuleRequest, backendUrl: string): StateMode {
  const { state_mode: mode, backend, state } = request;
  if (mode !== undefined) return mode;
  if (backend !== undefined && !isPlaceless(backend)) return "remote";
  if (state !== undefined || backend !== undefined) return "carried";
  return backendUrl === "" ? "carried" : "remote";
}

/** Whether the container of a request may have a carried state that is nowhere else; OpenTofu knows no PULUMI_BACKEND_URL. */
export function mayHaveState(request: ModuleRequest, carried: boolean): boolean {
  return carried && !reportsOnly(request) && stateModeOf(request, "") === "carried";
}

/** Whether a request that succeeds must bring back a state: what it makes, or what it was given. */
export function bringsState(request: ModuleRequest, backendUrl: string): boolean {
  if (reportsOnly(request) || stateModeOf(request, backendUrl) !== "carried") return false;
  return request.action === "apply" || request.action === "import" || request.state !== undefined;
}

/**
 * Whether the caller gets the state with the response and gives it to the next run: one who has the key, or who has a
 * passphrase and says that the state is carried.
 */
export function carriesState(
  request: ModuleRequest,
  { hasKey, hasPassphrase }: { readonly hasKey: boolean; readonly hasPassphrase: boolean },
): boolean {
  return hasKey || (hasPassphrase && (request.state !== undefined || request.state_mode === "carried"));
}

/** Refuses what would change resources and then lose their state with the container; `why` ends its message. */
export function refuseLostState(request: ModuleRequest, backendUrl: string, why = ""): void {
  if (reportsOnly(request) || stateModeOf(request, backendUrl) !== "carried") return;
  throw new KilnError("usage", `${request.action} has no place for its state${why}`, {
    mend: 'Give a state directory (--state DIR); or set KILN_STATE_PASSPHRASE and carry the state yourself (state or state_mode "carried" in the request); or say in state_mode that state is "remote", where module or request names a backend that keeps it, or "ephemeral" to lose it.',
  });
}

/** Refuses a state directory beside a state or a backend of the request: one of them would be left out in silence. */
export function refuseTwoPlaces(request: ModuleRequest, directory: string): void {
  if (request.state !== undefined) {
    throw new KilnError("usage", `state is in two places: request.state, and the state directory ${directory}`, {
      mend: "Leave one out: request.state to go on from what the directory has, or --state to carry the state yourself.",
    });
  }
  const { backend, state_mode: mode } = request;
  if (backend === undefined || isPlaceless(backend) || mode === "remote") return;
  throw new KilnError(
    "usage",
    `state is in two places: the backend ${backend.type} of request.backend, and the state directory ${directory}`,
    {
      mend: 'Leave one out; or say --state-mode remote (state_mode "remote"): then the backend has the state, and the directory lock, key and past runs alone.',
    },
  );
}

/** Refuses a backend in the container's own file system, which no run finds again: nothing of this machine is mounted there. */
export function refuseLocalBackend(request: ModuleRequest, backendUrl: string): void {
  const { backend, state_mode: mode } = request;
  const isRemote = stateModeOf(request, backendUrl) === "remote";
  const isLost =
    backend === undefined
      ? isRemote && isFileUrl(backendUrl)
      : isFileUrl(backend.config.url) || (isLocal(backend) && (mode === "remote" || !isPlaceless(backend)));
  if (!isLost) return;
  const what = backend === undefined ? "PULUMI_BACKEND_URL" : "request.backend";
  throw new KilnError("usage", `${what} keeps state in a folder of the container, which is gone after the run`, {
    mend: "Leave it out, and give a state directory (--state DIR); or name a backend that the container reaches by network.",
  });
}

/** A local backend that names no place: its state is carried. */
function isPlaceless(backend: Backend): boolean {
  return isLocal(backend) && (backend.config.path ?? "") === "" && (backend.config.url ?? "") === "";
}

function isLocal({ type }: Backend): boolean {
  return type === "local" || type === "file";
}

function isFileUrl(url = ""): boolean {
  return /^file:/i.test(url);
}
