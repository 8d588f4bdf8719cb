import type { Step } from "./step.ts";

/** What the steps of a run found. */
export interface Results {
  /** What a step found. Throws where it did not run, or failed. */
  readonly result: <T>(step: Step<T>) => T;
  /** The same; undefined where there is none. */
  readonly maybe: <T>(step: Step<T>) => T | undefined;
}

/** A bound that a figure must keep: the measured value is to be at most the limit, and at least the least. */
export interface Bound {
  /** Its key below the figure's in the JSON; empty where the figure has this one alone. */
  readonly name: string;
  /** What is compared with what, in a few words for the table. */
  readonly about: string;
  /** Undefined where the value is shown and has no target. */
  readonly limit: number | undefined;
  /** What the value is to be at least, where it can be too small as well. */
  readonly least?: number;
  readonly unit: "x" | "s" | "MB" | "";
}

/** What a figure found: the value of each of its bounds, and the raw values behind them, with units in their names. */
export interface Found {
  readonly values: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, unknown>>;
  /** Bounds that could not be had although the figure could, with the reason. */
  readonly missing?: Readonly<Record<string, string>>;
}

/** A row of the table: what it needs to have run, and how its values come from what that found. */
export interface Figure {
  readonly key: string;
  readonly bounds: readonly Bound[];
  readonly needs: readonly Step<unknown>[];
  find(results: Results): Found;
}
