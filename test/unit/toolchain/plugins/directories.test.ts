import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  DOCKER_PROVIDER_DIRECTORY,
  loopbackPluginDirectories,
  NODEJS_HOST_DIRECTORY,
} from "../../../../toolchain/plugins/directories.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "kiln-plugins-"));
  await executable("pulumi", 'echo "$@" >> "$(dirname "$0")/calls"; exit 1');
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function executable(name: string, script = "exit 0"): Promise<void> {
  await mkdir(path.join(root, "bin"), { recursive: true });
  await writeFile(path.join(root, "bin", name), `#!/bin/sh\n${script}\n`);
  await chmod(path.join(root, "bin", name), 0o755);
}

const directories = (searched = "") =>
  loopbackPluginDirectories({
    pulumi: path.join(root, "bin/pulumi"),
    pulumiHome: path.join(root, "home"),
    state: path.join(root, "state"),
    env: { PATH: [searched, "/usr/bin", "/bin"].join(path.delimiter) },
  });

const calls = () => readFile(path.join(root, "bin/calls"), "utf8").catch(() => "");

describe("loopbackPluginDirectories", () => {
  it("are both where nothing official is installed or to be had", async () => {
    expect(await directories()).toEqual([NODEJS_HOST_DIRECTORY, DOCKER_PROVIDER_DIRECTORY]);
  });

  it("come from one download that failed, which is not tried again the same day", async () => {
    await directories();
    await directories();
    expect(await calls()).toBe("plugin install resource docker 5.2.0\n");
  });

  it("are none where the host stands beside Pulumi and the plugin can be downloaded", async () => {
    await executable("pulumi-language-nodejs");
    await executable("pulumi");
    expect(await directories()).toEqual([]);
  });

  it("leave out the docker plugin that PULUMI_HOME has, without any download", async () => {
    await mkdir(path.join(root, "home/plugins/resource-docker-v5.2.0"), { recursive: true });
    expect(await directories()).toEqual([NODEJS_HOST_DIRECTORY]);
    expect(await calls()).toBe("");
  });

  it("do not take the loopback plugins on PATH for official ones", async () => {
    const own = [NODEJS_HOST_DIRECTORY, DOCKER_PROVIDER_DIRECTORY];
    expect(await directories(own.join(path.delimiter))).toEqual(own);
  });
});
