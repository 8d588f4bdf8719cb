/** An object of a Pulumi program, by the name that its resource has there. */
export interface ProgramObject {
  readonly name: string;
  readonly object: object;
  /** Names of resources that are made before this one. */
  readonly after?: readonly string[];
  /** Any other resource options that are plain values. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/**
 * The text of a Pulumi program that makes these objects by a provider with these settings. It gives them untyped, so nothing
 * but the provider knows that a Secret is secret.
 */
export function objectProgram(objects: readonly ProgramObject[], provider: Readonly<Record<string, unknown>>): string {
  return `
import * as kubernetes from "@pulumi/kubernetes";
const provider = new kubernetes.Provider("cluster", ${JSON.stringify(provider)});
const made = new Map();
for (const { name, object, after = [], options } of ${JSON.stringify(objects)}) {
  const dependsOn = after.map((other) => made.get(other));
  made.set(name, new kubernetes.apiextensions.CustomResource(name, object, { provider, dependsOn, ...options }));
}
`;
}
