import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { PROJECT } from "../../../support/checkout.ts";

/** Starts the language host as an engine does, and gives its exit code, or undefined once it has said its port and stays. */
async function endOf(engine: string): Promise<number | undefined> {
  const host = path.join(PROJECT, "toolchain/plugins/nodejs-host/pulumi-language-nodejs");
  const child = spawn(process.execPath, [host, engine], { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "exit").then(([code]) => code as number);
  const stayed = once(child.stdout, "data").then(() => new Promise<undefined>((resolve) => setTimeout(resolve, 500)));
  return Promise.race([ended, stayed]);
}

it("a plugin ends at once where its engine was gone before it began, and stays where there is one", async () => {
  const engine = createServer((call) => call.resume()).listen(0, "127.0.0.1");
  onTestFinished(() => void engine.close());
  await once(engine, "listening");
  const address = `127.0.0.1:${(engine.address() as AddressInfo).port}`;
  expect(await endOf(address)).toBeUndefined();
  engine.close();
  expect(await endOf(address)).toBe(1);
});
