import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  AWS_PROVIDER_DIRECTORY,
  DOCKER_PROVIDER_DIRECTORY,
  GITHUB_PROVIDER_DIRECTORY,
  KUBERNETES_PROVIDER_DIRECTORY,
  loopbackPluginDirectories,
  NODEJS_HOST_DIRECTORY,
  PROVIDER_DIRECTORIES,
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

const PROVIDERS = [
  DOCKER_PROVIDER_DIRECTORY,
  KUBERNETES_PROVIDER_DIRECTORY,
  GITHUB_PROVIDER_DIRECTORY,
  AWS_PROVIDER_DIRECTORY,
];

describe("loopbackPluginDirectories", () => {
  it("are all where nothing official is installed or to be had", async () => {
    expect(await directories()).toEqual([NODEJS_HOST_DIRECTORY, ...PROVIDERS]);
  });

  it("come from one download that failed, of what every stack needs, which is not tried again the same day", async () => {
    await directories();
    await directories();
    expect(await calls()).toBe("plugin install resource docker 5.2.0\n");
  });

  it("are none where the docker plugin can be downloaded: Pulumi then gets the others itself", async () => {
    await executable("pulumi-language-nodejs");
    await executable("pulumi");
    expect(await directories()).toEqual([]);
  });

  it("are none beside the docker plugin that PULUMI_HOME has, without any download", async () => {
    await mkdir(path.join(root, "home/plugins/resource-docker-v5.2.0"), { recursive: true });
    expect(await directories()).toEqual([NODEJS_HOST_DIRECTORY]);
    expect(await calls()).toBe("");
  });

  it("leave out those that PULUMI_HOME has", async () => {
    await mkdir(path.join(root, "home/plugins/resource-github-v6.15.0"), { recursive: true });
    expect(await directories()).toEqual([
      NODEJS_HOST_DIRECTORY,
      ...PROVIDERS.filter((directory) => directory !== GITHUB_PROVIDER_DIRECTORY),
    ]);
  });

  it("leave out a plugin that is on PATH", async () => {
    await executable("pulumi-resource-kubernetes");
    expect(await directories(path.join(root, "bin"))).not.toContain(KUBERNETES_PROVIDER_DIRECTORY);
  });

  it("do not take the loopback plugins on PATH for official ones", async () => {
    const own = [NODEJS_HOST_DIRECTORY, ...PROVIDERS];
    expect(await directories(own.join(path.delimiter))).toEqual(own);
  });

  it.each(Object.entries(PROVIDER_DIRECTORIES))("hold the executable of %s", (plugin, directory) => {
    expect(existsSync(path.join(directory, `pulumi-resource-${plugin}`))).toBe(true);
  });
});
