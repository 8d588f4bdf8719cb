import type { AlertRule } from "./alert-rule.ts";
import { REBUILD_AFTER_DAYS, REFUSED_AFTER_DAYS, secondOfAge, type RunnerRelease } from "./freshness.ts";
import { matching, quoted } from "./promql.ts";

/** The CronJob that looks after the runner's age. */
export interface FreshnessCheckPlace {
  readonly namespace: string;
  readonly cronJob: string;
}

/** What calls for a person where the runner grows old: its age itself, and the check that would have it rebuilt. */
export function freshnessRules(
  release: RunnerRelease | undefined,
  check: FreshnessCheckPlace | undefined,
): readonly AlertRule[] {
  return [...ageRules(release), ...checkRules(check)];
}

/** Rules that need nothing but a clock: the release's day is known when they are written. */
function ageRules(release: RunnerRelease | undefined): readonly AlertRule[] {
  if (release === undefined) return [];
  const { version, released } = release;
  const older = (days: number) => `vector(time()) >= ${secondOfAge(release, days) ?? 0}`;
  const mend = "Rebuild images/actions-runner from a newer release and roll it out.";
  return [
    {
      alert: "RunnerAging",
      expr: older(REBUILD_AFTER_DAYS),
      for: "1h",
      labels: { severity: "warning" },
      annotations: {
        summary: `Runner ${version} is older than ${REBUILD_AFTER_DAYS} days`,
        description: `It was released on ${released}; GitHub refuses it after ${REFUSED_AFTER_DAYS} days. ${mend}`,
      },
    },
    {
      alert: "RunnerRefused",
      expr: older(REFUSED_AFTER_DAYS),
      for: "5m",
      labels: { severity: "critical" },
      annotations: {
        summary: `Runner ${version} is older than ${REFUSED_AFTER_DAYS} days`,
        description: `It was released on ${released}; GitHub gives it no job any more, and scale sets stop. ${mend}`,
      },
    },
  ];
}

function checkRules(check: FreshnessCheckPlace | undefined): readonly AlertRule[] {
  if (check === undefined) return [];
  const { namespace, cronJob } = check;
  const last = `kube_cronjob_status_last_schedule_time${matching({ namespace, cronjob: cronJob })}`;
  const labels = { severity: "warning", namespace, cronjob: cronJob } as const;
  return [
    {
      alert: "RunnerFreshnessCheckFailed",
      expr: `kube_job_status_failed{namespace=${quoted(namespace)},job_name=~${quoted(`${cronJob}-[0-9]+`)}} > 0`,
      for: "5m",
      labels,
      annotations: {
        summary: "The runner image waits to be rebuilt",
        description:
          `The last check of ${namespace}/${cronJob} failed: the runner is too old and the rebuild that it started has not ` +
          `arrived, or it could not start one. \`kubectl logs -n ${namespace} job/{{ $labels.job_name }}\` says which.`,
      },
    },
    {
      alert: "RunnerFreshnessCheckMissing",
      expr: `time() - ${last} > ${2 * 24 * 60 * 60} or absent(${last})`,
      for: "1d",
      labels,
      annotations: {
        summary: "Nobody checks the age of the runner image",
        description: `${namespace}/${cronJob} has not been started for two days, or is not there.`,
      },
    },
  ];
}
