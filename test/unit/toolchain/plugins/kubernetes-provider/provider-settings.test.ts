import { describe, expect, it } from "vitest";
import { providerSettings } from "../../../../../toolchain/plugins/kubernetes-provider/provider-settings.ts";

describe("providerSettings", () => {
  it("are open where nothing is given", () => {
    expect(providerSettings({}, {})).toEqual({
      upserts: false,
      cluster: {},
      namespace: undefined,
      mutable: { configMaps: false, secrets: false },
    });
  });

  it("take text and flags, also as the text in which Pulumi gives them", () => {
    const given = { kubeconfig: "file", context: "c", cluster: "", namespace: "n", enableSecretMutable: "true" };
    const flags = { enableConfigMapMutable: true, upsertExistingObjects: "true" };
    expect(providerSettings({ ...given, ...flags }, {})).toEqual({
      upserts: true,
      cluster: { kubeconfig: "file", context: "c", cluster: undefined },
      namespace: "n",
      mutable: { configMaps: true, secrets: true },
    });
  });

  it("go before variables", () => {
    const env = { PULUMI_K8S_ENABLE_SECRET_MUTABLE: "true" };
    expect(providerSettings({}, env).mutable.secrets).toBe(true);
    expect(providerSettings({ enableSecretMutable: "false" }, env).mutable.secrets).toBe(false);
    const upsert = { PULUMI_K8S_UPSERT_EXISTING_OBJECTS: "true" };
    expect(providerSettings({}, upsert).upserts).toBe(true);
    expect(providerSettings({ upsertExistingObjects: false }, upsert).upserts).toBe(false);
  });
});
