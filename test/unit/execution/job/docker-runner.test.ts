import { mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { DockerRunner } from "../../../../execution/job/docker-runner.ts";
import { IsolatedNetworks } from "../../../../execution/job/network.ts";
import type { ContainerEngine } from "../../../../execution/offline-container.ts";
import { silent } from "../../../../progress.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { fakeEngine } from "../fake-engine.ts";
import { aJob } from "./job-values.ts";

vi.setConfig({ testTimeout: 30_000 });

const ID = `sha256:${"1".repeat(64)}`;
/**
 * What it does with files: `pulled` is the image, `slow` keeps a pull, `broken` fails a list, each `full…` a network; `shared` is
 * that of jobs, which comes meanwhile where there is `raced`, and cannot be where there is `unfiltered`.
 */
const CLIENT = `#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >> calls
case "$1 $2" in
  "context inspect") echo "default $ADDRESS" ;;
  "image inspect") [ -e pulled ] && echo '{"Id":"${ID}","RepoDigests":null,"Config":null}' || { echo "No such image" >&2; exit 1; } ;;
  "pull --quiet") while [ -e slow ]; do sleep 0.02; done; [ -e gone ] && { echo "no such host" >&2; exit 1; }; touch pulled ;;
  "ps --all") [ -e broken ] && { rm broken; echo "the list is broken" >&2; exit 1; } ;;
  "network inspect") [ -e shared ] && cat shared || { echo "No such network" >&2; exit 1; } ;;
  "network create") for last in $*; do :; done; shared="bridge false false kj-shared"
    [ -e raced ] && { echo "$shared" > shared; echo "network with name kiln-jobs already exists" >&2; exit 1; }
    [ -e unfiltered ] && [ $last = kiln-jobs ] && { echo "cannot restrict inter-container communication" >&2; exit 1; }
    for full in full*; do [ -e "$full" ] && { rm -f "$full"
    echo "Error response from daemon: all predefined address pools have been fully subnetted" >&2; exit 1; }; done
    [ $last = kiln-jobs ] && echo "$shared" > shared ;;
  "container inspect") echo "Error: No such container: $5" >&2; exit 1 ;;
  "create "*) echo "nothing is made here" >&2; exit 1 ;;
esac
exit 0
`;

/** A client of an engine that makes no container, at an address that nobody named, and a job for it. */
async function machine(address: string) {
  const root = await temporaryDirectory();
  const [bin, scripts, history] = ["bin", "scripts", "history"].map((name) => path.join(root, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([bin, path.join(scripts, "ops")].map((folder) => mkdir(folder, { recursive: true })));
  await writeFile(path.join(scripts, "ops/restart.py"), "");
  const docker = path.join(bin, "docker");
  await writeFile(docker, CLIENT, { mode: 0o755 });
  const env = { PATH: process.env.PATH, HOME: root, ADDRESS: address };
  const runner = await DockerRunner.connect({ docker, host: undefined, managed: false }, { env });
  const job = (network = "none") => aJob({ network, source: { kind: "directory", path: scripts } });
  const calls = async (start: string) => {
    const all = await readFile(path.join(bin, "calls"), "utf8");
    return all.split("\n").filter((line) => line.startsWith(start));
  };
  return {
    ...{ engine: { docker, env }, runner, job, history, calls },
    has: (name: string) => writeFile(path.join(bin, name), ""),
    loses: (name: string) => rm(path.join(bin, name)),
  };
}

/** Waits until a list has something in it. */
async function until(list: () => Promise<readonly unknown[]>): Promise<void> {
  while ((await list().catch(() => [])).length === 0) await sleep(10);
}

it("an engine of this machine that nobody named is asked over its socket; one that sees no folder of it gets copies", async () => {
  const message = 'invalid mount config for type "bind": bind source path does not exist: /x';
  const engine = await fakeEngine({ "POST /containers/create": { status: 400, document: { message } } });
  const { runner, job, history, calls, has } = await machine(`unix://${engine.path}`);
  await has("pulled");
  await expect(runner.run({ description: job(), history })).rejects.toThrow("nothing is made here");
  await expect(runner.run({ description: job(), history })).rejects.toThrow("nothing is made here");
  expect(await calls("context inspect")).toHaveLength(1);
  // The second job is not tried in a way that the first was refused.
  expect(engine.asked.filter((request) => request.startsWith("POST"))).toHaveLength(1);
  expect(JSON.stringify(engine.made())).toContain('"Target":"/workspace/scripts","ReadOnly":true');
  expect(await calls("create ")).toHaveLength(2);
  const open = (await readdir("/proc/self/fd")).map((name) => readlink(`/proc/self/fd/${name}`).catch(() => ""));
  expect((await Promise.all(open)).filter((file) => file.startsWith(history))).toEqual([]);
  for (const folder of await readdir(history)) {
    expect((await readdir(path.join(history, folder))).sort()).toEqual(["events.ndjson", "job.json", "result.json"]);
  }
});

it("an engine elsewhere is left to its client", async () => {
  const { runner, job, history, calls, has } = await machine("ssh://build.example");
  await has("pulled");
  await expect(runner.run({ description: job(), history })).rejects.toThrow("nothing is made here");
  expect(await calls("create ")).toHaveLength(1);
});

it("a job that is cancelled during a pull takes the image from no other", async () => {
  const { runner, job, history, calls, has, loses } = await machine("ssh://build.example");
  await has("slow");
  const cancel = new AbortController();
  const canceled = runner.run({ description: job(), history, signal: cancel.signal });
  const other = runner.run({ description: job(), history });
  const ended = [
    expect(canceled).rejects.toMatchObject({ kind: "interrupted" }),
    expect(other).rejects.toThrow("nothing is made here"),
  ];
  await until(() => calls("pull "));
  cancel.abort();
  await ended[0];
  await loses("slow");
  await ended[1];
  expect(await calls("pull ")).toHaveLength(1);
});

it("what killed runs left is looked for again where it could not be seen", async () => {
  const { runner, job, history, has } = await machine("ssh://build.example");
  await has("pulled");
  await has("broken");
  await expect(runner.run({ description: job(), history })).rejects.toThrow("the list is broken");
  await expect(runner.run({ description: job(), history })).rejects.toThrow("nothing is made here");
});

it("a job waits for addresses, says so once, and gives up with its time or with what else fails", async () => {
  const { engine, runner, job, history, calls, has, loses } = await machine("ssh://build.example");
  const notes: string[] = [];
  const progress = { ...silent, note: (text: string) => void notes.push(text) };
  const networks = new IsolatedNetworks(engine, { owner: "me", guards: false });
  for (const name of ["full-1", "full-2"]) await has(name);
  const { signal } = new AbortController();
  const leased = await Promise.all([1, 2].map(() => networks.lease({ progress, until: signal })));
  expect(leased.map(({ name }) => name)).toEqual(["kiln-jobs", "kiln-jobs"]);
  expect(await calls("network create")).toHaveLength(3);
  expect(notes).toEqual([expect.stringContaining("has no addresses left") as string]);
  for (const network of leased) await network.giveBack();

  await loses("shared");
  for (let number = 0; number < 20; number++) await has(`full-${number}`);
  const short = networks.lease({ progress, until: AbortSignal.timeout(200) });
  await expect(short).rejects.toThrow("the network did not come within the job's time");
  // An image that is not there is not kept waiting for a network.
  await has("gone");
  const failed = runner.run({ description: job("isolated"), history });
  await expect(failed).rejects.toThrow("cannot be pulled");
});

describe("the network that jobs share", () => {
  const lease = ({ engine }: { readonly engine: ContainerEngine }) => {
    const until = new AbortController().signal;
    return new IsolatedNetworks(engine, { owner: "me", guards: false }).lease({ progress: silent, until });
  };

  it("is made once an engine, on a bridge without talk, and stays", async () => {
    const here = await machine("ssh://build.example");
    for (const network of [await lease(here), await lease(here)]) {
      expect(network.name).toBe("kiln-jobs");
      await network.giveBack();
    }
    const made = await here.calls("network create");
    expect(made).toEqual([expect.stringMatching(/ --ipv6=false .*enable_icc=false kiln-jobs$/) as string]);
    expect(await here.calls("network rm")).toEqual([]);
  });

  it("is that of another process which was first", async () => {
    const here = await machine("ssh://build.example");
    await here.has("raced");
    expect((await lease(here)).name).toBe("kiln-jobs");
  });

  it("is refused where it was made by another for something else", async () => {
    const here = await machine("ssh://build.example");
    await writeFile(path.join(path.dirname(here.engine.docker), "shared"), "bridge false true kj-shared\n");
    await expect(lease(here)).rejects.toMatchObject({
      message: expect.stringContaining("would not keep them apart") as string,
      mend: expect.stringContaining("docker network rm kiln-jobs") as string,
    });
  });

  it("is one for each job, until its end, where the kernel cannot filter a bridge", async () => {
    const here = await machine("ssh://build.example");
    await here.has("unfiltered");
    const [first, second] = [await lease(here), await lease(here)];
    expect([first.name, second.name]).toEqual(
      [1, 2].map(() => expect.stringMatching(/^kiln-job-[0-9a-f]{8}$/) as string),
    );
    expect(first.name).not.toBe(second.name);
    await first.giveBack();
    expect(await here.calls("network rm")).toEqual([`network rm ${first.name}`]);
  });
});
