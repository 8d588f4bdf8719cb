import { refusalOf, stackOfUrn, type LoopbackPlugin } from "../allowed-stacks.ts";
import { propertyDiff } from "../property-diff.ts";
import { plainValue, type Properties } from "../property-values.ts";
import type { ChangeKind, ProviderHandlers } from "../provider-handlers.ts";
import { inputFailures } from "./input-check.ts";
import { madeUpNumber, madeUpOutputs, unknownOutputs } from "./made-up.ts";
import { PackageTypes, type ResourceTypes } from "./package-types.ts";

export interface TypedPackage {
  /** The package as Pulumi knows it. */
  readonly name: LoopbackPlugin;
  /** Inputs that say which thing a resource is: another value is another thing, so it is replaced. */
  readonly identity: readonly string[];
  /** The functions that are answered, by token, from their arguments alone. */
  readonly functions: Readonly<Record<string, (args: Properties) => Properties>>;
  /** Shows a line in Pulumi's own display. */
  readonly announce: (line: string) => Promise<void>;
}

/**
 * A provider of every resource of an installed SDK that keeps nothing but the state: it checks tokens and inputs against
 * the SDK's own types and makes up what a real one would answer. Nothing leaves the machine.
 */
export function typedProvider({ name, identity, functions, announce }: TypedPackage): ProviderHandlers {
  const types = new PackageTypes(name);
  return {
    version: types.version,
    configure: () => announce(`Using kiln's loopback ${name} plugin: it checks names and makes up answers.`),
    check({ urn, inputs }) {
      const { token, resource } = resourceOf(urn, types);
      if (resource === undefined) return { inputs, failures: [{ property: "", reason: unknownToken(name, token) }] };
      return { inputs, failures: inputFailures(inputs, resource.inputs, (object) => types.object(object)) };
    },
    diff({ oldInputs, inputs, ignoreChanges }) {
      const changes = Object.entries(propertyDiff(oldInputs, inputs))
        .filter(([path]) => !ignoreChanges.some((ignored) => isInside(path, ignored)))
        .map(([path, kind]) => [path, identity.includes(path) ? replacing(kind) : kind] as const);
      // What is identified by its inputs cannot exist twice.
      return { changes: Object.fromEntries(changes), deleteBeforeReplace: true };
    },
    create({ urn, inputs, preview }) {
      const { resource } = known(urn, types);
      if (preview) return { id: "", state: { ...inputs, ...unknownOutputs(resource.outputs, inputs) } };
      requireLoopbackStack(urn, name);
      const id = String(madeUpNumber(urn + JSON.stringify(identity.map((input) => plainValue(inputs[input])))));
      return { id, state: { ...inputs, ...madeUpOutputs(resource.outputs, inputs, urn) } };
    },
    update({ urn, inputs, preview }) {
      const { resource } = known(urn, types);
      if (!preview) requireLoopbackStack(urn, name);
      return { state: { ...inputs, ...madeUpOutputs(resource.outputs, inputs, urn) } };
    },
    delete({ urn }) {
      requireLoopbackStack(urn, name);
    },
    read({ urn, id, state, inputs }) {
      // There is nothing to look at but the state; an import or a `get` has none.
      if (Object.keys(state).length > 0) return { id, state, inputs };
      throw new Error(
        `kiln's loopback ${name} plugin has nothing to read: ${known(urn, types).token} ${id} is not in the state`,
      );
    },
    invoke(token, args) {
      const answer = functions[token];
      if (answer !== undefined) return answer(plainValue(args) as Properties);
      throw new Error(`kiln's loopback ${name} plugin does not answer ${token}: it would have to ask ${name}`);
    },
  };
}

function resourceOf(urn: string, types: PackageTypes): { token: string; resource: ResourceTypes | undefined } {
  const token = urn.split("::")[2]?.split("$").at(-1) ?? "";
  return { token, resource: types.resource(token) };
}

function known(urn: string, types: PackageTypes): { token: string; resource: ResourceTypes } {
  const { token, resource } = resourceOf(urn, types);
  if (resource === undefined) throw new Error(unknownToken(types.name, token));
  return { token, resource };
}

function unknownToken(name: string, token: string): string {
  return `@pulumi/${name} has no resource ${token}`;
}

function replacing(kind: ChangeKind): ChangeKind {
  if (kind === "add") return "add-replace";
  return kind === "delete" ? "delete-replace" : "update-replace";
}

/** Whether `path` is `ignored` or stands inside it. */
function isInside(path: string, ignored: string): boolean {
  return path === ignored || path.startsWith(`${ignored}.`) || path.startsWith(`${ignored}[`);
}

function requireLoopbackStack(urn: string, plugin: LoopbackPlugin): void {
  const refusal = refusalOf(stackOfUrn(urn), plugin);
  if (refusal !== undefined) throw new Error(refusal);
}
