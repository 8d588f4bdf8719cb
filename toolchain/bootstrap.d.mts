export class BootstrapError extends Error {}
export function isOlder(left: string, right: string): boolean;
export function nodePin(): {
  readonly version: string;
  readonly minimum: string;
  readonly packages: Readonly<Record<string, { readonly name: string; readonly integrity: string }>>;
};
export function readyNode(say: (text: string) => void, why: string): Promise<string>;
export function readyPackages(say: (text: string) => void, project?: string): Promise<void>;
export function packagesAreCurrent(project: string): boolean;
export function runAgain(bin: string, script: string, argv: readonly string[]): Promise<number>;
