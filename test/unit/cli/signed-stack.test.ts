import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { BakeOptions } from "../../../cache/bake-options.ts";
import type { Plan } from "../../../cache/plan.ts";
import type { PushShardOptions } from "../../../cache/shard-image.ts";
import { bakeCommand } from "../../../cli/cache/bake.ts";
import { shardCommand } from "../../../cli/cache/shard.ts";
import type { Command } from "../../../cli/command.ts";
import { localCommands } from "../../../cli/local.ts";
import { silent } from "../../../progress.ts";
import { memory } from "../../support/memory-client.ts";
import { MemoryRegistry } from "../../support/memory-registry.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { CONTRACT, putWarmImage } from "../../support/warm-image.ts";

// What a stack demands reaches what takes images from its registry: everything between the two is real.
const here = vi.hoisted(() => ({ project: "", work: "", state: "", cache: "" }));
const taken = vi.hoisted((): { baked: unknown[]; pushed: unknown[] } => ({ baked: [], pushed: [] }));
vi.mock("../../../toolchain/places.ts", () => ({ places: () => here }));
vi.mock("../../../registry/client.ts", async (original) =>
  (await import("../../support/memory-client.ts")).clientInMemory(original),
);
vi.mock("../../../cache/bake.ts", () => ({
  bake: (options: unknown) => {
    taken.baked.push(options);
    return Promise.reject(new Error("this is where it is baked"));
  },
}));
vi.mock("../../../cache/shard-image.ts", async (original) => ({
  ...(await original<object>()),
  shardTags: () => Promise.resolve(new Map(["base", "shard-1"].map((id) => [id, `shard-${id}-0`]))),
  pushShard: (options: unknown) => {
    taken.pushed.push(options);
    return Promise.reject(new Error("this is where it is pushed"));
  },
}));
// A machine that is ready.
const tool = vi.hoisted(() => ({ path: "none", root: "none" }));
vi.mock("../../../toolchain/resolve.ts", () => ({
  resolveTool: () => Promise.resolve(tool),
  resolveTools: () => Promise.resolve({ go: tool, regctl: tool, pulumi: tool, opentofu: tool }),
}));
vi.mock("../../../toolchain/machine.ts", () => ({ requireSoundMachine: () => Promise.resolve() }));
vi.mock("../../../toolchain/namespaces.ts", () => ({ namespaceRefusal: () => Promise.resolve(undefined) }));
vi.mock("../../../toolchain/loopback-registry.ts", () => ({ startRegistry: () => Promise.resolve() }));
vi.mock("../../../toolchain/docker-engine.ts", () => ({
  readyEngine: () => Promise.resolve({ docker: "none", managed: true }),
  engineEnvironment: () => ({}),
}));
vi.mock("../../../toolchain/engine-kind.ts", () => ({ readEngineKind: () => Promise.resolve(undefined) }));
vi.mock("../../../toolchain/gocache-program.ts", () => ({ gocacheKey: () => Promise.resolve("key") }));
vi.mock("../../../toolchain/local-environment.ts", () => ({ readyLocalEnvironment: () => Promise.resolve({}) }));
vi.mock("../../../toolchain/local-backend.ts", () => ({ readyStacks: () => Promise.resolve() }));
vi.mock("../../../cache/dated-go-root.ts", () => ({ readyDatedGoRoot: () => Promise.resolve("none") }));
vi.mock("../../../cache/gocache.ts", () => ({ readGocache: () => Promise.resolve({ packer: () => tool }) }));
vi.mock("../../../cache/store.ts", () => ({ hasEntries: () => Promise.resolve(true) }));
vi.mock("../../../cache/warm.ts", () => ({
  shardOf: (_: unknown, id: string) => ({ id }),
  warmShard: () => Promise.resolve({ failed: {} }),
}));

const REPOSITORY = "localhost:5180/kiln/base-images/iac-runner-warm";
const PLAN = { version: 1, contract: CONTRACT, shards: [{ id: "base" }, { id: "shard-1" }], allowFailed: [] };
vi.mock("../../../cli/cache/selection.ts", async (original) => ({
  ...(await original<object>()),
  planAt: () => Promise.resolve(PLAN as unknown as Plan),
  requireOwnTools: () => undefined,
}));

const up = localCommands.find(({ name }) => name === "up") ?? never();
let notes: string[];
let foreign: { readonly repository: string; readonly digest: string };

beforeEach(async () => {
  const home = await temporaryDirectory();
  Object.assign(here, { project: home, work: path.join(home, ".kiln"), state: path.join(home, "state"), cache: home });
  const registry = new MemoryRegistry();
  memory.functions = registry.functions;
  taken.baked.length = 0;
  taken.pushed.length = 0;
  notes = [];
  foreign = { repository: REPOSITORY, digest: putWarmImage(registry, REPOSITORY) };
  for (const tag of ["shard-base-0", "shard-shard-1-0"]) registry.repository(REPOSITORY).tags.set(tag, foreign.digest);
});

async function run(command: Command, values: Readonly<Record<string, string>>, signatures = ""): Promise<void> {
  await mkdir(path.join(here.project, "stacks"));
  const text = `config:\n  kiln:registry: localhost:5180\n${signatures}`;
  await writeFile(path.join(here.project, "stacks/Pulumi.local.yaml"), text);
  const progress = { ...silent, note: (line: string) => void notes.push(line) };
  await command.run({ values: { stack: "local", ...values }, positionals: [], progress });
}

function never(): never {
  throw new Error("there is no such command");
}

const SIGNED = "  kiln:signatures: { key: cosign.pub }\n";

describe.each<[string, Command]>([
  ["cache bake", bakeCommand],
  ["up", up],
])("kiln %s of a stack that demands signatures", (name, command) => {
  const bakes = async (signatures?: string) => {
    await expect(run(command, name === "up" ? {} : { shards: "plan.json" }, signatures)).rejects.toThrow("it is baked");
    return taken.baked[0] as BakeOptions;
  };

  it("takes no image that somebody put under a tag of its inputs, its base or a shard", async () => {
    const { reuse, from } = await bakes(SIGNED);
    for (const tag of ["inputs-0", "base-0"]) expect(await reuse?.takes(foreign, tag)).toBe(false);
    expect(await from()).toEqual([]);
    expect(notes).toContain(`${REPOSITORY}:inputs-0 is made anew and not taken: it has no signature for that tag`);
  });

  it("takes all that is there where it demands none", async () => {
    const { reuse, from } = await bakes();
    expect(reuse).toBeUndefined();
    expect(await from()).toHaveLength(name === "up" ? 0 : 2);
  });
});

describe("kiln cache shard of a stack that demands signatures", () => {
  const SHARD = { plan: "plan.json", shard: "shard-1" };

  it("compiles what somebody put under the shard's tag, leaves nothing to a foreign base, and vouches for its own", async () => {
    await expect(run(shardCommand, SHARD, SIGNED)).rejects.toThrow("it is pushed");
    const { reuse, elsewhere } = taken.pushed[0] as PushShardOptions;
    expect([reuse, elsewhere.size]).toEqual([expect.objectContaining({ vouch: expect.any(Function) as object }), 0]);
    expect(notes).toEqual(
      ["shard-shard-1-0", "shard-base-0"].map(
        (tag) => `${REPOSITORY}:${tag} is made anew and not taken: it has no signature for that tag`,
      ),
    );
  });

  it("takes it where the stack demands none", async () => {
    await run(shardCommand, SHARD);
    expect([taken.pushed, notes]).toEqual([[], []]);
  });
});
