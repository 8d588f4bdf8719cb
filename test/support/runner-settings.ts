import { generateKeyPairSync } from "node:crypto";
import { planTenant, type PlanContext, type TenantPlan } from "../../runners/tenant/plan.ts";
import { parseSettings, type RunnersSettings, type Settings } from "../../settings.ts";

export type Raw = Readonly<Record<string, unknown>>;

/** The stack that these settings are of, and its file. */
export const STACK = "dev";
export const FILE = `stacks/Pulumi.${STACK}.yaml`;

/** A key that can sign, encrypted in the stack under `kiln:appKey`, beside a token under `kiln:token`. */
export const SECRETS = {
  appKey: generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  }).privateKey,
  token: "ghp_0123456789abcdefghijABCDEFGHIJ012345",
} as const;

export const APP = { app: { id: 12, installationId: 34, privateKeyConfig: "kiln:appKey" } } as const;

/** What `parseSettings` makes of a stack file with these values: the smallest there is, and what a test is about. */
export function settingsOf(raw: Raw): Settings {
  return parseSettings(STACK, { registry: "localhost:5180", ...SECRETS, ...raw }, (key) =>
    Object.keys(SECRETS).includes(key.replace(/^kiln:/, "")),
  );
}

/** The smallest tenant, with what a test is about in its place. */
export function tenantOf(about: Raw = {}): Raw {
  return { url: "https://github.com/acme", credentials: APP, trusted: { sets: { bake: { maxRunners: 2 } } }, ...about };
}

/** The runners of a stack with these tenants, and other values of its file. */
export function runnersOf(tenants: Raw, raw: Raw = {}): RunnersSettings {
  const { runners } = settingsOf({ ...raw, tenants });
  if (runners === undefined) throw new Error("the settings have no runners");
  return runners;
}

/** The plans of those tenants, as a preview makes them without a cluster. */
export function plansOf(
  { tenants }: RunnersSettings,
  context: Partial<PlanContext> = {},
): Readonly<Record<string, TenantPlan>> {
  const plans = Object.values(tenants).map((tenant) => {
    const plan = planTenant(tenant, { stack: STACK, goVersion: "1.26.8", arch: "amd64", ...context });
    return [tenant.name, plan] as const;
  });
  return Object.fromEntries(plans);
}
