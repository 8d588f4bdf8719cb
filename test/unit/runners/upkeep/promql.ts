/** Metrics that somebody gives: listeners and controller of 0.14, `kiln cache warm`, kubelet, kube-state-metrics, Prometheus itself. */
export const KNOWN_METRICS: ReadonlySet<string> = new Set([
  ...["assigned_jobs", "running_jobs", "registered_runners", "busy_runners", "idle_runners"].map(
    (name) => `gha_${name}`,
  ),
  ...["min_runners", "max_runners", "desired_runners"].map((name) => `gha_${name}`),
  ...["started_jobs_total", "completed_jobs_total"].map((name) => `gha_${name}`),
  ...["job_startup_duration_seconds_bucket", "job_execution_duration_seconds_bucket"].map((name) => `gha_${name}`),
  ...["pending", "running", "failed"].map((state) => `gha_controller_${state}_ephemeral_runners`),
  "gha_controller_running_listeners",
  ...["available_bytes", "capacity_bytes", "used_bytes", "inodes", "inodes_free"].map(
    (n) => `kubelet_volume_stats_${n}`,
  ),
  ...["packages", "warm_seconds", "warm_timestamp_seconds"].map((name) => `kiln_cache_${name}`),
  ...["kube_job_status_failed", "kube_cronjob_status_last_schedule_time", "up"],
]);

const FUNCTIONS = new Set(["absent", "changes", "histogram_quantile", "increase", "rate", "sum", "time", "vector"]);
const WORDS = new Set(["and", "by", "on", "or", "unless"]);

/** The metrics that a PromQL expression names. Throws where its brackets or strings are not closed, or a function is unknown. */
export function metricsOf(expression: string): readonly string[] {
  const bare = expression.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  if (bare.replaceAll('""', "").includes('"')) throw new Error(`a string has no end: ${expression}`);
  requireBalanced(bare, expression);
  const flat = bare
    .replace(/\{([^{}]*)\}/g, (_, matchers: string) => {
      if (!/^\w+(=~?|!=|!~)""(,\w+(=~?|!=|!~)"")*$/.test(matchers)) throw new Error(`not matchers: {${matchers}}`);
      return "";
    })
    .replace(/\[[^\]]*\]/g, "")
    .replace(/\b(by|on|without|ignoring)\s*\([^()]*\)/g, "");
  const names = [...flat.matchAll(/[a-zA-Z_]\w*\s*\(?/g)].map(([name]) => name);
  const unknown = names.find(
    (name) => name.endsWith("(") && !FUNCTIONS.has(name.replace(/\s*\($/, "")) && !WORDS.has(name.trim()),
  );
  if (unknown !== undefined) throw new Error(`an unknown function ${unknown}: ${expression}`);
  const bareNames = names.filter((name) => !name.endsWith("(")).map((name) => name.trim());
  return bareNames.filter((name) => !WORDS.has(name) && !FUNCTIONS.has(name));
}

function requireBalanced(text: string, expression: string): void {
  const closing: Readonly<Record<string, string>> = { "(": ")", "{": "}", "[": "]" };
  const open: string[] = [];
  for (const character of text) {
    const wanted = closing[character];
    if (wanted !== undefined) open.push(wanted);
    else if (")}]".includes(character) && open.pop() !== character) throw new Error(`unbalanced: ${expression}`);
  }
  if (open.length > 0) throw new Error(`unbalanced: ${expression}`);
}
