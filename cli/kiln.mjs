#!/usr/bin/env node
// The entrance for every Node from 18 on: makes a machine ready for the TypeScript that follows, then hands over to it.
import { fileURLToPath } from "node:url";
import { BootstrapError, isOlder, nodePin, readyNode, readyPackages, runAgain } from "../toolchain/bootstrap.mjs";

const say = (text) => process.stderr.write(`kiln: ${text}\n`);

try {
  process.exitCode = await enter(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BootstrapError)) throw error;
  say(error.message);
  process.exitCode = 4;
}

async function enter(argv) {
  if (isOlder(process.versions.node, nodePin().minimum)) {
    return runAgain(await readyNode(say), fileURLToPath(import.meta.url), argv);
  }
  await readyPackages(say);
  hideTypeStrippingWarning();
  const { main } = await import("./main.ts");
  return main(argv);
}

/** Type stripping is how this project runs; Node versions that still call it experimental need not say so every time. */
function hideTypeStrippingWarning() {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).includes("Type Stripping")) emitWarning.call(process, warning, ...rest);
  };
}
