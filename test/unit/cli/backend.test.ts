import { mkdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { backendCommands } from "../../../cli/backend.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { VendorCommands } from "../../support/vendor-commands.ts";

const here = vi.hoisted(() => ({ project: "" }));
vi.mock("../../../toolchain/places.ts", () => ({ places: () => here }));

const S3 = { url: "s3://acme-state?region=eu-central-1", secrets: "passphrase" };
const run = (name: string, values: Readonly<Record<string, string | boolean | string[]>>) => {
  const command = backendCommands.find((each) => each.name === `backend ${name}`);
  if (command === undefined) throw new Error(`no backend ${name}`);
  return command.run({ values, positionals: [], progress: silent });
};

let commands: VendorCommands;
let state: string;

beforeEach(async () => {
  here.project = await temporaryDirectory();
  state = path.join(here.project, "state");
  await mkdir(path.join(here.project, "stacks"));
  await writeFile(path.join(here.project, "Pulumi.yaml"), "name: kiln\n");
  for (const stack of ["local", "dev", "prod"]) {
    await writeFile(path.join(here.project, `stacks/Pulumi.${stack}.yaml`), "encryptionsalt: v1:old\nconfig: {}\n");
  }
  commands = await VendorCommands.create(here.project);
  vi.stubEnv("PATH", `${commands.path}:/usr/bin:/bin`);
});

describe("backend plan", () => {
  it("prints a script for every stack but local, and calls nothing", async () => {
    const { text } = await run("plan", S3);
    expect(text).toMatch(/^#!\/bin\/sh\nset -eu\nexport PULUMI_BACKEND_URL='s3:/);
    expect(text.match(/pulumi stack init \w+/g)).toEqual(["pulumi stack init dev", "pulumi stack init prod"]);
    expect(await commands.calls()).toEqual([]);
  });

  it("takes the stacks that are named, each of which has a file", async () => {
    expect((await run("plan", { ...S3, stack: ["prod"] })).text).not.toContain("init dev");
    await expect(run("plan", { ...S3, stack: ["pord"] })).rejects.toMatchObject({
      ...{ kind: "usage", message: "there is no stacks/Pulumi.pord.yaml", mend: "The stacks are dev, local, prod." },
    });
  });
});

describe("backend init", () => {
  it("says of each step whether it was there, and which files to commit", { timeout: 60_000 }, async () => {
    vi.stubEnv("PULUMI_CONFIG_PASSPHRASE", "secret");
    const { text } = await run("init", { ...S3, stack: ["dev"] });
    expect(text).toMatch(/^done +bucket acme-state$/m);
    expect(text).toMatch(/^commit stacks\/Pulumi\.dev\.yaml: /m);
    expect(await readFile(path.join(here.project, "stacks/Pulumi.dev.yaml"), "utf8")).toContain("v1:new");
    expect((await run("init", { ...S3, stack: ["dev"] })).text).toMatch(/^was there +bucket acme-state$/m);
  });

  it("does nothing without a passphrase to keep the secrets by", async () => {
    vi.stubEnv("PULUMI_CONFIG_PASSPHRASE", "");
    vi.stubEnv("PULUMI_CONFIG_PASSPHRASE_FILE", "");
    await expect(run("init", S3)).rejects.toMatchObject({ kind: "usage" });
    expect(await commands.calls()).toEqual([]);
  });
});

describe("backend unlock", () => {
  const folder = () => path.join(state, ".pulumi/locks/organization/kiln/dev");
  const lock = async (fields: object) => {
    await mkdir(folder(), { recursive: true });
    const content = {
      pid: 4_000_000,
      username: "ann",
      hostname: hostname(),
      timestamp: "2026-01-02T03:04:05Z",
      ...fields,
    };
    await writeFile(path.join(folder(), "a.json"), JSON.stringify(content));
  };

  beforeEach(async () => {
    const answer = `case "$1" in whoami) echo '{"url":"file://${state}"}';; cancel) rm ${folder()}/*; touch ${state}/canceled;; esac`;
    await writeFile(path.join(commands.path, "pulumi"), `#!/bin/sh\n${answer}\n`);
  });
  const canceled = () =>
    readFile(path.join(state, "canceled")).then(
      () => true,
      () => false,
    );

  it("takes a stack's name, not a path", async () => {
    await expect(run("unlock", { stack: "../dev" })).rejects.toMatchObject({ kind: "usage" });
  });

  it("says that nobody holds it", async () => {
    expect(await run("unlock", { stack: "dev", yes: true })).toEqual({
      json: { locks: [], removed: false },
      text: "stack dev is not locked",
    });
  });

  it("shows who holds it, with exit 3, and removes nothing unasked", async () => {
    await lock({});
    const outcome = await run("unlock", { stack: "dev" });
    expect(outcome.exitCode).toBe(3);
    expect(outcome.text).toContain(`ann@${hostname()}  pid 4000000  since 2026-01-02T03:04:05Z  ended`);
    expect(outcome.text).toContain("npx kiln backend unlock --stack dev --yes");
    expect(await canceled()).toBe(false);
  });

  it.each([{}, { hostname: "elsewhere" }])("removes it with --yes: %j", async (fields) => {
    await lock(fields);
    const outcome = await run("unlock", { stack: "dev", yes: true });
    expect(outcome).toMatchObject({ json: { removed: true } });
    expect(await canceled()).toBe(true);
  });

  it("refuses with --yes while its holder runs here", async () => {
    await lock({ pid: process.pid });
    await expect(run("unlock", { stack: "dev", yes: true })).rejects.toMatchObject({ kind: "difference" });
    expect(await canceled()).toBe(false);
  });
});
