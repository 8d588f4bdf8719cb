import { hitRatio } from "./cache-alerts.ts";

/** A Grafana dashboard, as far as this one has fields (schema version 39: Grafana 10 and later). */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly schemaVersion: number;
  readonly editable: boolean;
  readonly refresh: string;
  readonly time: { readonly from: string; readonly to: string };
  readonly templating: { readonly list: readonly object[] };
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly id: number;
  readonly type: "timeseries" | "stat";
  readonly title: string;
  readonly description: string;
  readonly datasource: object;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: { readonly defaults: { readonly unit: string; readonly min: number }; readonly overrides: [] };
  readonly targets: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

type PanelKind = Omit<Panel, "id" | "datasource" | "gridPos" | "fieldConfig" | "targets"> & {
  readonly unit: string;
  /** PromQL by legend. */
  readonly series: Readonly<Record<string, string>>;
};

const DATASOURCE = { type: "prometheus", uid: "${datasource}" };
const [COLUMNS, WIDTH, HEIGHT] = [2, 12, 8];

/** What the person picks on top of the dashboard. */
const OWN = '{namespace=~"$namespace",name=~"$scale_set"}';
const JOBS = '{repository=~"$repository"}';
const PICKED = '{scale_set=~"$scale_set"}';
const VOLUMES = '{namespace=~"$namespace"}';

const quantile = (part: number, metric: string) =>
  `histogram_quantile(${part}, sum by (le, job_name) (rate(${metric}_bucket${JOBS}[$__rate_interval])))`;

const PANELS: readonly PanelKind[] = [
  {
    type: "timeseries",
    title: "Runners",
    description: "What the listeners ask for, and what GitHub knows of.",
    unit: "short",
    series: {
      "{{name}} wanted": `sum by (name) (gha_desired_runners${OWN})`,
      "{{name}} registered": `sum by (name) (gha_registered_runners${OWN})`,
      "{{name}} busy": `sum by (name) (gha_busy_runners${OWN})`,
      "{{name}} at most": `sum by (name) (gha_max_runners${OWN})`,
    },
  },
  {
    type: "timeseries",
    title: "Jobs that wait and run",
    description: "Assigned to a scale set and not yet at a runner, and at work.",
    unit: "short",
    series: {
      "{{name}} waiting": `sum by (name) (gha_assigned_jobs${OWN} - gha_running_jobs${OWN})`,
      "{{name}} running": `sum by (name) (gha_running_jobs${OWN})`,
    },
  },
  {
    type: "timeseries",
    title: "Runner pods",
    description: "What the controller has made of them. Failed ones count against the maximum until they are deleted.",
    unit: "short",
    series: {
      "{{name}} pending": `sum by (name) (gha_controller_pending_ephemeral_runners${OWN})`,
      "{{name}} running": `sum by (name) (gha_controller_running_ephemeral_runners${OWN})`,
      "{{name}} failed": `sum by (name) (gha_controller_failed_ephemeral_runners${OWN})`,
    },
  },
  {
    type: "stat",
    title: "Listeners",
    description: "One for each scale set that takes jobs.",
    unit: "short",
    series: { running: 'sum(up{job="runner-scale-set-listener"})' },
  },
  {
    type: "timeseries",
    title: "Time of a job, by job (median)",
    description: "A shard that meets its cache takes seconds, one that misses takes minutes.",
    unit: "s",
    series: { "{{job_name}}": quantile(0.5, "gha_job_execution_duration_seconds") },
  },
  {
    type: "timeseries",
    title: "Time until a job starts, by job (95 of 100)",
    description: "From its assignment to a scale set to a runner that takes it.",
    unit: "s",
    series: { "{{job_name}}": quantile(0.95, "gha_job_startup_duration_seconds") },
  },
  {
    type: "timeseries",
    title: "Jobs that ended",
    description: "In the last hour, by result.",
    unit: "short",
    series: { "{{job_result}}": `sum by (job_result) (increase(gha_completed_jobs_total${JOBS}[1h]))` },
  },
  {
    type: "timeseries",
    title: "Cache volumes, in use",
    description: "Only volumes that a pod has mounted are measured.",
    unit: "percentunit",
    series: {
      "{{persistentvolumeclaim}}": `kubelet_volume_stats_used_bytes${VOLUMES} / kubelet_volume_stats_capacity_bytes${VOLUMES}`,
    },
  },
  {
    type: "timeseries",
    title: "Packages that came from the cache",
    description:
      "Of those that the last warm of each shard needed; the rest was compiled. Pushed by runners with a cache, where the " +
      "stack has a Pushgateway, and repeated by it until the next warm.",
    unit: "percentunit",
    series: { "{{scale_set}} {{shard}}": hitRatio('{result="hit",scale_set=~"$scale_set"}', PICKED) },
  },
];

/** The dashboard of all scale sets of a cluster. */
export function runnersDashboard(): Dashboard {
  return {
    uid: "kiln-runners",
    title: "kiln: runners and their caches",
    tags: ["kiln", "github-actions"],
    schemaVersion: 39,
    editable: true,
    refresh: "1m",
    time: { from: "now-24h", to: "now" },
    templating: {
      list: [
        { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" },
        variable("namespace", "Namespace", "label_values(gha_max_runners, namespace)"),
        variable("scale_set", "Scale set", 'label_values(gha_max_runners{namespace=~"$namespace"}, name)'),
        variable("repository", "Repository", "label_values(gha_started_jobs_total, repository)"),
      ],
    },
    panels: PANELS.map(panel),
  };
}

function panel({ unit, series, ...rest }: PanelKind, index: number): Panel {
  const [column, row] = [index % COLUMNS, Math.floor(index / COLUMNS)];
  return {
    ...rest,
    id: index + 1,
    datasource: DATASOURCE,
    gridPos: { x: column * WIDTH, y: row * HEIGHT, w: WIDTH, h: HEIGHT },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: Object.entries(series).map(([legendFormat, expr], place) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + place),
      expr,
      legendFormat,
    })),
  };
}

function variable(name: string, label: string, query: string): object {
  return {
    ...{ name, label, type: "query", datasource: DATASOURCE, query: { query, refId: name } },
    ...{
      includeAll: true,
      multi: true,
      allValue: ".*",
      refresh: 2,
      sort: 1,
      current: { text: "All", value: "$__all" },
    },
  };
}
