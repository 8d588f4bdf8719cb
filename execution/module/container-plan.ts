import type { ContainerPlan } from "../container-plan.ts";
import type { IdentifiedImage } from "../image-identity.ts";
import type { Sandbox } from "../sandbox.ts";
import type { RunLimits } from "./execute-options.ts";
import { INJECTED, RUN_LABEL, WORKSPACE } from "./module-container.ts";

const DEFAULT_GRACE_MS = 30_000;
/** What the entrypoint needs beyond the tool's grace: the tool's last 5 s, reading state, writing the response. */
const WRITING_SECONDS = 15;

/** Seconds that the engine gives a container between SIGTERM and SIGKILL: more than its entrypoint gives the tool. */
export function stopSeconds(limits: RunLimits): number {
  return toolSeconds(limits) + WRITING_SECONDS;
}

/** How a run's container is made. Nothing here is secret: everybody who may ask the engine can read it. */
export function containerPlan(
  image: IdentifiedImage,
  sandbox: Sandbox,
  run: {
    readonly runId: string;
    readonly stack: string | undefined;
    readonly limits: RunLimits;
    readonly injects: boolean;
  },
): ContainerPlan {
  const { runId, stack, limits, injects } = run;
  const folder = `${WORKSPACE}/${INJECTED}`;
  return {
    image: image.id,
    sandbox,
    environment: {
      KILN_SECRETS: "stdin",
      KILN_EVENTS: "1",
      KILN_IMAGE_DIGEST: image.id,
      KILN_GRACE_SECONDS: String(toolSeconds(limits)),
    },
    labels: { [RUN_LABEL]: runId, ...(stack === undefined ? {} : { "dev.kiln.stack": stack }) },
    volumes: [WORKSPACE],
    ...(injects
      ? {
          entrypoint: `${folder}/kiln-entrypoint`,
          args: ["--input", `${folder}/input.json`, "--output", `${folder}/output.json`],
        }
      : {}),
  };
}

function toolSeconds({ graceMs = DEFAULT_GRACE_MS }: RunLimits): number {
  return Math.ceil(graceMs / 1000);
}
