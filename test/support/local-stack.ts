import path from "node:path";
import type { TestProject } from "vitest/node";
import type { BakedLayer } from "../../cache/bake.ts";
import { kiln, makeCheckout, PROJECT, removeCheckout, type Checkout } from "./checkout.ts";

/** What `kiln up --json` printed when the shared stack came up. */
export interface UpReport {
  readonly warmImage: string;
  readonly image: string;
  readonly changes: string;
  readonly reused: boolean;
  readonly layers: readonly BakedLayer[];
}

declare module "vitest" {
  export interface ProvidedContext {
    checkout: Checkout;
    up: UpReport;
  }
}

/** One bake of the examples for all end-to-end tests: the local stack of a copy of this project, from nothing. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const checkout = await makeCheckout({ store: path.join(PROJECT, ".kiln/test-store") });
  const up = await kiln(checkout, ["up", "--json"], {
    // Vitest ends at once on Ctrl-C, and waits for no set-up.
    interruptWithUs: true,
    onStderr: (() => {
      let shown = 0;
      return (text: string) => {
        process.stderr.write(text.slice(shown));
        shown = text.length;
      };
    })(),
  });
  if (up.code !== 0) {
    await kiln(checkout, ["down"]);
    throw new Error(`kiln up exited with ${up.code}:\n${up.stderr}`);
  }
  project.provide("checkout", checkout);
  project.provide("up", JSON.parse(up.stdout) as UpReport);
  return async () => {
    const down = await kiln(checkout, ["down"]);
    if (down.code !== 0) throw new Error(`kiln down exited with ${down.code}:\n${down.stderr}`);
    await removeCheckout(checkout);
  };
}
