import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Graph, Package } from "../../../../cache/graph.ts";
import { archiveName, pluginOf, readNeededPlugins, readPluginDocument } from "../../../../cache/plugins/plugin.ts";
import type { Program } from "../../../../cache/programs.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

describe("pluginOf", () => {
  it.each([
    ["github.com/pulumi/pulumi-aws/sdk/v7@v7.12.0", { resource: true, name: "aws", version: "7.12.0" }, "aws@7.12.0"],
    [
      "github.com/pulumi/pulumi-mongodbatlas/sdk/v3@v3.11.0",
      { resource: true, name: "mongodbatlas" },
      "mongodbatlas@3.11.0",
    ],
    [
      "github.com/pulumi/pulumi-azure-native-sdk/storage/v3@v3.16.0",
      { resource: true, name: "azure-native" },
      "azure-native@3.16.0",
    ],
    ["github.com/pulumi/pulumi-random/sdk/v4@v4.1.0", undefined, "random@4.1.0"],
    ["github.com/pulumi/pulumi-random/sdk@v2.0.0+incompatible", undefined, "random@2.0.0"],
    ["github.com/pulumi/pulumi-aws/sdk@v1.29.1-0.20200403140640-efb5e2a48a86", undefined, "aws@1.29.0"],
    ["example.com/acme/sdk@v1.0.0-rc.1", { resource: true, name: "acme", version: "v1.0.0-rc.1" }, "acme@1.0.0-rc.1"],
  ])("of %s with %j is %s", (goModule, document, expected) => {
    const plugin = pluginOf(goModule, document);
    expect(`${plugin?.name ?? ""}@${plugin?.version ?? ""}`).toBe(expected);
  });

  it.each([
    ["github.com/pulumi/pulumi/sdk/v3@v3.253.0", undefined],
    ["github.com/pulumi/pulumi-go-provider@v1.0.0", undefined],
    ["github.com/google/uuid@v1.6.0", undefined],
    ["github.com/pulumi/pulumi-std/sdk@v2.0.0", { resource: false }],
  ])("of %s is none", (goModule, document) => {
    expect(pluginOf(goModule, document)).toBeUndefined();
  });

  it("keeps the server that an SDK names", () => {
    const document = { resource: true, name: "acme", version: "1.2.3", server: "https://plugins.example.com" };
    expect(pluginOf("example.com/acme@v1.2.3", document)).toMatchObject({ server: "https://plugins.example.com" });
  });

  it.each([
    ["a name that leads elsewhere", { resource: true, name: "../aws", version: "1.0.0" }],
    ["a version that is none", { resource: true, name: "aws", version: "1.0/../../x" }],
    ["a version without a release", { resource: true, name: "aws", version: "v0.0.0-20200403140640-efb5e2a48a86" }],
  ])("refuses %s", (_, document) => {
    expect(() => pluginOf("example.com/acme@v1.2.3", document)).toThrow("example.com/acme@v1.2.3 asks for a plugin");
  });
});

const program = (provider: string, module: string): Program => ({
  provider,
  module,
  directory: `${provider}/${module}`,
  goModule: ".",
});

const library = (importPath: string, goModule: string | undefined, imports: readonly string[]): [string, Package] => [
  importPath,
  {
    importPath,
    standard: false,
    main: false,
    imports,
    sourceBytes: 1,
    ...(goModule === undefined ? {} : { goModule }),
  },
];

async function writeDocument(goModCache: string, folder: string, document: unknown): Promise<void> {
  const directory = path.join(goModCache, folder);
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, "pulumi-plugin.json"), JSON.stringify(document));
}

describe("readNeededPlugins", () => {
  const [aws, tls, gcp] = [
    "github.com/pulumi/pulumi-aws/sdk/v7@v7.12.0",
    "example.com/Acme/tls@v1.0.0",
    "g/gcp@v9.6.0",
  ];
  const graph: Graph = {
    packages: new Map([
      library("app/aws", undefined, ["sdk/s3", "sdk/tls"]),
      library("app/gcp", undefined, ["sdk/tls"]),
      library("app/broken", undefined, ["sdk/gcp"]),
      library("sdk/s3", aws, []),
      library("sdk/tls", tls, []),
      library("sdk/gcp", gcp, []),
    ]),
    roots: new Map([
      ["aws/bucket", "app/aws"],
      ["gcp/secret", "app/gcp"],
    ]),
    faults: new Map([["gcp/broken", "does not load"]]),
    skipped: [],
    required: new Map(),
  };
  const programs = [program("aws", "bucket"), program("gcp", "secret"), program("gcp", "broken")];

  it("names each once, with the providers whose programs import it, and none that no program imports", async () => {
    const cache = await temporaryDirectory();
    await writeDocument(cache, "github.com/pulumi/pulumi-aws/sdk/v7@v7.12.0/go/aws", { resource: true, name: "aws" });
    await writeDocument(cache, "example.com/!acme/tls@v1.0.0", { resource: true, name: "tls", version: "1.0.0" });
    await writeDocument(cache, "g/gcp@v9.6.0", { resource: true, name: "gcp", version: "9.6.0" });
    expect(await readNeededPlugins(graph, programs, cache, cache)).toEqual([
      { name: "aws", version: "7.12.0", providers: ["aws"] },
      { name: "tls", version: "1.0.0", providers: ["aws", "gcp"] },
    ]);
  });

  /** A repository whose one program imports packages that stand in these directories of it. */
  async function needed(files: Readonly<Record<string, string>>, ...directories: readonly string[]) {
    const source = await temporaryDirectory();
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(source, name)), { recursive: true });
      await writeFile(path.join(source, name), text);
    }
    const keys = directories.map((directory) => `./${directory}`);
    const packages = new Map([
      library("./aws/bucket", undefined, keys),
      ...keys.map((key) => library(key, undefined, [])),
    ]);
    const held: Graph = { ...graph, packages, roots: new Map([["aws/bucket", "./aws/bucket"]]), faults: new Map() };
    return readNeededPlugins(held, [program("aws", "bucket")], "/nowhere/go-mod", source);
  }
  const OWN = "module github.com/acme/pulumi-stacks/sdk\n\nrequire (\n\texample.com/acme v0.4.0 // indirect\n)\n";

  it("takes a replaced SDK's document from its directory, as `pulumi package add` makes one", async () => {
    const document = { resource: true, name: "terraform-provider", version: "0.8.1", parameterization: {} };
    const files = {
      "go.mod": OWN,
      "sdks/random/go.mod": "module github.com/pulumi/pulumi-terraform-provider/sdks/go/random/v3\n",
      "sdks/random/random/pulumi-plugin.json": JSON.stringify(document),
      "sdks/acme/go.mod": "module example.com/acme\n",
      "sdks/acme/go/acme/pulumi-plugin.json": JSON.stringify({ resource: true, name: "acme" }),
    };
    expect(await needed(files, "sdks/random/random", "sdks/random", "sdks/acme/go/acme", "lib")).toEqual([
      { name: "acme", version: "0.4.0", providers: ["aws"] },
      { name: "terraform-provider", version: "0.8.1", providers: ["aws"] },
    ]);
  });

  const SDK = "github.com/pulumi/pulumi-aws/sdk/v7";
  const VENDORED = `# ${SDK} v7.12.0\n## explicit; go 1.24\n${SDK}/go/aws/s3\n# example.com/acme v1.2.0 => ./acme\nexample.com/acme/x\n`;

  it("takes a vendored SDK's version from modules.txt, with its document or without", async () => {
    const files = {
      "go.mod": OWN,
      "vendor/modules.txt": VENDORED,
      "vendor/example.com/acme/x/pulumi-plugin.json": JSON.stringify({ resource: true, name: "acme" }),
    };
    expect(await needed(files, `vendor/${SDK}/go/aws/s3`, "vendor/example.com/acme/x")).toEqual([
      { name: "acme", version: "1.2.0", providers: ["aws"] },
      { name: "aws", version: "7.12.0", providers: ["aws"] },
    ]);
  });

  it.each([
    [
      "vendored without its document",
      { "vendor/modules.txt": "# github.com/lbr/pulumi-x/sdk v1.0.0\n" },
      "vendor/github.com/lbr/pulumi-x/sdk/go",
    ],
    ["replaced, of no version", { "sdks/x/go.mod": "module github.com/pulumi/pulumi-x/sdk\n" }, "sdks/x/go"],
  ])("names an SDK of which no plugin can be told: %s", async (_, files, directory) => {
    await expect(needed({ "go.mod": OWN, ...files }, directory)).rejects.toMatchObject({
      ...{ kind: "failed", message: expect.stringContaining("/pulumi-x/sdk") as string },
      mend: expect.stringContaining("kiln:image.plugins to none or volume") as string,
    });
  });

  it("finds the document nearest to the module first, and says which one is broken", async () => {
    const module = await temporaryDirectory();
    await writeDocument(module, "go/b", { name: "deep" });
    expect(await readPluginDocument(module)).toEqual({ name: "deep" });
    await writeDocument(module, "", { name: "near" });
    expect(await readPluginDocument(module)).toEqual({ name: "near" });
    await writeFile(path.join(module, "pulumi-plugin.json"), "{");
    await expect(readPluginDocument(module)).rejects.toThrow(`${module}/pulumi-plugin.json is not JSON`);
  });
});

it("an archive has one name on every server", () => {
  expect(archiveName({ name: "aws", version: "7.12.0" }, "linux-arm64")).toBe(
    "pulumi-resource-aws-v7.12.0-linux-arm64.tar.gz",
  );
});
