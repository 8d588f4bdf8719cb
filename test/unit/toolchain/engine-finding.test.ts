import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { KilnError } from "../../../errors.ts";
import { silent } from "../../../progress.ts";
import { readyEngine } from "../../../toolchain/docker-engine.ts";
import { engineFinding } from "../../../toolchain/engine-finding.ts";
import { places } from "../../../toolchain/places.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const debian = vi.hoisted(() => ({ isRootHere: false }));
vi.mock("../../../toolchain/debian.ts", () => ({
  canInstallPackages: () => Promise.resolve(debian.isRootHere),
  installPackages: () => Promise.reject(new Error("packages are installed")),
}));
// The machine's own client, beside those of PATH, is none of these tests.
vi.mock("../../../toolchain/executables.ts", async (original) => {
  const real = await original<typeof import("../../../toolchain/executables.ts")>();
  const executablesOnPath = (name: string, env: NodeJS.ProcessEnv) =>
    real.executablesOnPath(name, { PATH: (env.PATH ?? "").replaceAll(":/usr/bin", "") });
  return {
    ...real,
    executablesOnPath,
    findExecutable: async (name: string, env: NodeJS.ProcessEnv) => (await executablesOnPath(name, env))[0],
  };
});

let home: string;

beforeEach(async () => {
  home = await temporaryDirectory();
});

/** A machine with this docker client: what it prints for its version, for the engine's, and whether it has buildx. */
async function machine(printed: string, server: string, buildx = false) {
  const text = `#!/bin/sh
case "$1" in
  --version) echo "${printed}" ;;
  version) ${server === "" ? "exit 1" : `echo "${server}"`} ;;
  buildx) ${buildx ? "echo buildx" : "exit 1"} ;;
  *) exit 1 ;;
esac
`;
  await writeFile(path.join(home, "docker"), text, { mode: 0o755 });
}

/** What doctor says and what a command ends with. */
async function both(more: NodeJS.ProcessEnv = {}) {
  const here = places({ KILN_CACHE_DIR: path.join(home, "c"), KILN_STATE_DIR: path.join(home, "s") });
  const env = { PATH: home, ...more };
  const row = await engineFinding(here, env);
  const error: unknown = await readyEngine({ places: here, progress: silent, env }).catch((thrown: unknown) => thrown);
  return { row, error };
}

const BARE = "Docker version 28.2.2, build e6534b4";

test.each([
  [
    "a client without buildx, as root on Debian",
    true,
    BARE,
    "28.2.2",
    {},
    "cannot build with BuildKit",
    "docker-buildx",
  ],
  ["podman-docker, as root on Debian", true, "podman version 4.3.1", "4.3.1", {}, "is Podman's", "docker.io"],
  ["podman-docker that answers nothing", true, "podman version 4.3.1", "", {}, "is Podman's", "docker.io"],
  [
    "an engine that was named",
    true,
    BARE,
    "",
    { DOCKER_HOST: "tcp://build:2376" },
    "answers at DOCKER_HOST=",
    "start that",
  ],
  ["no engine, for who may install none", false, BARE, "", {}, "no Docker engine answers", "systemctl start docker"],
])("doctor says of %s what a command ends with", async (_, isRootHere, printed, server, env, reason, mend) => {
  debian.isRootHere = isRootHere;
  await machine(printed, server);
  const { row, error } = await both(env);
  expect(error).toBeInstanceOf(KilnError);
  expect(row).toMatchObject({ status: "missing", blocks: true, source: (error as KilnError).message });
  expect(row.mend).toBe((error as KilnError).mend);
  expect((error as KilnError).kind).toBe("unreachable");
  expect(row.source).toContain(reason);
  expect(row.mend).toContain(mend);
});

test("where no engine answers, root on Debian is told that kiln installs one, and kiln does", async () => {
  debian.isRootHere = true;
  await machine(BARE, "");
  const { row, error } = await both();
  expect(row).toMatchObject({ status: "missing", blocks: false, source: "none answers" });
  expect(String(error)).toContain("packages are installed");
});
