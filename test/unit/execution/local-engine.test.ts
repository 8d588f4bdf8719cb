import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { engineSocket } from "../../../execution/local-engine.ts";

const LOCAL = { host: "unix:///run/engine.sock" };

async function socketWith(config: string | undefined, engine: Parameters<typeof engineSocket>[0] = LOCAL) {
  const home = await mkdtemp(path.join(tmpdir(), "kiln-client-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  await mkdir(path.join(home, ".docker"));
  if (config !== undefined) await writeFile(path.join(home, ".docker/config.json"), config);
  return engineSocket(engine, { HOME: home })?.path;
}

it("an engine of this machine is asked over its socket, any other by the client", async () => {
  expect(await socketWith(undefined)).toBe("/run/engine.sock");
  expect(await socketWith(`{"auths":{},"credsStore":"pass"}`)).toBe("/run/engine.sock");
  for (const host of ["ssh://build", "tcp://127.0.0.1:2375", undefined]) {
    expect(await socketWith(undefined, { host })).toBeUndefined();
  }
});

it("what a person's client puts into containers or requests is not left out: the client does it then", async () => {
  expect(await socketWith(`{"proxies":{"default":{"httpProxy":"http://proxy:3128"}}}`)).toBeUndefined();
  expect(await socketWith(`{"HttpHeaders":{"X-Team":"a"}}`)).toBeUndefined();
  expect(await socketWith("no JSON")).toBeUndefined();
});
