import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { Container, type ContainerIdentity } from "../../../execution/container-run.ts";
import { sandboxOf } from "../../../execution/sandbox.ts";
import { tarOf } from "../../../execution/tar-file.ts";
import { fakeDocker, IMAGE_ID, quickClock, type FakeDocker } from "./module/fake-docker.ts";

vi.setConfig({ testTimeout: 60_000 });

const PLAN = { image: IMAGE_ID, sandbox: sandboxOf(), environment: {}, labels: {}, volumes: [] };

function container(fake: FakeDocker, identity: ContainerIdentity) {
  const engine = { docker: fake.engine.docker, env: { PATH: process.env.PATH } };
  return new Container(engine, identity, { graceSeconds: 1, clock: quickClock() });
}

it("a name that is taken is an error, and what has it stays: it is another run's", async () => {
  const fake = await fakeDocker();
  await container(fake, { name: "c", instance: "first" }).create(PLAN);
  const second = container(fake, { name: "c", instance: "second" });
  await expect(second.create(PLAN)).rejects.toThrow('The container name "/c" is already in use');
  expect(await second.remove()).toBe(true);
  expect(await fake.containers()).toEqual(["c"]);
  expect(await fake.calls("rm")).toEqual([]);
});

it("while the engine cannot say whose a container is, it is not removed, and that is told", async () => {
  const fake = await fakeDocker();
  await container(fake, { name: "c", instance: "first" }).create(PLAN);
  const second = container(fake, { name: "c", instance: "second" });
  await expect(second.create(PLAN)).rejects.toThrow();
  await fake.fail("ps", "Cannot connect to the Docker daemon");
  expect(await second.remove()).toBe(false);
  expect(await fake.containers()).toEqual(["c"]);
});

it("a container that the engine does not stop is an error that names it, and is left", async () => {
  const fake = await fakeDocker({ runMs: 60_000 });
  const lasting = container(fake, { name: "c", instance: "i" });
  await lasting.create(PLAN);
  await lasting.copyIn(
    await tarOf([{ name: "input.json", content: Buffer.from("{}"), mode: 0o600, uid: 0, gid: 0 }]),
    "/workspace",
  );
  const running = lasting.run({
    input: Buffer.from('{"state_key":""}'),
    onStdoutLine: () => undefined,
    onStderrLine: () => undefined,
    stop: new AbortController().signal,
  });
  while (!(await lasting.facts()).running) await sleep(20);
  await fake.fail("stop", "cannot stop");
  await expect(lasting.end()).rejects.toMatchObject({
    kind: "unreachable",
    message: "the engine does not stop the container c",
  });
  expect(await fake.containers()).toEqual(["c"]);
  await fake.fail("stop", undefined);
  expect((await lasting.end()).running).toBe(false);
  await running;
});
