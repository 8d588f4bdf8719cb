import { randomBytes } from "node:crypto";
import { KilnError } from "../../errors.ts";
import type { ModuleRequest } from "./request.ts";
import { isEnvelope } from "./state-envelope.ts";
import { passphraseKey } from "./state-key.ts";

/** The 32 bytes that seal a run's state and outputs, and that its plan digest is made with. */
export interface RunKey {
  readonly bytes: Buffer;
  /** Whether another run can have the same: otherwise nothing that is made with it can be compared. */
  readonly lasts: boolean;
}

/**
 * The key of a run: the one that is given, else that of KILN_STATE_PASSPHRASE, else one that ends with the run. A plan
 * digest with the last is a usage error: it would differ from every preview's, and look as if the plan had moved.
 */
export async function runKey(
  request: ModuleRequest,
  given: Buffer | undefined,
  env: NodeJS.ProcessEnv,
): Promise<RunKey> {
  const lasting = given ?? (await passphraseKey(stackNameOf(request), env));
  if (lasting !== undefined) return { bytes: lasting, lasts: true };
  if (request.plan_digest !== undefined) {
    throw new KilnError("usage", "request.plan_digest cannot be compared: this run has no key that the preview had", {
      mend: "Set KILN_STATE_PASSPHRASE for both, or give both the same state directory (--state DIR); then preview again.",
    });
  }
  return { bytes: randomBytes(32), lasts: false };
}

/** As the entrypoint has it. */
function stackNameOf({ stack_name: name, state }: ModuleRequest): string {
  return name ?? (isEnvelope(state) ? state.stack : "default");
}
