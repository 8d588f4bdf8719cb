import { mkdir } from "node:fs/promises";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { IMAGE_PATHS } from "../../../../cache/contract.ts";
import { runGo, STORE_IN_PLACE, type GoMounts } from "../../../../cache/go/command.ts";
import { mountsOf } from "../../../../cache/warm.ts";
import { run } from "../../../../toolchain/process.ts";
import { CONTRACT } from "../../../support/warm-image.ts";

vi.mock(import("node:fs/promises"), async (original) => ({ ...(await original()), mkdir: vi.fn() }));
vi.mock(import("../../../../toolchain/process.ts"), async (original) => ({ ...(await original()), run: vi.fn() }));

beforeEach(() => {
  vi.mocked(mkdir).mockReset();
  vi.mocked(run).mockReset().mockResolvedValue({ code: 0, stdout: "{}", stderr: "" });
});

const IN_PLACE: GoMounts = mountsOf({ contract: CONTRACT }, IMAGE_PATHS.goRoot, STORE_IN_PLACE);
const GO = `${IMAGE_PATHS.goRoot}/bin/go`;

/** What was run in the end, behind the questions about the caller's settings. */
async function ran(mounts: GoMounts, options: { readonly offline?: boolean; readonly discardWrites?: boolean } = {}) {
  await runGo(mounts, ["list", "."], { cwd: "/source", ...options });
  const [command, args, { env = {} } = {}] = vi.mocked(run).mock.lastCall ?? [];
  return { command, args, env };
}

describe.runIf(process.platform === "linux")("a Go command", () => {
  it("runs as it is where Go and the caches stand at the image's paths: a pod has no namespaces", async () => {
    const { command, args, env } = await ran(IN_PLACE);
    expect({ command, args }).toEqual({ command: GO, args: ["list", "."] });
    expect(env).toMatchObject({ GOMODCACHE: IMAGE_PATHS.goModCache, GOCACHE: IMAGE_PATHS.goBuildCache, GOENV: "off" });
    expect(Object.keys(env).filter((name) => name.startsWith("KILN_"))).toEqual([]);
  });

  it.each([
    ["with the caches of another store", mountsOf({ contract: CONTRACT }, IMAGE_PATHS.goRoot, "/cache"), {}],
    ["with another place of Go", mountsOf({ contract: CONTRACT }, "/opt/go", STORE_IN_PLACE), {}],
    ["cut off from networks", IN_PLACE, { offline: true }],
    ["whose writes are discarded", IN_PLACE, { discardWrites: true }],
  ])("%s runs in namespaces of its own", async (_, mounts, options) => {
    const { command, args = [], env } = await ran(mounts, options);
    expect(command).toBe("unshare");
    expect(args.slice(args.indexOf("sh") + 1)).toEqual([GO, "list", "."]);
    expect(args.includes("--net")).toBe("offline" in options);
    expect(env).toMatchObject({
      KILN_GOROOT: mounts.goRoot,
      KILN_GOMODCACHE: mounts.goModCache,
      KILN_GOCACHE: mounts.goBuildCache,
      KILN_DISCARD: "discardWrites" in options ? "1" : "",
    });
  });
});
