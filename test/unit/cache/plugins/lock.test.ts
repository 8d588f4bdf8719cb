import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { format, resolveConfig } from "prettier";
import { describe, expect, it } from "vitest";
import {
  PLUGIN_LOCK,
  pluginRecipe,
  readLock,
  requireLocked,
  writeLock,
  type PluginLock,
} from "../../../../cache/plugins/lock.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const archive = (digit: string) => ({ sha256: digit.repeat(64), bytes: 7, url: "https://example.com" });
const AWS = "pulumi-resource-aws-v7.12.0-linux-amd64.tar.gz";
const GCP = "pulumi-resource-gcp-v9.6.0-linux-arm64.tar.gz";
const LOCK: PluginLock = { version: 1, archives: { [GCP]: archive("b"), [AWS]: archive("a") } };

describe("the lock's file", () => {
  it("is read as it was written, in order, formatted as the project formats JSON", async () => {
    const directory = await temporaryDirectory();
    const file = path.join(directory, "deeper", "plugins.lock.json");
    await writeLock(file, LOCK);
    expect(await readLock(file)).toEqual(LOCK);
    const text = await readFile(file, "utf8");
    expect(Object.keys((JSON.parse(text) as PluginLock).archives)).toEqual([AWS, GCP]);
    expect(text).toBe(await format(text, { ...(await resolveConfig(import.meta.filename)), parser: "json" }));
    expect(await readdir(path.dirname(file))).toEqual(["plugins.lock.json"]);
  });

  it("that is not there locks nothing", async () => {
    expect(await readLock(path.join(await temporaryDirectory(), "none.json"))).toEqual({ version: 1, archives: {} });
  });

  it.each([
    ["no JSON", "{", "is not a lock of plugins"],
    ["another version", '{"version": 2}', "has version 2"],
    ["no archives", '{"version": 1}', "it has no archives"],
    [
      "a name that leads elsewhere",
      JSON.stringify({ version: 1, archives: { "../x.tar.gz": archive("a") } }),
      "no plugin's archive",
    ],
    [
      "a short checksum",
      JSON.stringify({ version: 1, archives: { [AWS]: { ...archive("a"), sha256: "ab" } } }),
      "has no SHA-256",
    ],
    ["no size", JSON.stringify({ version: 1, archives: { [AWS]: { ...archive("a"), bytes: 0 } } }), "has no size"],
    ["nothing for an archive", JSON.stringify({ version: 1, archives: { [AWS]: null } }), "has no SHA-256"],
  ])("with %s is refused by name", async (_, text, message) => {
    const file = path.join(await temporaryDirectory(), "plugins.lock.json");
    await writeFile(file, text);
    await expect(readLock(file)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(message) as string,
    });
    await expect(readLock(file)).rejects.toThrow(file);
  });

  it("of this project is one", async () => {
    await readLock(path.join(import.meta.dirname, "../../../..", PLUGIN_LOCK));
  });
});

describe("requireLocked", () => {
  const [aws, gcp] = [
    { name: "aws", version: "7.12.0" },
    { name: "gcp", version: "9.6.0" },
  ];

  it("gives each plugin its archive", () => {
    expect(requireLocked([aws], LOCK, "linux-amd64", "lock")).toEqual([{ ...aws, archive: AWS, locked: archive("a") }]);
  });

  it("names every plugin that is not locked for the platform, and the command that locks it", () => {
    const missing = () => requireLocked([aws, gcp, { ...aws, version: "7.0.0" }], LOCK, "linux-amd64", "lock.json");
    expect(missing).toThrow("lock.json locks no linux-amd64 archive of gcp@9.6.0, aws@7.0.0");
    expect(missing).toThrow(expect.objectContaining({ mend: expect.stringContaining("--update") as string }));
  });
});

describe("pluginRecipe", () => {
  it("differs by mode, and by what is locked for the platform only where plugins are baked", () => {
    const other: PluginLock = { version: 1, archives: { ...LOCK.archives, [AWS]: archive("c") } };
    expect(pluginRecipe("none", LOCK, "linux-amd64")).toEqual(pluginRecipe("none", other, "linux-amd64"));
    expect(pluginRecipe("none", LOCK, "linux-amd64")).not.toEqual(pluginRecipe("volume", LOCK, "linux-amd64"));
    expect(pluginRecipe("layer", LOCK, "linux-amd64")).not.toEqual(pluginRecipe("layer", other, "linux-amd64"));
    expect(pluginRecipe("layer", LOCK, "linux-arm64")).toEqual(pluginRecipe("layer", other, "linux-arm64"));
  });
});
