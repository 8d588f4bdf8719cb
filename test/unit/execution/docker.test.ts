import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { buildImage, hasImage, proxyFlags, pushImage } from "../../../execution/docker.ts";
import { silent, type Progress } from "../../../progress.ts";
import type { Engine } from "../../../toolchain/docker-engine.ts";

let home: string;
let engine: Engine;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-docker-"));
  engine = { docker: path.join(home, "docker"), host: "unix:///run/kiln.sock", managed: false };
  return () => rm(home, { recursive: true });
});

/** A docker client that notes what it was called with, prints this and exits so. */
async function docker(answer: { stdout?: string; stderr?: string; code?: number }): Promise<void> {
  const { stdout = "", stderr = "", code = 0 } = answer;
  await writeFile(path.join(home, "stdout"), stdout);
  await writeFile(path.join(home, "stderr"), stderr);
  const script = `#!/bin/sh
printf '%s\\n' "$@" > "${home}/argv"
printf '%s %s\\n' "$DOCKER_HOST" "$DOCKER_BUILDKIT" > "${home}/env"
cat "${home}/stdout"
cat "${home}/stderr" >&2
exit ${code}
`;
  await writeFile(engine.docker, script);
  await chmod(engine.docker, 0o755);
}

const argv = async () => (await readFile(path.join(home, "argv"), "utf8")).trimEnd().split("\n");

describe("buildImage", () => {
  const options = { context: "/c", dockerfile: "/c/Dockerfile", tag: "r/i:t", progress: silent };

  it("builds the whole Dockerfile where nothing else is asked, with BuildKit, on the engine", async () => {
    await docker({});
    await buildImage(engine, options);
    expect(await argv()).toEqual(["build", "--progress=plain", "--file", "/c/Dockerfile", "--tag", "r/i:t", "/c"]);
    expect(await readFile(path.join(home, "env"), "utf8")).toBe("unix:///run/kiln.sock 1\n");
  });

  it("passes target, platform and arguments on, spaces and all", async () => {
    await docker({});
    await buildImage(engine, { ...options, target: "base", platform: "linux/arm64", args: { A: "1 2", B: "$x" } });
    expect((await argv()).slice(6)).toEqual([
      ...["--target", "base", "--platform", "linux/arm64"],
      ...["--build-arg", "A=1 2", "--build-arg", "B=$x", "/c"],
    ]);
  });

  it("reports each step of the Dockerfile", async () => {
    const lines = [
      "#1 [internal] load build definition from Dockerfile",
      "#5 [1/4] FROM docker.io/library/debian",
      "#6 [base 2/4] RUN apt-get install 1/2 of it",
      "#7 [linux/amd64 stage-1 13/14] COPY a b",
      "#7 0.5 some output [9/9] here",
    ];
    await docker({ stderr: `${lines.join("\n")}\n` });
    const seen: unknown[] = [];
    const progress: Progress = { ...silent, update: (...update) => seen.push(update) };
    await buildImage(engine, { ...options, progress });
    expect(seen).toEqual([
      ["FROM docker.io/library/debian", 1, 4],
      ["RUN apt-get install 1/2 of it", 2, 4],
      ["COPY a b", 13, 14],
    ]);
  });

  it("passes proxies on by name, so that their passwords stand in no command line and in no message", async () => {
    for (const name of ["http_proxy", "HTTP_PROXY", "https_proxy", "no_proxy", "NO_PROXY"]) vi.stubEnv(name, undefined);
    vi.stubEnv("HTTPS_PROXY", "http://user:secret@proxy.example:3128");
    await docker({ stderr: "cannot connect to http://user:secret@proxy.example:3128: unknown authority\n", code: 1 });
    const failure = await buildImage(engine, options).catch((error: unknown) => error as Error & { mend?: string });
    expect((await argv()).slice(6)).toEqual(["--build-arg", "HTTPS_PROXY", "/c"]);
    expect(JSON.stringify([await argv(), failure?.message])).not.toContain("secret");
    expect(failure?.mend).toContain("KILN_CA_FILE");
  });

  it("builds in this machine's network where a proxy listens on its loopback", () => {
    expect(proxyFlags({ http_proxy: "http://127.0.0.1:3128" })).toEqual([
      "--build-arg",
      "http_proxy",
      "--network",
      "host",
    ]);
    expect(proxyFlags({})).toEqual([]);
  });

  it("says the last of what was printed when a build fails", async () => {
    await docker({ stderr: `${Array.from({ length: 40 }, (_, line) => `line ${line}`).join("\n")}\n`, code: 1 });
    await expect(buildImage(engine, options)).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/^docker build of \/c\/Dockerfile failed:\nline 25\n[^]*line 39$/) as string,
    });
  });
});

describe("pushImage", () => {
  const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

  it("gives the digest that the registry answered with", async () => {
    await docker({ stdout: `The push refers to repository [r/i]\nabc: Pushed\nt: digest: ${digest} size: 1573\n` });
    expect(await pushImage(engine, "r/i:t")).toBe(digest);
    expect(await argv()).toEqual(["push", "r/i:t"]);
  });

  it.each([
    ["unreachable", "Get http://localhost:1/v2/: dial tcp 127.0.0.1:1: connect: connection refused"],
    ["unreachable", "denied: requested access to the resource is denied"],
    ["unreachable", "unauthorized: authentication required"],
    ["failed", "An image does not exist locally with the tag: r/i"],
  ])("is %s where docker says %j", async (kind, stderr) => {
    await docker({ stderr: `${stderr}\n`, code: 1 });
    await expect(pushImage(engine, "r/i:t")).rejects.toMatchObject({
      kind,
      message: `docker push r/i:t failed: ${stderr}`,
      mend: expect.stringContaining("docker login") as string,
    });
  });

  it("does not take a push without a digest for done, nor a digest of a push that failed", async () => {
    await docker({ stdout: "done\n" });
    await expect(pushImage(engine, "r/i:t")).rejects.toMatchObject({ kind: "failed" });
    await docker({ stdout: `t: digest: ${digest} size: 1\n`, code: 1 });
    await expect(pushImage(engine, "r/i:t")).rejects.toMatchObject({ kind: "failed" });
  });
});

describe("hasImage", () => {
  it.each([
    [0, true],
    [1, false],
  ])("where docker exits with %i: %s", async (code, has) => {
    await docker({ code });
    expect(await hasImage(engine, "r/i:t")).toBe(has);
    expect(await argv()).toEqual(["image", "inspect", "r/i:t"]);
  });
});
