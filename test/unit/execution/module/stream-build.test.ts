import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { streamBuild, streamBuildArguments, type StreamBuild } from "../../../../execution/module/stream-build.ts";
import { silent, type Progress } from "../../../../progress.ts";
import type { Engine } from "../../../../toolchain/docker-engine.ts";

let home: string;
let engine: Engine;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-stream-"));
  engine = { docker: path.join(home, "docker"), host: undefined, managed: false };
  return () => rm(home, { recursive: true });
});

async function docker(script: string): Promise<void> {
  await writeFile(engine.docker, `#!/bin/sh\n${script}\n`);
  await chmod(engine.docker, 0o755);
}

const build: StreamBuild = {
  ...{ dockerfile: ".kiln-module/Dockerfile", tag: "r/m:1", platform: "linux/amd64", progress: silent },
  ...{ args: { B: "2", A: "1" }, labels: { l: "x" }, secrets: { netrc: "/h/.netrc", ca: "/ca.pem" } },
  context: Readable.from([Buffer.from("the context")]),
};

describe("streamBuildArguments", () => {
  it("sends the context on standard input, secrets as files, and the same command line for the same build", () => {
    expect(streamBuildArguments(build, {})).toEqual([
      ...[
        "build",
        "--progress=plain",
        "--file",
        ".kiln-module/Dockerfile",
        "--tag",
        "r/m:1",
        "--platform",
        "linux/amd64",
      ],
      ...["--secret", "id=ca,src=/ca.pem", "--secret", "id=netrc,src=/h/.netrc"],
      ...["--build-arg", "A=1", "--build-arg", "B=2", "--label", "l=x", "-"],
    ]);
  });

  it("names proxies only, so that their passwords are in no command line", () => {
    const args = streamBuildArguments(build, { https_proxy: "http://u:secret@proxy:1" });
    expect(args).toContain("https_proxy");
    expect(args.join(" ")).not.toContain("secret@");
  });
});

describe("streamBuild", () => {
  it("sends the whole context and reports each step once, as it comes", async () => {
    await docker(`cat > ${home}/context\nprintf '#5 [build 1/2] FROM x\\n#5 DONE\\n#6 [build 2/2] RUN y\\n' >&2`);
    const seen: unknown[] = [];
    const progress: Progress = { ...silent, update: (...update) => seen.push(update) };
    const context = Readable.from(["part one, ", "part two"].map((part) => Buffer.from(part)));
    await streamBuild(engine, { ...build, progress, context });
    expect(await readFile(path.join(home, "context"), "utf8")).toBe("part one, part two");
    expect(seen).toEqual([
      ["FROM x", 1, 2],
      ["RUN y", 2, 2],
    ]);
  });

  it("gives the last lines of a build that failed, without passwords of proxies", async () => {
    vi.stubEnv("https_proxy", "http://user:hidden@proxy:1");
    await docker("cat > /dev/null; echo 'RUN npm ci through http://user:hidden@proxy:1 broke' >&2; exit 1");
    const failure = streamBuild(engine, { ...build, context: Readable.from([Buffer.from("x")]) });
    await expect(failure).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/r\/m:1 failed:.*npm ci/s) as string,
    });
    await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining("hidden") as string });
  });

  it("keeps what the client said where it ends before it has the context", async () => {
    await docker("echo 'no space left' >&2; exit 1");
    const much = Readable.from(Array.from({ length: 200 }, () => Buffer.alloc(65536)));
    await expect(streamBuild(engine, { ...build, context: much })).rejects.toMatchObject({
      message: expect.stringContaining("no space left") as string,
    });
  });

  it("says why the context broke off, and leaves no client behind", async () => {
    await docker(`echo $$ > ${home}/pid; cat > /dev/null; sleep 30`);
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from("x");
        await new Promise((resolve) => setTimeout(resolve, 200));
        throw new KilnError("failed", "m/a changed while it was read");
      })(),
    );
    await expect(streamBuild(engine, { ...build, context: broken })).rejects.toThrow("m/a changed while it was read");
    const pid = Number(await readFile(path.join(home, "pid"), "utf8"));
    expect(() => process.kill(pid, 0)).toThrow();
  });

  it("says where the client cannot be run", async () => {
    const missing = { ...engine, docker: path.join(home, "none") };
    const context = Readable.from([Buffer.from("x")]);
    await expect(streamBuild(missing, { ...build, context })).rejects.toMatchObject({ kind: "unreachable" });
  });
});
