import type { AlertRule, RuleGroup } from "./alert-rule.ts";
import { cacheRules } from "./cache-alerts.ts";
import { freshnessRules, type FreshnessCheckPlace } from "./freshness-alerts.ts";
import type { RunnerRelease } from "./freshness.ts";
import { matching } from "./promql.ts";

/** What is watched: scale sets, the volumes of their caches, and the age of their runner. */
export interface RunnerFleet {
  /** Where controller and listeners run. */
  readonly controllerNamespace: string;
  readonly scaleSets: readonly ScaleSetPlace[];
  /** Namespaces whose volumes hold caches. */
  readonly volumeNamespaces: readonly string[];
  /** Names of the scale sets whose runners push how much their caches served. */
  readonly measuredScaleSets?: readonly string[];
  /** The job that looks after the runner's age; nothing where there is none. */
  readonly freshnessCheck: FreshnessCheckPlace | undefined;
  readonly release: RunnerRelease | undefined;
}

export interface ScaleSetPlace {
  readonly namespace: string;
  readonly name: string;
}

/**
 * The labels that the PodMonitor gives to what it collects: the component as the job, and of a listener's own series the scale
 * set that it listens for, which outlives the listener's name.
 */
export const TARGET = {
  controller: "controller-manager",
  listener: "runner-scale-set-listener",
  scaleSet: "scale_set",
  scaleSetNamespace: "scale_set_namespace",
} as const;

/** All alerts of a fleet. Groups and rules are in a fixed order, whatever order the scale sets come in. */
export function alertRules(fleet: RunnerFleet): readonly RuleGroup[] {
  const scaleSets = [...fleet.scaleSets].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const groups = [
    { name: "kiln.controller", rules: [controllerDown(fleet), ...scaleSets.map((set) => listenerDown(fleet, set))] },
    { name: "kiln.runners", rules: scaleSets.length === 0 ? [] : runnerRules(scaleSets) },
    { name: "kiln.caches", rules: [...volumeRules(fleet.volumeNamespaces), ...cacheRules(fleet.measuredScaleSets)] },
    { name: "kiln.freshness", rules: freshnessRules(fleet.release, fleet.freshnessCheck) },
  ];
  return groups.filter(({ rules }) => rules.length > 0);
}

function keyOf({ namespace, name }: ScaleSetPlace): string {
  return `${namespace}/${name}`;
}

function controllerDown({ controllerNamespace: namespace }: RunnerFleet): AlertRule {
  return {
    alert: "RunnerControllerDown",
    expr: `absent(up${matching({ job: TARGET.controller, namespace })} == 1)`,
    for: "10m",
    labels: { severity: "critical", namespace },
    annotations: {
      summary: "actions-runner-controller does not run",
      description: `No controller in ${namespace} has answered for 10 minutes: no scale set gets or loses runners.`,
    },
  };
}

/**
 * A listener that is gone leaves no series behind, so each is asked for by name. The controller deletes the listener of a set
 * whose runner GitHub refuses (phase Outdated); that phase itself is no metric of controllers of 0.14.
 */
function listenerDown({ controllerNamespace }: RunnerFleet, { namespace, name }: ScaleSetPlace): AlertRule {
  const target = {
    job: TARGET.listener,
    namespace: controllerNamespace,
    [TARGET.scaleSet]: name,
    [TARGET.scaleSetNamespace]: namespace,
  };
  return {
    alert: "RunnerListenerDown",
    expr: `absent(up${matching(target)} == 1)`,
    for: "10m",
    labels: { severity: "critical", namespace, [TARGET.scaleSet]: name },
    annotations: {
      summary: `Nobody listens for jobs of the scale set ${name}`,
      description:
        `The listener of ${keyOf({ namespace, name })} has not answered for 10 minutes: jobs queue without an end. ` +
        `\`kubectl describe autoscalingrunnerset -n ${namespace} ${name}\` says why; where its phase is Outdated, GitHub ` +
        "refuses the runner: rebuild the image with a newer release and roll it out.",
    },
  };
}

function runnerRules(scaleSets: readonly ScaleSetPlace[]): readonly AlertRule[] {
  const own = matching({ namespace: [...new Set(scaleSets.map(({ namespace }) => namespace))].sort() });
  return [
    {
      alert: "RunnersDoNotStart",
      expr: `gha_desired_runners${own} - gha_registered_runners${own} > 0`,
      for: "20m",
      labels: { severity: "warning" },
      annotations: {
        summary: "Runners of {{ $labels.name }} do not come up",
        description:
          "{{ $value }} runners of {{ $labels.namespace }}/{{ $labels.name }} have been wanted for 20 minutes and are not " +
          "registered: pods that find no node, an image that cannot be pulled, or a runner that GitHub refuses.",
      },
    },
    {
      alert: "RunnersFailed",
      expr: `gha_controller_failed_ephemeral_runners${own} > 0`,
      for: "10m",
      labels: { severity: "warning" },
      annotations: {
        summary: "Runners of {{ $labels.name }} have failed",
        description:
          "{{ $value }} runners of {{ $labels.namespace }}/{{ $labels.name }} failed five times and count against its " +
          "maximum. `kubectl get ephemeralrunners -n {{ $labels.namespace }}` shows why; deleting them makes room.",
      },
    },
    {
      alert: "RunnerJobsWait",
      expr: `gha_assigned_jobs${own} - gha_running_jobs${own} > 0`,
      for: "30m",
      labels: { severity: "warning" },
      annotations: {
        summary: "Jobs for {{ $labels.name }} wait",
        description:
          "{{ $value }} jobs have waited for runners of {{ $labels.namespace }}/{{ $labels.name }} for 30 minutes. Raise " +
          "maxRunners, add a lane, or look whether runners start.",
      },
    },
  ];
}

function volumeRules(namespaces: readonly string[]): readonly AlertRule[] {
  if (namespaces.length === 0) return [];
  const own = matching({ namespace: [...new Set(namespaces)].sort() });
  const left = (free: string, all: string, least: number) => `${free}${own} / ${all}${own} < ${least}`;
  const description = (what: string) =>
    `{{ $labels.persistentvolumeclaim }} of {{ $labels.namespace }} has {{ $value | humanizePercentage }} of its ${what} ` +
    "left: lower the budget of its garbage collection, or make the volume larger.";
  return [
    {
      alert: "RunnerVolumeNearlyFull",
      expr: left("kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes", 0.1),
      for: "15m",
      labels: { severity: "warning" },
      annotations: {
        summary: "The volume {{ $labels.persistentvolumeclaim }} is nearly full",
        description: description("space"),
      },
    },
    {
      // A Go cache is many small files: a volume can be out of inodes with half of its space free.
      alert: "RunnerVolumeOutOfInodes",
      expr: left("kubelet_volume_stats_inodes_free", "kubelet_volume_stats_inodes", 0.05),
      for: "15m",
      labels: { severity: "warning" },
      annotations: {
        summary: "The volume {{ $labels.persistentvolumeclaim }} can take few more files",
        description: description("inodes"),
      },
    },
  ];
}
