import { once } from "node:events";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { EngineProject } from "../support/engine-project.ts";

const WARM = `localhost:5180/kiln/base-images/iac-runner-warm@sha256:${"a".repeat(64)}`;

let project: EngineProject;

beforeAll(async () => {
  project = await EngineProject.create();
  await project.pulumi("stack", "init", "local", "--no-select");
  await project.pulumi("config", "set", "--stack", "local", "kiln:warmImage", WARM);
});

afterAll(() => project.remove());

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it("Ctrl-C during a build ends the build, and the next update works", async () => {
  await project.write("../bin/hang", "");
  const pulumi = project.start("up", "--yes", "--skip-preview", "--stack", "local");
  const ended = once(pulumi, "exit");
  const docker = await vi.waitFor(async () => Number(await project.read("../bin/hangs")), { timeout: 60_000 });
  pulumi.kill("SIGINT");
  const [code] = (await ended) as [number | null];
  expect(code).not.toBe(0);
  await vi.waitFor(
    () => {
      expect(runs(docker)).toBe(false);
    },
    { timeout: 10_000 },
  );
  await project.delete("../bin/hang");
  const next = await project.pulumi("up", "--yes", "--skip-preview", "--stack", "local");
  expect(next.code, next.stdout).toBe(0);
});
