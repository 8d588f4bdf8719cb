import type { PodPart } from "./pod-part.ts";
import type { HookTemplate, ScaleSetRequest } from "./request.ts";
import { companionNames } from "./name.ts";

const FOLDER = "/home/runner/pod-template";
const FILE = "job.json";

/** What the runner container needs in order to make the pods of jobs after a template: the ConfigMap of it, and its path. */
export function hookTemplatePart<Text>({ hookTemplate, scaleSetName }: ScaleSetRequest<Text>): PodPart<Text> {
  if (hookTemplate === undefined) return {};
  return {
    env: [{ name: "ACTIONS_RUNNER_CONTAINER_HOOK_TEMPLATE", value: `${FOLDER}/${FILE}` }],
    mounts: [{ name: "hook-template", mountPath: FOLDER, readOnly: true }],
    volumes: [{ name: "hook-template", configMap: { name: companionNames(scaleSetName).hookTemplate } }],
  };
}

/** The data of that ConfigMap. The hooks read YAML, of which JSON is a part. */
export function hookTemplateData(template: HookTemplate): Readonly<Record<string, string>> {
  return { [FILE]: `${JSON.stringify(template, undefined, 2)}\n` };
}
