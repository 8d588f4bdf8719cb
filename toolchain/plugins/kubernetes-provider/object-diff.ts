import type { DiffAnswer } from "../provider-handlers.ts";
import { replacedFields, type Mutability } from "./replaced-fields.ts";
import { isAutonamed, type KubeObject } from "./kube-object.ts";
import { isObject, type ValuePath } from "./secret-paths.ts";

/** What changes from the inputs that the state has to those of the program, field by field. */
export function detailedDiff(before: KubeObject, after: KubeObject, mutable: Mutability): DiffAnswer {
  const fields = replacedFields(after, mutable);
  const replaces = (path: ValuePath) => fields.some((field) => `${path.join(".")}.`.startsWith(`${field}.`));
  const changed = differences(before, after, []);
  const changes = changed.map(({ path, kind }) => {
    return [propertyPath(path), replaces(path) ? (`${kind}-replace` as const) : kind] as const;
  });
  const sameName =
    before.metadata.name === after.metadata.name &&
    before.metadata.namespace === after.metadata.namespace &&
    before.kind === after.kind;
  const isReplaced = changed.some(({ path }) => replaces(path));
  return {
    changes: Object.fromEntries(changes),
    // Two of a name cannot be there at once.
    deleteBeforeReplace: isReplaced && sameName && !isAutonamed(after),
  };
}

interface Difference {
  readonly path: ValuePath;
  readonly kind: "add" | "delete" | "update";
}

/** A path as Pulumi writes it in a detailed diff: `spec.containers[0].image`, `metadata.labels["app.kubernetes.io/name"]`. */
export function propertyPath(path: ValuePath): string {
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      if (!/^[\w$-]+$/.test(part)) return `["${part.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"]`;
      return index === 0 ? part : `.${part}`;
    })
    .join("");
}

function differences(before: unknown, after: unknown, path: ValuePath): readonly Difference[] {
  if (Object.is(before, after)) return [];
  if (before === undefined || before === null)
    return after === undefined || after === null ? [] : [{ path, kind: "add" }];
  if (after === undefined || after === null) return [{ path, kind: "delete" }];
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) => differences(before[index], after[index], [...path, index])).flat();
  }
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differences(before[key], after[key], [...path, key]));
  }
  return [{ path, kind: "update" }];
}
