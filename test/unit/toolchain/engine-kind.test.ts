import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { buildRefusal, loopbackRefusal, parseEngineKind, readEngineKind } from "../../../toolchain/engine-kind.ts";
import { chosenEngine, readyEngine } from "../../../toolchain/docker-engine.ts";
import { places } from "../../../toolchain/places.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

// As Docker 20.10 and Podman 4.3 print them, shortened.
const DOCKER =
  '{"Components":[{"Name":"Engine","Version":"20.10.24"},{"Name":"containerd"}],"Version":"20.10.24","Arch":"amd64"}';
const PODMAN =
  '{"Components":[{"Name":"Podman Engine","Version":"4.3.1"},{"Name":"Conmon"}],"Version":"4.3.1","Arch":"arm64"}';
const SOCKET = { address: "unix:///run/docker.sock", context: "default" };

test("engines are told apart by what they say of themselves", () => {
  const plain = parseEngineKind(DOCKER, '["name=seccomp,profile=default"]', SOCKET);
  expect(plain).toEqual({ software: "Docker", version: "20.10.24", architecture: "amd64", rootless: false, ...SOCKET });
  expect(parseEngineKind(DOCKER, '["name=seccomp,profile=default","name=rootless"]', SOCKET)?.rootless).toBe(true);
  expect(parseEngineKind(PODMAN, "null", SOCKET)).toMatchObject({ software: "Podman", architecture: "arm64" });
});

test.each(["null", "{}", '{"Version":""}'])("%s names no engine", (server) => {
  expect(parseEngineKind(server, "null", SOCKET)).toBeUndefined();
});

test("Podman is refused with the reason, Docker is not", () => {
  const podman = parseEngineKind(PODMAN, "null", { address: "ssh://root@build.example", context: "far" });
  expect(podman && buildRefusal(podman)?.reason).toMatch(/^Podman at ssh:\/\/\*\*\*@build\.example has no BuildKit/);
  const docker = parseEngineKind(DOCKER, "null", SOCKET);
  expect(docker && buildRefusal(docker)).toBeUndefined();
});

/** A docker client with BuildKit: answers as this engine; `pull` reaches the registry that is asked for, or does not. */
async function client(options: {
  server?: string;
  version?: string;
  security?: string;
  context?: string;
  reaches?: boolean;
}) {
  const { server = DOCKER, version = "20.10.24", security = "null", reaches = true } = options;
  const { context = "default unix:///run/docker.sock" } = options;
  const directory = await temporaryDirectory();
  const file = path.join(directory, "docker");
  const pull = `const http = require("node:http"); const [host, ...rest] = process.argv[1].split("/");
http.get("http://" + host + "/v2/" + rest.join("/"), (r) => r.resume()).on("error", () => {});`;
  await writeFile(
    file,
    `#!/bin/sh
case "$1 $2" in
  "--version ") echo "Docker version 20.10.24, build 1" ;;
  "version --format") [ "$3" = "{{json .Server}}" ] && echo '${server}' || echo '${version}' ;;
  "info --format") echo '${security}' ;;
  "context inspect") echo '${context}' ;;
  "pull --quiet") ${reaches ? `'${process.execPath}' -e '${pull}' "$3"` : ":"}; exit 1 ;;
esac
`,
  );
  await chmod(file, 0o755);
  return { file, env: { PATH: directory } };
}

test("whether an engine shares this machine's loopback is tried, not guessed from its address", async () => {
  const near = await client({ context: "default tcp://127.0.0.1:2375" });
  const kind = await readEngineKind(near.file, near.env);
  expect(kind?.address).toBe("tcp://127.0.0.1:2375");
  expect(kind && (await loopbackRefusal(near.file, near.env, kind))).toBeUndefined();

  const far = await client({ security: '["name=rootless"]', reaches: false });
  const rootless = await readEngineKind(far.file, far.env);
  const refusal = rootless && (await loopbackRefusal(far.file, far.env, rootless));
  expect(refusal?.reason).toContain("rootless Docker at unix:///run/docker.sock cannot reach localhost");
  expect(refusal?.mend).toContain("kiln:registry");
});

test("an engine is chosen by DOCKER_HOST, DOCKER_CONTEXT or the current context, and by nothing else", async () => {
  const { env } = await client({ context: "far ssh://build.example" });
  expect(await chosenEngine(env)).toBe("the docker context far (ssh://build.example)");
  expect(await chosenEngine({ ...env, DOCKER_HOST: "tcp://user:secret@build:2375" })).toBe(
    "DOCKER_HOST=tcp://***@build:2375",
  );
  expect(await chosenEngine({ ...env, DOCKER_CONTEXT: "gone" })).toBe("DOCKER_CONTEXT=gone");
  expect(await chosenEngine((await client({})).env)).toBeUndefined();
});

test("a chosen engine that does not answer, and Podman, end with exit 4 instead of an engine that no one asked for", async () => {
  const home = await temporaryDirectory();
  const here = places({ KILN_CACHE_DIR: path.join(home, "cache"), KILN_STATE_DIR: path.join(home, "state") });
  const silentEngine = await client({ version: "", context: "far ssh://build.example" });
  const ready = (env: NodeJS.ProcessEnv) => readyEngine({ places: here, progress: silent, env });
  const podman = await client({ server: PODMAN });
  await expect(ready(podman.env)).rejects.toMatchObject({
    kind: "unreachable",
    message: expect.stringContaining("has no BuildKit") as string,
    mend: expect.stringContaining("docker.io") as string,
  });
  await expect(ready(silentEngine.env)).rejects.toMatchObject({
    kind: "unreachable",
    message: "no usable Docker engine answers at the docker context far (ssh://build.example)",
  });
});
