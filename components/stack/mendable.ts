import * as pulumi from "@pulumi/pulumi";
import { KilnError } from "../../errors.ts";

/** What a person can mend reaches the terminal as its message alone, without a stack trace. */
export async function mendable<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KilnError)) throw error;
    throw new pulumi.RunError([error.message, error.mend].filter(Boolean).join(". "));
  }
}
