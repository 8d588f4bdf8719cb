import { KilnError } from "../../errors.ts";
import { requireLockstep } from "../controller/arc.ts";
import { requireCache } from "./attached-cache.ts";
import { parseConfigUrl } from "./config-url.ts";
import { requireConnection } from "./connection-checks.ts";
import { CONTAINER_MODES, runsJobsInPods } from "./container-mode.ts";
import { requirePod } from "./pod-checks.ts";
import { WORK_VOLUME } from "./pod-part.ts";
import { podSecurityOf } from "./pod-security.ts";
import { ARCH_LABEL, podTemplate } from "./pod-template.ts";
import { isReservedKey } from "./labels.ts";
import { requireNamespaceName, requireScaleSetName } from "./name.ts";
import type { ScaleSetRequest } from "./request.ts";

/** What Kubernetes can count. */
const MOST_RUNNERS = 2_147_483_647;
const LABEL_LENGTH = 255;

/**
 * Throws a usage error where a request cannot become a scale set that works, before anything is asked of a cluster. `at` is
 * the key path under which the request is written, such as `kiln:runners.trusted`.
 */
export function requireScaleSet<Text>(request: ScaleSetRequest<Text>, at: string): void {
  requireScaleSetName(request.scaleSetName, `${at}.scaleSetName`);
  if (typeof request.namespace === "string") requireNamespaceName(request.namespace, `${at}.namespace`);
  requireLockstep(request.controller.version, `${at}.controller.version`);
  requireRegistration(request, at);
  requireRunnerCounts(request, at);
  requireMode(request, at);
  requireConnection(request, at);
  requirePlacement(request, at);
  requireFreeKeys(request, at);
  requireCache(request, at);
  requirePod(podTemplate(request).spec, at);
}

/** Where runners register, in which group, under which labels. */
function requireRegistration<Text>({ configUrl, runnerGroup, labels = [] }: ScaleSetRequest<Text>, at: string): void {
  const { kind } = parseConfigUrl(configUrl, `${at}.configUrl`);
  if (runnerGroup !== undefined && kind === "repository") {
    throw refusal(`${at}.runnerGroup is set, but ${at}.configUrl is a repository, which has no runner groups`, {
      mend: "Leave it out, or register at the organization and let the group admit this repository",
    });
  }
  if (runnerGroup === "") throw refusal(`${at}.runnerGroup is empty`, { mend: "Leave it out for the default group" });
  for (const [index, label] of labels.entries()) {
    if (label.trim() !== "" && label.length <= LABEL_LENGTH) continue;
    throw refusal(`${at}.labels[${index}] has ${label.length} characters, but a label has 1 to ${LABEL_LENGTH}`, {
      mend: "Shorten it, or leave it out",
    });
  }
  const folded = labels.map((label) => label.toLowerCase());
  const twice = labels.find((_, index) => folded.indexOf(folded[index] ?? "") !== index);
  if (twice === undefined) return;
  throw refusal(`${at}.labels has ${JSON.stringify(twice)} twice: GitHub does not tell upper from lower case`, {
    mend: "Leave one out",
  });
}

function requireRunnerCounts<Text>({ minRunners = 0, maxRunners }: ScaleSetRequest<Text>, at: string): void {
  for (const [key, count] of Object.entries({ minRunners, maxRunners })) {
    if (Number.isInteger(count) && count >= 0 && count <= MOST_RUNNERS) continue;
    throw refusal(`${at}.${key} is ${String(count)}, but a number of runners is a whole number from 0`, {
      mend: `Set it to a number such as ${key === "minRunners" ? 0 : 4}`,
    });
  }
  if (minRunners <= maxRunners) return;
  throw refusal(`${at}.maxRunners is ${maxRunners}, below ${at}.minRunners, which is ${minRunners}`, {
    mend: `Set maxRunners to ${minRunners} or more, or minRunners to ${maxRunners} or less`,
  });
}

/** What belongs to one container mode only. */
function requireMode<Text>(request: ScaleSetRequest<Text>, at: string): void {
  const { mode } = request;
  if (!CONTAINER_MODES.includes(mode)) {
    throw refusal(`${at}.mode is ${JSON.stringify(mode)}`, { mend: `Set it to one of ${CONTAINER_MODES.join(", ")}` });
  }
  const modesOf: Readonly<Record<string, readonly string[]>> = {
    dind: ["dind"],
    workVolumeClaim: ["kubernetes"],
    hookTemplate: CONTAINER_MODES.filter(runsJobsInPods),
    requireJobContainer: CONTAINER_MODES.filter(runsJobsInPods),
    kubernetesModeAdditionalRules: CONTAINER_MODES.filter(runsJobsInPods),
  };
  const given = Object.entries(request).filter(([, value]) => value !== undefined);
  const [stray] = given.find(([key]) => modesOf[key]?.includes(mode) === false) ?? [];
  if (stray !== undefined) {
    throw refusal(`${at}.${stray} is set, but means nothing in mode ${mode}`, {
      mend: `Leave it out, or set ${at}.mode to ${modesOf[stray]?.join(" or ") ?? ""}`,
    });
  }
  if (mode === "dind" && podSecurityOf(mode, request.podSecurity) === "restricted") {
    throw refusal(`${at}.podSecurity is restricted, but mode dind runs a privileged Docker daemon`, {
      mend: `Leave it out, or set ${at}.mode to none and ${at}.buildkit to a rootless buildkitd`,
    });
  }
  const ownWork = request.volumes?.some(({ name }) => name === WORK_VOLUME) === true;
  if (mode === "kubernetes" && request.workVolumeClaim === undefined && !ownWork) {
    throw refusal(`${at}.workVolumeClaim is not set, but in mode kubernetes runner and job share a volume`, {
      mend: `Set it to a claim, or set ${at}.mode to kubernetes-novolume`,
    });
  }
}

function requirePlacement<Text>({ arch, nodeSelector }: ScaleSetRequest<Text>, at: string): void {
  const selected = nodeSelector?.[ARCH_LABEL];
  if (arch === undefined || selected === undefined || selected === arch) return;
  throw refusal(`${at}.arch is ${arch}, but ${at}.nodeSelector wants ${ARCH_LABEL}=${selected}`, {
    mend: `Leave ${ARCH_LABEL} out of nodeSelector`,
  });
}

/** Labels and annotations that are set here cannot be somebody else's: a wrong version has the controller delete the set. */
function requireFreeKeys<Text>({ everyObject, resourceMeta = {} }: ScaleSetRequest<Text>, at: string): void {
  const metas = {
    everyObject,
    ...Object.fromEntries(Object.entries(resourceMeta).map(([k, v]) => [`resourceMeta.${k}`, v])),
  };
  for (const [where, meta] of Object.entries(metas)) {
    for (const kind of ["labels", "annotations"] as const) {
      const reserved = Object.keys(meta?.[kind] ?? {}).find(isReservedKey);
      if (reserved === undefined) continue;
      throw refusal(`${at}.${where}.${kind} sets ${reserved}, which kiln or the controller sets`, {
        mend: "Use a key of your own",
      });
    }
  }
}

function refusal(message: string, { mend }: { readonly mend: string }): KilnError {
  return new KilnError("usage", message, { mend });
}
