#!/usr/bin/env node
// The entrance of `npm run bench`: as that of the `kiln` command, for every Node from 18 on.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { BootstrapError, isOlder, nodePin, readyNode, readyPackages, runAgain } from "../toolchain/bootstrap.mjs";
import { honoursProxies, needsRestart, networkEnvironment } from "../toolchain/network.mjs";

const say = (text) => process.stderr.write(`bench: ${text}\n`);

try {
  process.exitCode = await enter(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BootstrapError)) throw error;
  say(error.message);
  process.exitCode = 4;
}

async function enter(argv) {
  const script = fileURLToPath(import.meta.url);
  const network = networkEnvironment(process.env);
  const restart = needsRestart(network, process.env);
  Object.assign(process.env, network);
  const unfit = whyUnfit(process.versions.node, network);
  if (unfit !== undefined) return runAgain(await readyNode(say, unfit), script, argv);
  if (restart) return runAgain(path.dirname(process.execPath), script, argv);
  await readyPackages(say);
  const { main } = await import("./main.ts");
  return main(argv);
}

/** Why a version of Node cannot run the bench in this network; undefined where it can. */
function whyUnfit(version, network) {
  const { minimum } = nodePin();
  if (isOlder(version, minimum)) return `is older than ${minimum}`;
  if (network.NODE_USE_ENV_PROXY !== undefined && !honoursProxies(version)) return "cannot use this network's proxy";
  return undefined;
}
