import { describe, expect, it } from "vitest";
import { settingsOf, type Raw } from "../../support/runner-settings.ts";

const IMAGE = `ghcr.io/acme/release-watcher@sha256:${"a".repeat(64)}`;
const REQUIRED = { image: IMAGE, repository: "acme/infra", secret: "release-app" };
const read = (about: Raw, stack: Raw = {}) =>
  settingsOf({ releaseWatcher: { ...REQUIRED, ...about }, ...stack }).releaseWatcher;
const APP = { id: 12, installationId: 34, privateKeyConfig: "appKey" };

describe("the release watcher of a stack", () => {
  it("is none where the stack says nothing", () => {
    expect(settingsOf({}).releaseWatcher).toBeUndefined();
  });

  it("has every default filled in, on the current cluster or a named one, without runners", () => {
    const expected = {
      ...{ namespace: "kiln-release-watcher", image: IMAGE, imagePullSecrets: [], schedule: "37 * * * *" },
      ...{ repository: "acme/infra", credentials: { kind: "existing", secretName: "release-app" } },
      network: { ssh: false, clusterNetworks: [], apiServer: [], services: {}, networks: {} },
    };
    expect(read({})).toEqual({ ...expected, context: undefined });
    expect(read({}, { cluster: { context: "prod" } })).toEqual({ ...expected, context: "prod" });
  });

  it("takes an App whose key stands encrypted in the stack", () => {
    expect(read({ secret: undefined, app: APP })?.credentials).toEqual({
      ...{ kind: "app", appId: "12", installationId: "34", privateKeyConfig: "kiln:appKey" },
    });
  });

  it.each<[string, Raw, string]>([
    ["an image by tag", { image: "ghcr.io/acme/watcher:v1" }, "runs an image by digest"],
    ["no image", { image: undefined }, "image is not set"],
    ["a schedule that is none", { schedule: "hourly" }, 'schedule is "hourly", which is no schedule'],
    ["no repository", { repository: "infra" }, "which is no repository"],
    ["neither App nor Secret", { secret: undefined }, "app is not set"],
    ["both", { app: APP }, "is set beside secret"],
    ["an App's id that is none", { secret: undefined, app: { ...APP, id: "x y" } }, "app.id is no App id"],
    [
      "a key that is not encrypted",
      { secret: undefined, app: { ...APP, privateKeyConfig: "registry" } },
      "unencrypted",
    ],
    ["a network that is none", { network: { clusterNetworks: ["10.0.0.0"] } }, "network.clusterNetworks[0]"],
    ["a namespace that is none", { namespace: "Watcher" }, "namespace"],
  ])("refuses %s", (_, about, message) => {
    expect(() => read(about)).toThrow(message);
  });

  it("keeps a key that was pasted into the wrong line out of the message", () => {
    const pasted = "-----BEGIN RSA PRIVATE KEY-----";
    const places: readonly Raw[] = [
      { secret: pasted },
      { secret: undefined, app: pasted },
      { secret: undefined, app: { ...APP, privateKeyConfig: pasted } },
    ];
    for (const about of places) {
      expect(messageOf(() => read(about))).toContain("kiln:releaseWatcher.");
      expect(messageOf(() => read(about))).not.toContain("BEGIN");
    }
  });
});

function messageOf(work: () => unknown): string {
  try {
    work();
    return "";
  } catch (error) {
    return error instanceof Error ? `${error.message} ${String((error as { mend?: string }).mend)}` : String(error);
  }
}
