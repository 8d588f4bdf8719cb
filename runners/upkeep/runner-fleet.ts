import type { RunnersSettings } from "../../settings.ts";
import type { RunnerFleet } from "./alerts.ts";
import type { TenantPlan } from "../tenant/plan.ts";
import { isMeasured, pushgatewayOf } from "../tenant/pushgateway.ts";

/** What alert rules watch of a stack's runners. */
export function runnerFleet(
  { cluster: { pushgateway }, controller, actionsRunner, tenants }: RunnersSettings,
  plans: Readonly<Record<string, TenantPlan>>,
): RunnerFleet {
  const namespaces = Object.values(plans).flatMap((plan) => plan.namespaces);
  const measured = namespaces.filter((plan) => pushgatewayOf(plan, pushgateway) !== undefined);
  const rebuilt = Object.values(tenants).find(({ rebuild }) => rebuild !== undefined);
  const [place] = rebuilt === undefined ? [] : (plans[rebuilt.name]?.namespaces ?? []);
  return {
    controllerNamespace: controller.namespace,
    scaleSets: namespaces.flatMap(({ name, sets }) => sets.map((set) => ({ namespace: name, name: set.name }))),
    volumeNamespaces: namespaces.flatMap(({ name, cache }) => ((cache?.claims.length ?? 0) > 0 ? [name] : [])),
    ...(measured.length === 0
      ? {}
      : { measuredScaleSets: measured.flatMap(({ sets }) => sets.filter(isMeasured).map(({ name }) => name)) }),
    freshnessCheck: place === undefined ? undefined : { namespace: place.name, cronJob: "runner-freshness" },
    release: actionsRunner.release,
  };
}
