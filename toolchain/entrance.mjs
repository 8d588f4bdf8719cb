// What every command of the project begins with, on any Node from 18 on.
import path from "node:path";
import { BootstrapError, isOlder, nodePin, readyNode, readyPackages, runAgain } from "./bootstrap.mjs";
import { honoursProxies, needsRestart, networkEnvironment } from "./network.mjs";

/**
 * Makes a machine ready for the TypeScript that follows, and hands over to it: the npm packages, a Node that runs it, and
 * the network that this environment describes. Sets the exit code, to 4 where something outside could not be reached.
 */
export async function enter({ name, script, load }) {
  const say = (text) => process.stderr.write(`${name}: ${text}\n`);
  try {
    process.exitCode = await handOver(say, script, load, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    say(error.message);
    process.exitCode = 4;
  }
}

async function handOver(say, script, load, argv) {
  const network = networkEnvironment(process.env);
  const restart = needsRestart(network, process.env);
  Object.assign(process.env, network);
  const unfit = whyUnfit(process.versions.node, network);
  if (unfit !== undefined) return runAgain(await readyNode(say, unfit), script, argv);
  // Node takes certificates and proxies only when it starts.
  if (restart) return runAgain(path.dirname(process.execPath), script, argv);
  await readyPackages(say);
  hideTypeStrippingWarning();
  const { main } = await load();
  return main(argv);
}

/** Why a version of Node cannot run the project in this network; undefined where it can. */
function whyUnfit(version, network) {
  const { minimum } = nodePin();
  if (isOlder(version, minimum)) return `is older than ${minimum}`;
  if (network.NODE_USE_ENV_PROXY !== undefined && !honoursProxies(version)) return "cannot use this network's proxy";
  return undefined;
}

/** Type stripping is how this project runs; Node versions that still call it experimental need not say so every time. */
function hideTypeStrippingWarning() {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).includes("Type Stripping")) emitWarning.call(process, warning, ...rest);
  };
}
