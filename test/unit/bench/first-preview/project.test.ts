import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { requiredConfig, writePreviewStack } from "../../../../bench/first-preview/project.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const PROGRAM = `package main

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")
		size := settings.RequireInt("size")
		secret := settings.RequireSecret("token")
		optional := settings.Get("optional")
		var network []string
		settings.RequireSecretObject("network", &network)
		region := config.New(ctx, "aws").Require("region")
		zone := config.Require(ctx, "gcp:zone")
		other.Require("not-config")
	})
}
`;

describe("requiredConfig", () => {
  it("finds what a program cannot do without, in its namespace and kind", () => {
    expect(requiredConfig(PROGRAM, "app")).toEqual([
      { key: "app:name", kind: "String" },
      { key: "app:network", kind: "Object" },
      { key: "app:size", kind: "Int" },
      { key: "app:token", kind: "String" },
      { key: "aws:region", kind: "String" },
      { key: "gcp:zone", kind: "String" },
    ]);
  });

  it("is empty for a program without configuration", () => {
    expect(requiredConfig("package main\n\nfunc main() {}\n", "app")).toEqual([]);
  });
});

describe("writePreviewStack", () => {
  const stackOf = async (file: string) =>
    (parse(await readFile(file, "utf8")) as { config: Record<string, unknown> }).config;

  it("gives every required key a value: the given one, or one of its kind", async () => {
    const program = await temporaryDirectory();
    await writeFile(path.join(program, "main.go"), PROGRAM);
    await writeFile(path.join(program, "Pulumi.yaml"), "name: app\nruntime: go\n");
    await writePreviewStack(program, { network: ["10.0.0.0/8"] });
    expect(await stackOf(path.join(program, "Pulumi.kiln-preview.yaml"))).toEqual({
      "app:name": "kiln-preview",
      "app:network": ["10.0.0.0/8"],
      "app:size": 1,
      "app:token": "kiln-preview",
      "aws:region": "kiln-preview",
      "gcp:zone": "kiln-preview",
    });
  });

  it("leaves the project's own values, and writes where the project keeps its stacks", async () => {
    const program = await temporaryDirectory();
    await mkdir(path.join(program, "stacks"));
    await writeFile(path.join(program, "main.go"), PROGRAM);
    const project = [
      "name: app",
      "runtime: go",
      "stackConfigDir: stacks",
      "config:",
      "  name: { type: string, default: mine }",
      "  size: { type: integer }",
      "  aws:region: { value: eu-west-1 }",
      "  app:token: mine",
    ].join("\n");
    await writeFile(path.join(program, "Pulumi.yaml"), project);
    await writePreviewStack(program);
    const config = await stackOf(path.join(program, "stacks/Pulumi.kiln-preview.yaml"));
    expect(Object.keys(config)).toEqual(["app:network", "app:size", "gcp:zone"]);
  });

  it("makes a project of a program that has none, and names one that is not YAML", async () => {
    const program = await temporaryDirectory();
    await writeFile(path.join(program, "main.go"), 'package main\n\nvar name = config.New(ctx, "").Require("name")\n');
    await writePreviewStack(program);
    const { name, runtime } = parse(await readFile(path.join(program, "Pulumi.yaml"), "utf8")) as Record<
      string,
      string
    >;
    expect({ name, runtime }).toEqual({ name: path.basename(program), runtime: "go" });
    expect(await stackOf(path.join(program, "Pulumi.kiln-preview.yaml"))).toEqual({
      [`${path.basename(program)}:name`]: "kiln-preview",
    });
    await writeFile(path.join(program, "Pulumi.yaml"), "name: [");
    await expect(writePreviewStack(program)).rejects.toThrow("Pulumi.yaml is not YAML");
  });
});
