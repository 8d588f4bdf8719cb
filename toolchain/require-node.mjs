// Before scripts that run under the caller's own Node: says which one they need instead of failing somewhere inside.
import { isOlder, nodePin } from "./bootstrap.mjs";

const { minimum } = nodePin();
if (isOlder(process.versions.node, minimum)) {
  process.stderr.write(`kiln: this needs Node ${minimum} or newer, and this is ${process.versions.node}.\n`);
  process.stderr.write(`      \`eval "$(npx kiln env)"\` puts the pinned Node first on PATH.\n`);
  process.exitCode = 4;
}
