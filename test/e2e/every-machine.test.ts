import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from "vitest";
import { buildImage } from "../../execution/docker.ts";
import { runOffline } from "../../execution/offline-container.ts";
import { silent } from "../../progress.ts";
import { readyBaseImage } from "../../toolchain/base-image.ts";
import { engineEnvironment, readyEngine, type Engine } from "../../toolchain/docker-engine.ts";
import type { Finding } from "../../toolchain/finding.ts";
import { startRegistry, stopRegistry } from "../../toolchain/loopback-registry.ts";
import { places } from "../../toolchain/places.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import { run } from "../../toolchain/process.ts";
import { freePort, kiln } from "../support/checkout.ts";
import { noFarEngine, overTcp, startFarEngine, startPodman } from "../support/far-engine.ts";
import { startProxy } from "../support/loopback-network.ts";

const checkout = inject("checkout");
/** A name that no resolver knows (RFC 6761): only the proxy can reach it. */
const HOST = "modules.kiln.invalid";

let root = "";
let engine: Engine;
let base = "";
let docker: (args: readonly string[]) => ReturnType<typeof run>;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "kiln-machine-"));
  const here = places({ ...process.env, ...checkout.env }, checkout.directory);
  engine = await readyEngine({ places: here, progress: silent });
  docker = (args) => run(engine.docker, args, { env: engineEnvironment(engine) });
  const reference = "docker.io/library/debian:bookworm-slim";
  const image = await readyBaseImage({ engine, reference, platform: ownPlatform(), places: here, progress: silent });
  base = image.reference;
});

afterAll(() => rm(root, { recursive: true, force: true }));

async function removeImage(tag: string): Promise<void> {
  await run(engine.docker, ["image", "rm", "--force", tag], { env: engineEnvironment(engine), allowFailure: true });
}

async function engineRow(env: NodeJS.ProcessEnv): Promise<{ code: number; row: Finding }> {
  const { code, stdout } = await kiln(checkout, ["doctor", "--json"], { env });
  const { rows } = JSON.parse(stdout) as { rows: readonly Finding[] };
  const row = rows.find(({ name }) => name.startsWith("docker engine"));
  if (row === undefined) throw new Error("doctor has no row of the engine");
  return { code, row };
}

describe("behind an HTTP proxy", () => {
  it("the steps of a docker build go through it, and its password is in neither history, log nor command line", async () => {
    const server = createServer((_, response) => response.writeHead(404).end());
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = await startProxy({ to: (server.address() as AddressInfo).port, credentials: "user:secret" });
    const address = `http://user:secret@${proxy.address}`;
    for (const name of ["http_proxy", "HTTP_PROXY"]) vi.stubEnv(name, address);
    await writeFile(
      path.join(root, "Dockerfile"),
      // A name that no build has seen: a step from the engine's cache asks nobody.
      `ARG BASE_IMAGE\nFROM \${BASE_IMAGE}\nRUN git ls-remote http://${HOST}/${randomUUID()} || true\n`,
    );
    const tag = "kiln-e2e-proxy";
    onTestFinished(() => removeImage(tag));
    const dockerfile = path.join(root, "Dockerfile");
    await buildImage(engine, { context: root, dockerfile, tag, args: { BASE_IMAGE: base }, progress: silent });
    expect(proxy.asked.join("\n")).toContain(HOST);
    const history = await docker(["history", "--no-trunc", "--format", "{{.CreatedBy}}", tag]);
    const config = await docker(["image", "inspect", tag]);
    expect(history.stdout).toContain("git ls-remote");
    expect(history.stdout + config.stdout).not.toContain("secret");
  });
});

describe("without Docker Hub", () => {
  it("a base image comes from the registry that KILN_DOCKER_MIRROR names", async () => {
    const home = places({ ...process.env, KILN_STATE_DIR: path.join(root, "mirror") });
    const address = `localhost:${await freePort()}`;
    onTestFinished(async () => {
      await stopRegistry({ places: home });
    });
    await startRegistry({ places: home, address, progress: silent });
    const mirrored = `${address}/hub/library/kiln-no-such-image:1`;
    await docker(["tag", base, mirrored]);
    onTestFinished(() => removeImage(mirrored));
    await docker(["push", mirrored]);
    await docker(["image", "rm", mirrored]);
    const env = { ...process.env, KILN_DOCKER_MIRROR: `${address}/hub` };
    const wanted = { engine, platform: ownPlatform(), places: home, progress: silent };
    const found = await readyBaseImage({ ...wanted, reference: "docker.io/library/kiln-no-such-image:1", env });
    expect(found.reference).toBe(mirrored);
    expect(found.recipe).toMatch(new RegExp(`^${address}/hub/library/kiln-no-such-image@sha256:`));
    await expect(readyBaseImage({ ...wanted, reference: "kiln-no-such-image:2", env })).rejects.toMatchObject({
      kind: "unreachable",
      mend: expect.stringContaining("KILN_DOCKER_MIRROR") as string,
    });
  });
});

describe("an engine that a person chose", () => {
  it("serves over TCP and by a docker context, where it shares this machine's network", async () => {
    const { host } = engine;
    const tcp = await overTcp(host ?? "unix:///var/run/docker.sock");
    const byHost = await engineRow({ DOCKER_HOST: tcp });
    expect(byHost.row).toMatchObject({ status: "ok", source: `DOCKER_HOST=${tcp}` });

    const env = { ...process.env, DOCKER_CONFIG: path.join(root, "docker-config") };
    await run(engine.docker, ["context", "create", "kiln-far", "--docker", `host=${tcp}`], { env });
    await run(engine.docker, ["context", "use", "kiln-far"], { env });
    const byContext = await engineRow({ DOCKER_CONFIG: env.DOCKER_CONFIG });
    expect(byContext.row).toMatchObject({ status: "ok", source: `the docker context kiln-far (${tcp})` });

    await run(engine.docker, ["context", "update", "kiln-far", "--docker", "host=tcp://127.0.0.1:1"], { env });
    const gone = await kiln(checkout, ["cache", "bake"], { env: { DOCKER_CONFIG: env.DOCKER_CONFIG } });
    expect(gone.code).toBe(4);
    expect(gone.stderr).toContain("the docker context kiln-far (tcp://127.0.0.1:1)");
  });

  it("is refused for a stack on localhost where it is in another network, by doctor and bake in the same words", async (test) => {
    const lacks = await noFarEngine();
    if (lacks !== undefined) return void test.skip(`an engine in another network cannot be started: ${lacks}`);
    const host = await startFarEngine();
    const { code, row } = await engineRow({ DOCKER_HOST: host });
    expect(code).toBe(4);
    expect(row).toMatchObject({ status: "refused", mend: expect.stringContaining("kiln:registry") as string });
    expect(row.source).toContain("cannot reach localhost of this machine");
    const baked = await kiln(checkout, ["cache", "bake"], { env: { DOCKER_HOST: host } });
    expect(baked.code).toBe(4);
    expect(baked.stderr).toContain(row.source);

    // What a stack on another registry needs of it: files reach its containers although nothing of this disk is mounted.
    const far = { docker: engine.docker, env: { ...process.env, DOCKER_HOST: host } };
    const archive = path.join(root, "base.tar");
    await docker(["save", "--output", archive, base]);
    await run(far.docker, ["load", "--input", archive], { env: far.env });
    const source = path.join(root, "source");
    await run("mkdir", ["-p", path.join(source, "folder with spaces")]);
    await writeFile(path.join(source, "folder with spaces/file"), "content\n");
    const { stdout } = await runOffline(far, {
      image: base,
      command: ["/bin/sh", "-euc", 'cat "/mnt/source/folder with spaces/file"; ls /sys/class/net'],
      copy: { from: source, to: "/mnt/source" },
    });
    expect(stdout).toBe("content\nlo\n");
    expect((await run(far.docker, ["ps", "--all", "--quiet"], { env: far.env })).stdout).toBe("");
  });

  it("is refused where it is Podman, whose socket has no BuildKit", async (test) => {
    if ((await run("sh", ["-c", "command -v podman"], { allowFailure: true })).code !== 0) {
      return void test.skip("podman is not installed");
    }
    const host = await startPodman();
    const { code, row } = await engineRow({ DOCKER_HOST: host });
    expect(code).toBe(4);
    expect(row.status).toBe("refused");
    expect(row.source).toMatch(/^Podman at unix:.* has no BuildKit/);
    const baked = await kiln(checkout, ["cache", "bake"], { env: { DOCKER_HOST: host } });
    expect([baked.code, baked.stderr.includes(row.source)]).toEqual([4, true]);
  });
});

describe("a machine that cannot be right", () => {
  it("with a file of no certificates is refused by doctor and bake in the same words", async () => {
    const file = path.join(root, "empty.pem");
    await writeFile(file, "");
    const { stdout, code } = await kiln(checkout, ["doctor", "--json"], { env: { KILN_CA_FILE: file } });
    expect(code).toBe(4);
    const row = (JSON.parse(stdout) as { rows: readonly Finding[] }).rows.find(({ name }) => name === "certificates");
    expect(row).toMatchObject({ status: "refused", source: `${file} holds no PEM certificate` });
    const baked = await kiln(checkout, ["cache", "bake"], { env: { KILN_CA_FILE: file } });
    expect([baked.code, baked.stderr.includes(row?.source ?? "?")]).toEqual([4, true]);
  });
});
