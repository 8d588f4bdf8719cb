import { KilnError } from "../errors.ts";
import { dockerCall } from "./docker-call.ts";
import type { ContainerEngine } from "./offline-container.ts";

/**
 * The id that an engine gave itself. An address does not tell engines apart: a context that is switched, or a forwarded
 * socket, leads to another one under the same words.
 */
export async function engineId(engine: ContainerEngine): Promise<string> {
  const id = (await dockerCall(engine, ["info", "--format", "{{.ID}}"])).stdout.trim();
  if (id !== "") return id;
  throw new KilnError("unreachable", "the Docker engine does not say which one it is", {
    mend: "Check that it answers (`docker info`).",
  });
}
