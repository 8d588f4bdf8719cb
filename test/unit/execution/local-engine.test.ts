import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { engineSocket, localSocket } from "../../../execution/local-engine.ts";

async function socketWith(config: string | undefined, more: NodeJS.ProcessEnv = {}) {
  const home = await mkdtemp(path.join(tmpdir(), "kiln-client-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  await mkdir(path.join(home, ".docker"));
  if (config !== undefined) await writeFile(path.join(home, ".docker/config.json"), config);
  return engineSocket("/run/engine.sock", { HOME: home, ...more })?.path;
}

it("an engine of this machine is asked over its socket, any other by the client", async () => {
  expect(await socketWith(undefined)).toBe("/run/engine.sock");
  expect(await socketWith(`{"auths":{},"credsStore":"pass"}`)).toBe("/run/engine.sock");
  expect(engineSocket(undefined, {})).toBeUndefined();
  for (const [host, socket] of [
    ["unix:///run/engine.sock", "/run/engine.sock"],
    ["ssh://build", undefined],
    ["tcp://127.0.0.1:2375", undefined],
  ] as const) {
    expect(await localSocket({ docker: "no client is asked", host }, {})).toBe(socket);
  }
});

it("where nobody named an engine, its client says where it is", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "kiln-client-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const docker = path.join(folder, "docker");
  await writeFile(docker, `#!/bin/sh\n[ "$1 $2" = "context inspect" ] && echo "$CONTEXT"\n`, { mode: 0o755 });
  const asked = (host: string | undefined, CONTEXT: string) => localSocket({ docker, host }, { CONTEXT });
  expect(await asked(undefined, "default unix:///var/run/docker.sock")).toBe("/var/run/docker.sock");
  expect(await asked("", "rootless unix:///run/user/1000/docker.sock")).toBe("/run/user/1000/docker.sock");
  expect(await asked(undefined, "far ssh://build.example")).toBeUndefined();
  expect(await asked(undefined, "")).toBeUndefined();
});

it("what a person's client puts into containers or requests is not left out: the client does it then", async () => {
  expect(await socketWith(`{"proxies":{"default":{"httpProxy":"http://proxy:3128"}}}`)).toBeUndefined();
  expect(await socketWith(`{"HttpHeaders":{"X-Team":"a"}}`)).toBeUndefined();
  expect(await socketWith("no JSON")).toBeUndefined();
  expect(await socketWith(undefined, { DOCKER_CUSTOM_HEADERS: "X-Team=a" })).toBeUndefined();
  expect(await socketWith(undefined, { DOCKER_CUSTOM_HEADERS: "" })).toBe("/run/engine.sock");
});
