import type { ParseArgsConfig } from "node:util";
import type { Progress } from "../progress.ts";

/** What a command gets: parsed options, positional arguments and where to report. */
export interface Invocation {
  readonly values: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;
  readonly positionals: readonly string[];
  readonly progress: Progress;
}

/** What a command gives back: a document for `--json`, lines for a person, and the exit code where it is not 0. */
export interface Outcome {
  readonly json: unknown;
  readonly text: string;
  readonly exitCode?: number;
}

/** One command of `kiln`. Its help page is made of these fields. */
export interface Command {
  /** Words after `kiln`, such as `cache plan`. */
  readonly name: string;
  readonly summary: string;
  /** Arguments after the name, as the help shows them. */
  readonly usage: string;
  readonly options: NonNullable<ParseArgsConfig["options"]>;
  /** A line per option of `options`, in the order that help shows. */
  readonly help: Readonly<Record<string, string>>;
  run(invocation: Invocation): Promise<Outcome>;
}
