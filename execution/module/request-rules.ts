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

/** Refuses what would change resources and then lose their state with the container. */
export function refuseLostState(request: ModuleRequest, backendUrl: string): void {
  if (reportsOnly(request) || stateModeOf(request, backendUrl) !== "carried") return;
  throw new KilnError("usage", `${request.action} has no place for its state`, {
    mend: 'Give a state directory (--state DIR); or say in state_mode that state is "remote", where module or request names a backend that keeps it, or "ephemeral" to lose it.',
  });
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
