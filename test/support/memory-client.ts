import { memoryManifests, type Deletions } from "./memory-manifests.ts";
import type { MemoryRegistry } from "./memory-registry.ts";

type Call = (...args: never[]) => unknown;

/** What registry/client.ts does in this test file, by the names of its functions. */
export const memory: { functions: Record<string, Call> } = { functions: {} };

/** Lets registry/client.ts work on registries in memory: what pushes and deletes manifests too. */
export function useMemory(
  registry: MemoryRegistry,
  deletions: Deletions = { refused: new Set(), leavesTags: false },
): void {
  memory.functions = { ...registry.functions, ...memoryManifests(registry, deletions) };
}

/**
 * registry/client.ts on what `memory` says, where a call that it does not know throws. Its module must not be imported
 * before, so a test file says
 * `vi.mock("…/registry/client.ts", async (original) => (await import("…/memory-client.ts")).clientInMemory(original))`.
 */
export async function clientInMemory(original: () => Promise<object>): Promise<object> {
  const client = await original();
  const calls = Object.entries(client).map(([name, value]): [string, unknown] => [
    name,
    typeof value === "function" ? (...args: never[]) => called(name, args) : value,
  ]);
  return Object.fromEntries(calls);
}

function called(name: string, args: readonly never[]): unknown {
  const known = memory.functions[name];
  if (known === undefined) throw new Error(`registry/client.ts: ${name} is not in this test's memory`);
  return known(...args);
}
