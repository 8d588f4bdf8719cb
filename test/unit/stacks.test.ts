import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { isLoopback } from "../../registry/repository-names.ts";
import { parseSettings, stackFile } from "../../settings.ts";
import { LOCAL_STACKS } from "../../toolchain/local-stacks.ts";
import { PLATFORMS } from "../../toolchain/platforms.ts";

const PROJECT = path.join(import.meta.dirname, "../..");

function readYaml(file: string): Record<string, unknown> {
  return parse(readFileSync(path.join(PROJECT, file), "utf8")) as Record<string, unknown>;
}

function settingsIn(stack: string) {
  const config = readYaml(stackFile(stack)).config as Record<string, unknown>;
  return parseSettings(
    stack,
    Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/^kiln:/, ""), value])),
  );
}

describe("the committed stacks", () => {
  const stacks = readdirSync(path.join(PROJECT, "stacks")).flatMap(
    (file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [],
  );

  it("are these", () => {
    expect(stacks.sort()).toEqual(["dev", "local", "local-arm64", "prod", "staging"]);
  });

  it.each(stacks)("%s has settings that parse", (stack) => {
    expect(settingsIn(stack).stack).toBe(stack);
  });

  it("keep images of this machine's, and of no other, on this machine", () => {
    expect(stacks.filter((stack) => isLoopback(settingsIn(stack).registry))).toEqual(LOCAL_STACKS);
  });

  it("have one of this machine for each platform, in one registry", () => {
    const local = LOCAL_STACKS.map(settingsIn);
    expect(local.map(({ image }) => image.platform)).toEqual(PLATFORMS);
    expect(new Set(local.map(({ registry }) => registry)).size).toBe(1);
  });

  it.each(LOCAL_STACKS)("give `%s` a salt, so that a plain `pulumi up` adds none to the file", (stack) => {
    expect(readYaml(stackFile(stack)).encryptionsalt).toMatch(/^v1:/);
  });
});

describe("the schema in Pulumi.yaml", () => {
  it("declares what settings.ts knows, and only the registry has to be set", () => {
    const schema = readYaml("Pulumi.yaml").config as Record<string, Record<string, unknown>>;
    const required = Object.keys(schema).filter((key) => !("default" in (schema[key] ?? {})));
    expect(required).toEqual(["kiln:registry"]);
    expect(Object.keys(schema).sort()).toEqual(
      [
        ...["actionsRunner", "buildOnPreview", "cluster", "controller", "github", "image", "languageRunners"],
        ...["registry", "releaseWatcher", "signatures", "source", "tenants", "warmImage"],
      ].map((key) => `kiln:${key}`),
    );
  });
});
