// `docker start --attach --interactive` of the fake: standard input goes in, output comes out, the exit code is the
// container's. The container is a process of its own, which goes on when this client is killed.
import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import path from "node:path";

const [home, folder] = process.argv.slice(2);
const scenario = JSON.parse(readFileSync(path.join(home, "scenario.json"), "utf8"));
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
writeFileSync(path.join(folder, "stdin"), Buffer.concat(chunks));

if (scenario.startDelayMs) await new Promise((resolve) => setTimeout(resolve, scenario.startDelayMs));
if (scenario.startError) {
  writeFileSync(path.join(folder, "error"), scenario.startError);
  writeFileSync(path.join(folder, "exit"), "127");
  process.stderr.write(`Error response from daemon: ${scenario.startError}\n`);
  process.exit(127);
}
const streams = ["out", "err"].map((name) => openSync(path.join(folder, name), "a+"));
const container = spawn(process.execPath, [path.join(home, "entrypoint.mjs"), home, folder], {
  detached: true,
  stdio: ["ignore", ...streams],
  env: {},
});
writeFileSync(path.join(folder, "pid"), String(container.pid));
let ended = false;
container.once("exit", () => (ended = true));
if (scenario.clientDiesMs) setTimeout(() => process.exit(1), scenario.clientDiesMs);

const readers = [
  [openSync(path.join(folder, "out"), "r"), process.stdout],
  [openSync(path.join(folder, "err"), "r"), process.stderr],
];
const buffer = Buffer.alloc(65_536);
function drain() {
  for (const [from, to] of readers) {
    for (let count; (count = readSync(from, buffer, 0, buffer.length, null)) > 0;)
      to.write(Buffer.from(buffer.subarray(0, count)));
  }
}
while (!ended) {
  drain();
  await new Promise((resolve) => setTimeout(resolve, 5));
}
drain();
const exit = path.join(folder, "exit");
process.exitCode = existsSync(exit) ? Number(readFileSync(exit, "utf8")) : 137;
