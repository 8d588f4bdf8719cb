import { DIND_IMAGE, runsJobsInPods } from "./container-mode.ts";
import type { ScaleSetRequest } from "./request.ts";

/** What somebody who reads a preview should know about a scale set that is allowed: one sentence each. */
export function scaleSetWarnings<Text>(request: ScaleSetRequest<Text>): readonly string[] {
  const { mode, image, scaleSetName: name } = request;
  return [
    ...(mode === "dind"
      ? [`${name} runs a privileged Docker daemon: whoever runs a job there can become root on its node`]
      : []),
    ...(runsJobsInPods(mode) && request.serviceAccountName === undefined
      ? [
          `${name}'s job hooks may read every Secret of their namespace, the runners' own credentials too: keep those in a vault, or admit trusted workflows only`,
        ]
      : []),
    ...(mode === "dind" && !String(request.dind?.image ?? DIND_IMAGE).includes("@sha256:")
      ? [`${name} runs a Docker daemon whose image can move under its tag, as root on the node: name it by digest`]
      : []),
    ...(typeof image === "string" && !image.includes("@sha256:")
      ? [`${name} runs ${image}, whose tag can move: name the image by digest`]
      : []),
  ];
}
