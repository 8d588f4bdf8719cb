import { mkdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parseStateAddress } from "../../../../release/backend/address.ts";
import {
  bucketCommands,
  parseLock,
  readLocks,
  removeLocks,
  removeLocksOfTheDead,
  type StackLock,
} from "../../../../release/backend/lock.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const here = { host: "laptop", runs: (pid: number) => pid === 7 };
const lock = (fields: object) =>
  JSON.stringify({ pid: 7, username: "ann", hostname: "laptop", timestamp: "2026-01-02T03:04:05Z", ...fields });

describe("a lock", () => {
  it.each<[object, StackLock["holder"]]>([
    [{}, "runs here"],
    [{ pid: 8 }, "ended"],
    [{ hostname: "other" }, "elsewhere"],
    [{ hostname: "other", pid: 8 }, "elsewhere"],
  ])("with %j is of a holder that %s", (fields, holder) => {
    expect(parseLock(lock(fields), here)).toMatchObject({ user: "ann", since: "2026-01-02T03:04:05Z", holder });
  });

  it.each(["", "null", "{}", "[]", '{"pid":"7","hostname":"laptop"}'])("is not one: %j", (text) => {
    expect(() => parseLock(text, here)).toThrow(expect.objectContaining({ kind: "failed" }));
  });
});

const query = (url: string, env: NodeJS.ProcessEnv = {}) => ({
  ...{ url, project: "kiln", stack: "dev", directory: "/", env },
});

describe("reading locks", () => {
  it("of a file backend reads its folder", async () => {
    const state = await temporaryDirectory();
    const folder = path.join(state, ".pulumi/locks/organization/kiln/dev");
    expect(await readLocks(query(`file://${state}?no_tmp_dir=true`))).toEqual([]);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, "a.json"), lock({ hostname: hostname(), pid: process.pid }));
    await writeFile(path.join(folder, "a.json.attrs"), "no lock");
    expect(await readLocks(query(`file://${state}`))).toMatchObject([{ pid: process.pid, holder: "runs here" }]);
  });

  it.each([
    ["s3://acme-state/team?region=eu-central-1", "aws"],
    ["gs://acme-state/team", "gcloud"],
    ["azblob://acme-state/team?storage_account=acme", "az"],
  ])("of %s calls %s for the folder below the prefix", async (url, program) => {
    const folder = ".pulumi/locks/organization/kiln/dev";
    const { list, read } = bucketCommands(parseStateAddress(url), folder);
    expect([list[0], read("k")[0]]).toEqual([program, program]);
    expect(list.join(" ")).toContain(`team/${folder}/`);

    const bin = await temporaryDirectory();
    const key = `team/${folder}/a.json`;
    const keys = program === "gcloud" ? [{ name: key }] : [key];
    const answers = `case "$*" in *list*) echo '${JSON.stringify(keys)}';; *${key}*) echo '${lock({ hostname: "ci-1" })}';; esac`;
    await writeFile(path.join(bin, program), `#!/bin/sh\n${answers}\n`, { mode: 0o755 });
    const locks = await readLocks(query(url, { PATH: `${bin}:/usr/bin:/bin` }));
    expect(locks).toMatchObject([{ user: "ann", host: "ci-1", holder: "elsewhere" }]);
  });

  it.each(["", "null", "[]"])("of a bucket without any, which a vendor says as %j, gives none", async (text) => {
    const bin = await temporaryDirectory();
    await writeFile(path.join(bin, "aws"), `#!/bin/sh\necho '${text}'\n`, { mode: 0o755 });
    expect(await readLocks(query("s3://acme-state", { PATH: `${bin}:/usr/bin:/bin` }))).toEqual([]);
  });

  it("of a bucket that refuses is no empty list", async () => {
    const bin = await temporaryDirectory();
    await writeFile(path.join(bin, "aws"), "#!/bin/sh\necho denied >&2; exit 254\n", { mode: 0o755 });
    await expect(readLocks(query("s3://acme-state", { PATH: `${bin}:/usr/bin:/bin` }))).rejects.toMatchObject({
      message: expect.stringContaining("denied") as string,
    });
  });

  it("of a Pulumi service is left to Pulumi", async () => {
    await expect(readLocks(query("https://api.pulumi.com"))).rejects.toMatchObject({
      mend: expect.stringContaining("`pulumi cancel --stack dev`") as string,
    });
  });
});

describe("removing locks", () => {
  /** A file backend with these locks, and a `pulumi cancel` that removes them. */
  async function locked(...locks: readonly object[]) {
    const state = await temporaryDirectory();
    const folder = path.join(state, ".pulumi/locks/organization/kiln/dev");
    await mkdir(folder, { recursive: true });
    for (const [index, fields] of locks.entries()) await writeFile(path.join(folder, `${index}.json`), lock(fields));
    await writeFile(path.join(state, "pulumi"), `#!/bin/sh\nrm -f ${folder}/*.json\n`, { mode: 0o755 });
    return query(`file://${state}`, { PATH: `${state}:/usr/bin:/bin` });
  }
  /** No process has so large an id. */
  const ENDED = 2 ** 30;

  it("of the dead alone leaves every lock where one holder may live", async () => {
    const dead = { hostname: hostname(), pid: ENDED };
    const free = await locked(dead, dead);
    expect([await removeLocksOfTheDead(free), await readLocks(free)]).toEqual([true, []]);
    expect(await removeLocksOfTheDead(await locked())).toBe(false);
    for (const living of [
      { hostname: hostname(), pid: process.pid },
      { hostname: "elsewhere.example", pid: ENDED },
    ]) {
      const held = await locked(dead, living);
      expect(await removeLocksOfTheDead(held)).toBe(false);
      expect(await readLocks(held)).toHaveLength(2);
    }
  });

  it("is refused while a holder runs on this machine", async () => {
    const running = parseLock(lock({}), here);
    await expect(removeLocks(query("file:///none"), [running])).rejects.toMatchObject({
      ...{ kind: "difference", message: "process 7 of this machine holds the lock of dev and still runs" },
    });
  });
});
