import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

vi.setConfig({ testTimeout: 30_000 });

const SUPPORT = path.resolve(import.meta.dirname, "../../support/interrupted-with-us.ts");

/** As vitest does: it ends at once on SIGINT, while its set-up is still at work. The child says what it got, then cleans up. */
async function setUpAtWork(): Promise<{ readonly parent: ChildProcess; readonly said: () => Promise<string> }> {
  const file = path.join(await temporaryDirectory(), "said");
  const child = `
    const { appendFileSync } = require("node:fs");
    let got = 0;
    process.on("SIGINT", () => {
      appendFileSync(${JSON.stringify(file)}, "interrupted " + ++got + "\\n");
      setTimeout(() => { appendFileSync(${JSON.stringify(file)}, "cleaned up\\n"); process.exit(); }, 300);
    });
    appendFileSync(${JSON.stringify(file)}, "at work\\n");
    setTimeout(() => process.exit(), 20_000);`;
  const script = `
    import { spawn } from "node:child_process";
    import { interruptWithUs } from ${JSON.stringify(SUPPORT)};
    process.once("SIGINT", () => setTimeout(() => process.exit(130), 1));
    interruptWithUs(spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { detached: true, stdio: "ignore" }));`;
  const args = ["--no-warnings", "--input-type=module", "-e", script];
  const parent = spawn(process.execPath, args, { stdio: "ignore", detached: true });
  const said = () => readFile(file, "utf8").catch(() => "");
  while (!(await said()).includes("at work")) await sleep(20);
  return { parent, said };
}

it.each([
  ["the process alone", [1]],
  ["its whole group, twice, as a terminal and a parent do", [-1, 1]],
] as const)("SIGINT to %s ends the set-up, which cleans up", async (_, targets) => {
  const { parent, said } = await setUpAtWork();
  const ended = once(parent, "exit");
  for (const target of targets) process.kill(target * (parent.pid ?? 0), "SIGINT");
  await ended;
  for (let tries = 0; tries < 250 && !(await said()).includes("cleaned up"); tries++) await sleep(20);
  expect(await said()).toBe("at work\ninterrupted 1\ncleaned up\n");
});
