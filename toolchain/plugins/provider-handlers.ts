import type { Properties } from "./property-values.ts";

export interface CheckRequest {
  readonly urn: string;
  readonly oldInputs: Properties;
  readonly inputs: Properties;
}
export interface Failure {
  readonly property: string;
  readonly reason: string;
}
export interface Existing {
  readonly urn: string;
  readonly id: string;
  readonly state: Properties;
  readonly oldInputs: Properties;
}
export interface DiffRequest extends Existing {
  readonly inputs: Properties;
  readonly ignoreChanges: readonly string[];
}
export type ChangeKind = "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";
export interface DiffAnswer {
  /** By property path, such as `spec.replicas` or `rules[0].name`; empty: nothing changes. */
  readonly changes: Readonly<Record<string, ChangeKind>>;
  readonly deleteBeforeReplace?: boolean;
}
export interface Change {
  /** In a preview nothing is changed; what cannot be known then is `UNKNOWN`. */
  readonly preview: boolean;
  /** Seconds; 0 where the program names none. */
  readonly timeout: number;
}
export interface CreateRequest extends Change {
  readonly urn: string;
  readonly inputs: Properties;
}
export interface UpdateRequest extends Change, DiffRequest {}
export interface DeleteRequest extends Existing {
  readonly timeout: number;
}

/** What a provider does. Values carry their secret marks in both directions; an error reaches the person as its message alone. */
export interface ProviderHandlers {
  readonly version: string;
  configure?(config: Properties): void | Promise<void>;
  check(request: CheckRequest): Answer<{ readonly inputs: Properties; readonly failures: readonly Failure[] }>;
  diff(request: DiffRequest): Answer<DiffAnswer>;
  create(request: CreateRequest): Answer<{ readonly id: string; readonly state: Properties }>;
  update(request: UpdateRequest): Answer<{ readonly state: Properties }>;
  delete(request: DeleteRequest): Answer<void>;
  /** What is there now; nothing where the resource is gone. `inputs` are empty at an import or a `get`. */
  read(request: Omit<Existing, "oldInputs"> & { readonly inputs: Properties }): Answer<ReadAnswer | undefined>;
  invoke?(token: string, args: Properties): Answer<Properties>;
  cancel?(): void;
}
export interface ReadAnswer {
  readonly id: string;
  readonly state: Properties;
  readonly inputs: Properties;
}
export type Answer<T> = T | Promise<T>;

/** The resource exists, but did not become what it should: the engine keeps it in the state and the operation fails. */
export class PartialFailure extends Error {
  readonly id: string;
  readonly state: Properties;
  readonly inputs: Properties;

  constructor(message: string, existing: { id: string; state: Properties; inputs: Properties }) {
    super(message);
    this.id = existing.id;
    this.state = existing.state;
    this.inputs = existing.inputs;
  }
}
