import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { vaultSettings } from "../../../../cli/job/vault-options.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const SETTINGS = { auth: "approle", secrets: {} };

async function certificates(): Promise<string> {
  const file = path.join(await temporaryDirectory(), "ca.pem");
  await writeFile(file, "certificates");
  return file;
}

describe("where Vault is", () => {
  it("says an option before the file, and the file before the environment", async () => {
    const file = await certificates();
    const env = { VAULT_ADDR: "https://of.env", VAULT_NAMESPACE: "of-env", VAULT_CACERT: file };
    expect(await vaultSettings({}, SETTINGS, env)).toEqual({
      ...SETTINGS,
      address: "https://of.env",
      namespace: "of-env",
      ca_cert: "certificates",
    });
    const own = { ...SETTINGS, address: "https://of.file", namespace: "of-file", ca_cert: "own" };
    expect(await vaultSettings({}, own, env)).toEqual(own);
    const options = { "vault-address": "https://of.option", "vault-namespace": "a/b", "vault-ca-cert": file };
    expect(await vaultSettings(options, own, env)).toMatchObject({
      address: "https://of.option",
      namespace: "a/b",
      ca_cert: "certificates",
    });
  });

  it("says nothing of a variable that is empty, nor where the job takes nothing from Vault", async () => {
    const env = { VAULT_ADDR: "https://of.env", VAULT_NAMESPACE: "", VAULT_CACERT: "" };
    expect(await vaultSettings({}, SETTINGS, env)).toEqual({ ...SETTINGS, address: "https://of.env" });
    expect(await vaultSettings({}, undefined, { ...env, VAULT_CACERT: "/no/such/file" })).toBeUndefined();
  });

  it("has to be said, with --vault, and by files that are there", async () => {
    await expect(vaultSettings({}, SETTINGS, {})).rejects.toThrow("no address");
    await expect(vaultSettings({ "vault-address": "https://x" }, undefined, {})).rejects.toThrow(
      "--vault-address has no use without --vault",
    );
    const env = { VAULT_ADDR: "https://x", VAULT_CACERT: "/no/such/file" };
    await expect(vaultSettings({}, SETTINGS, env)).rejects.toThrow("VAULT_CACERT cannot be read");
    await expect(vaultSettings({ "vault-ca-cert": "/no/such/file" }, SETTINGS, env)).rejects.toThrow("--vault-ca-cert");
  });
});
