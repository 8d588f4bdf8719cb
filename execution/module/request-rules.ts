import { KilnError } from "../../errors.ts";
import type { ModuleRequest } from "./request.ts";

/** The stack that a request with a state directory must name: a name that modules share would be a state that they share. */
export function stackOf({ stack_name: stack }: ModuleRequest): string {
  if (stack !== undefined) return stack;
  throw new KilnError("usage", "the request names no stack, whose state would be kept", {
    mend: "Name it: --stack-name, or stack_name in the request.",
  });
}

/** Whether a request only looks: a state that comes with its answer is not kept. */
export function reportsOnly({ action, refresh }: ModuleRequest): boolean {
  return action === "preview" || (action === "refresh" && refresh?.update !== true);
}

/** Refuses what would change resources and then lose their state with the container. */
export function refuseLostState(request: ModuleRequest, credentials: Readonly<Record<string, string>>): void {
  const { state_mode: mode, backend, environment } = request;
  const elsewhere = (environment?.PULUMI_BACKEND_URL ?? credentials.PULUMI_BACKEND_URL ?? "") !== "";
  if (reportsOnly(request) || backend !== undefined || elsewhere || mode === "remote" || mode === "ephemeral") return;
  throw new KilnError("usage", `${request.action} has no place for its state`, {
    mend: 'Give a state directory (--state DIR), or say in state_mode that state is "remote", or "ephemeral" to lose it.',
  });
}
