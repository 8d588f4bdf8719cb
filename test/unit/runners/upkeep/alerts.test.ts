import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alertRules, type RunnerFleet } from "../../../../runners/upkeep/alerts.ts";
import { matching } from "../../../../runners/upkeep/promql.ts";
import { KNOWN_METRICS, metricsOf } from "./promql.ts";

const FLEET: RunnerFleet = {
  controllerNamespace: "arc-systems",
  scaleSets: [
    { namespace: "acme-trusted", name: "bake-1" },
    { namespace: "acme-trusted", name: "bake-0" },
    { namespace: "acme-pull-requests", name: "check" },
  ],
  volumeNamespaces: ["acme-trusted"],
  freshnessCheck: { namespace: "acme-trusted", cronJob: "runner-freshness" },
  release: { version: "2.337.0", released: "2026-09-15" },
};

const rulesOf = (fleet: Partial<RunnerFleet> = {}) => alertRules({ ...FLEET, ...fleet }).flatMap(({ rules }) => rules);
const expressionsOf = (alert: string, fleet: Partial<RunnerFleet> = {}) =>
  rulesOf(fleet)
    .filter((rule) => rule.alert === alert)
    .map(({ expr }) => expr);

describe("every rule", () => {
  const rules = rulesOf();

  it("asks for metrics that somebody gives, in brackets that are closed", () => {
    for (const { expr } of rules) {
      for (const metric of metricsOf(expr)) expect([...KNOWN_METRICS]).toContain(metric);
    }
    expect(rules.length).toBeGreaterThan(10);
  });

  it("has a severity, a time, and words for a person", () => {
    for (const rule of rules) {
      expect(rule.alert).toMatch(/^Runner[A-Za-z]+$/);
      expect(rule.for).toMatch(/^\d+[mhd]$/);
      expect(["warning", "critical"]).toContain(rule.labels.severity);
      expect(rule.annotations.summary).not.toMatch(/\.$/);
      expect(rule.annotations.description).toMatch(/\.$/);
    }
  });

  it("refers to labels that its series have", () => {
    for (const { expr, annotations } of rules) {
      const named = [...annotations.description.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
      if (named.includes("job_name")) expect(expr).toContain("kube_job_status_failed");
      if (named.includes("name")) expect(expr).toContain("gha_");
      if (named.includes("persistentvolumeclaim")) expect(expr).toContain("kubelet_volume_stats_");
      if (/\babsent\(/.test(expr)) expect(named).toEqual([]);
    }
  });
});

describe("alertRules", () => {
  it("asks for each listener by its scale set, since one that is gone has no series", () => {
    const ask = (namespace: string, name: string) =>
      `absent(up{job="runner-scale-set-listener",namespace="arc-systems",scale_set="${name}",scale_set_namespace="${namespace}"} == 1)`;
    expect(expressionsOf("RunnerListenerDown")).toEqual([
      ask("acme-pull-requests", "check"),
      ask("acme-trusted", "bake-0"),
      ask("acme-trusted", "bake-1"),
    ]);
  });

  it("knows from the release's day when it is too old, without a metric", () => {
    const second = (day: string) => Date.parse(`${day}T00:00:00Z`) / 1000;
    expect(expressionsOf("RunnerAging")).toEqual([`vector(time()) >= ${second("2026-10-05")}`]);
    expect(expressionsOf("RunnerRefused")).toEqual([`vector(time()) >= ${second("2026-10-15")}`]);
    expect(expressionsOf("RunnerAging", { release: undefined })).toEqual([]);
  });

  it("watches the check that has the image rebuilt, where there is one", () => {
    expect(expressionsOf("RunnerFreshnessCheckFailed")).toEqual([
      'kube_job_status_failed{namespace="acme-trusted",job_name=~"runner-freshness-[0-9]+"} > 0',
    ]);
    expect(expressionsOf("RunnerFreshnessCheckFailed", { freshnessCheck: undefined })).toEqual([]);
  });

  it("leaves out groups that would be empty: Prometheus' operator refuses none, but nobody needs them", () => {
    const bare = { scaleSets: [], volumeNamespaces: [], freshnessCheck: undefined, release: undefined };
    expect(alertRules({ ...FLEET, ...bare }).map(({ name }) => name)).toEqual(["kiln.controller"]);
    expect(alertRules(FLEET).map(({ name }) => name)).toEqual([
      "kiln.controller",
      "kiln.runners",
      "kiln.caches",
      "kiln.freshness",
    ]);
  });

  it("is the same whatever order scale sets come in: a reordered stack changes nothing", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...FLEET.scaleSets], { minLength: 3 }), (scaleSets) => {
        expect(alertRules({ ...FLEET, scaleSets })).toEqual(alertRules(FLEET));
      }),
    );
  });
});

describe("matching", () => {
  it("matches one value as it is and several as one of them", () => {
    expect(matching({ a: "x" })).toBe('{a="x"}');
    expect(matching({ a: ["x"], b: ["y", "z.1"] })).toBe('{a="x",b=~"y|z\\\\.1"}');
  });

  it("cannot be left by a value, whatever it holds", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(metricsOf(`up${matching({ a: value })}`)).toEqual(["up"]);
      }),
    );
  });
});

it.each(["sum(up", 'up{a="x}', "up)", "up{a}", "nonsense(up)"])("the check of these tests refuses %s", (wrong) => {
  expect(() => metricsOf(wrong)).toThrow();
});
