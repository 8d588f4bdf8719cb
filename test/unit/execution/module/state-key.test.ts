import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { stateKey } from "../../../../execution/module/state-key.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const CHEAP = { kdf: "scrypt", N: 1024, r: 8, p: 1, salt: Buffer.alloc(16, 1).toString("base64") };

async function withSalt(salt: object) {
  const directory = await temporaryDirectory();
  const folder = path.join(directory, "s");
  await mkdir(folder);
  await writeFile(path.join(folder, "salt"), JSON.stringify(salt));
  return { directory, folder };
}

it("a key file is made once, for its owner alone, also by several at once", async () => {
  const directory = path.join(await temporaryDirectory(), "state");
  const keys = await Promise.all([1, 2, 3, 4].map(() => stateKey(directory, path.join(directory, "s"), {})));
  expect(keys[0]).toHaveLength(32);
  expect(new Set(keys.map((key) => key.toString("hex"))).size).toBe(1);
  expect((await stat(path.join(directory, "key"))).mode & 0o777).toBe(0o600);
});

it("a key file that others can read is refused", async () => {
  const directory = await temporaryDirectory();
  await stateKey(directory, directory, {});
  await chmod(path.join(directory, "key"), 0o640);
  await expect(stateKey(directory, directory, {})).rejects.toMatchObject({ kind: "usage" });
});

it("a damaged key file is not replaced", async () => {
  const directory = await temporaryDirectory();
  await writeFile(path.join(directory, "key"), "AAAA", { mode: 0o600 });
  await expect(stateKey(directory, directory, {})).rejects.toThrow("is no key: it has 3 bytes, not 32");
});

it("a passphrase and the stack's salt make the key; no key file is made", async () => {
  const one = await withSalt(CHEAP);
  const env = { KILN_STATE_PASSPHRASE: "correct horse" };
  const key = await stateKey(one.directory, one.folder, env);
  expect(key).toEqual(await stateKey(one.directory, one.folder, env));
  expect(key).not.toEqual(await stateKey(one.directory, one.folder, { KILN_STATE_PASSPHRASE: "correct horsf" }));
  const other = await withSalt({ ...CHEAP, salt: Buffer.alloc(16, 2).toString("base64") });
  expect(key).not.toEqual(await stateKey(other.directory, other.folder, env));
  await expect(stat(path.join(one.directory, "key"))).rejects.toThrow("ENOENT");
});

it("the first use of a passphrase writes how its key is made", async () => {
  const directory = await temporaryDirectory();
  const folder = path.join(directory, "s");
  const key = await stateKey(directory, folder, { KILN_STATE_PASSPHRASE: "p" });
  const salt = JSON.parse(await readFile(path.join(folder, "salt"), "utf8")) as typeof CHEAP;
  expect(salt).toMatchObject({ kdf: "scrypt", N: 131_072, r: 8, p: 1 });
  expect(Buffer.from(salt.salt, "base64")).toHaveLength(16);
  expect(await stateKey(directory, folder, { KILN_STATE_PASSPHRASE: "p" })).toEqual(key);
});

it("a missing key is not made anew beside a state of any stack", async () => {
  const directory = await temporaryDirectory();
  await stateKey(directory, path.join(directory, "s"), {});
  await mkdir(path.join(directory, "other"));
  await writeFile(path.join(directory, "other/state.json"), "{}");
  await rm(path.join(directory, "key"));
  await expect(stateKey(directory, path.join(directory, "s"), {})).rejects.toMatchObject({
    kind: "failed",
    message: `${directory}/key is missing, but there is state that needs a key: other/state.json`,
    mend: expect.stringMatching(/Put the key file back .* KILN_STATE_PASSPHRASE/) as string,
  });
  expect(await readdir(directory)).toEqual(["other"]);
});

it("a missing salt is not made anew beside the state of its stack", async () => {
  const { directory, folder } = await withSalt(CHEAP);
  await writeFile(path.join(folder, "state.json"), "{}");
  const env = { KILN_STATE_PASSPHRASE: "p" };
  await stateKey(directory, folder, env);
  await rm(path.join(folder, "salt"));
  await expect(stateKey(directory, folder, env)).rejects.toThrow("salt is missing, which made the key of the state");
  expect(await readdir(folder)).toEqual(["state.json"]);
});
