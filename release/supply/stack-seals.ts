import { imageRepository, warmRepository } from "../../registry/repository-names.ts";
import type { SignaturePolicy } from "../../settings/signatures.ts";
import { readStackNames } from "../../toolchain/local-backend.ts";
import { readStackSettings } from "../stack-file.ts";

/** Whose signature a stack demands. */
export interface SealDemand {
  readonly stack: string;
  readonly policy: SignaturePolicy;
}

/**
 * What the stacks whose images live in a repository demand of them, each policy once: what is published there is for all of them.
 * None where no stack asks for signatures.
 */
export async function readSealDemands(project: string, repository: string): Promise<readonly SealDemand[]> {
  const demands = new Map<string, SealDemand>();
  for (const stack of await readStackNames(project)) {
    const { registry, signatures: policy } = await readStackSettings(project, stack);
    if (policy === undefined || ![imageRepository(registry), warmRepository(registry)].includes(repository)) continue;
    const key = JSON.stringify(policy);
    if (!demands.has(key)) demands.set(key, { stack, policy });
  }
  return [...demands.values()];
}
