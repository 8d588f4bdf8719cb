import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseImagePlugins, requiredModules } from "../../../../bench/first-preview/plugins.ts";

const SDK = "github.com/pulumi/pulumi-aws/sdk/v7@v7.12.0";

describe("parseImagePlugins", () => {
  it("tells what a program needs from what the image has", () => {
    const text = [
      "kiln-host",
      "kiln-baked resource-gcp-v9.6.0",
      `kiln-module ${SDK} {   "resource": true,   "name": "aws",   "version": "7.12.0" } `,
      "kiln-missing golang.org/x/tools@v0.44.0",
      "",
      "kiln-missing golang.org/x/mod@v0.35.0",
    ].join("\n");
    expect(parseImagePlugins(text)).toEqual({
      needed: [{ name: "aws", version: "7.12.0" }],
      baked: ["resource-gcp-v9.6.0"],
      hasLanguageHost: true,
      missingModules: ["golang.org/x/mod@v0.35.0", "golang.org/x/tools@v0.44.0"],
    });
  });

  it("takes the module's version where the SDK names none, and leaves out what is no resource plugin", () => {
    const text = [
      `kiln-module ${SDK} {"resource":true,"name":"aws"}`,
      'kiln-module example.com/tool@v1.0.0 {"resource":false}',
    ];
    expect(parseImagePlugins(text.join("\n")).needed).toEqual([{ name: "aws", version: "7.12.0" }]);
  });

  it("has one plugin for the SDKs that share it, and none for a module without a document", () => {
    const sdk = (service: string) =>
      `kiln-module github.com/pulumi/pulumi-azure-native-sdk/${service}/v3@v3.16.0 {"resource":true,"name":"azure-native","version":"3.16.0"}`;
    const text = [sdk("resources"), sdk("storage"), "kiln-module github.com/pulumi/pulumi/sdk/v3@v3.253.0 "];
    expect(parseImagePlugins(text.join("\n")).needed).toEqual([{ name: "azure-native", version: "3.16.0" }]);
  });

  it("names the module whose document is broken", () => {
    expect(() => parseImagePlugins(`kiln-module ${SDK} {"resource":`)).toThrow(SDK);
  });

  it("has nothing of an image that says nothing", () => {
    expect(parseImagePlugins("")).toEqual({ needed: [], baked: [], hasLanguageHost: false, missingModules: [] });
  });
});

describe("requiredModules", () => {
  it("reads single lines and blocks, direct and indirect, quoted or not, and nothing else", () => {
    const text = [
      "module example.com/m // require example.com/no v1.0.0",
      "go 1.26",
      "require example.com/one v1.0.0",
      'require "example.com/two" v2.0.0 // indirect',
      "require (",
      "\texample.com/three v3.0.0 // indirect",
      "",
      "\t// example.com/comment v1.0.0",
      ")",
      "replace (",
      "\texample.com/one => ../one",
      ")",
      "exclude example.com/four v1.0.0",
      "tool example.com/five/cmd",
    ].join("\n");
    expect(requiredModules(text)).toEqual(["example.com/one", "example.com/two", "example.com/three"]);
  });

  it("finds the same modules however they are divided into blocks", () => {
    const path = fc.stringMatching(/^[a-z]{1,8}\.[a-z]{2,3}(\/[a-zA-Z0-9._-]{1,8}){1,3}$/);
    const blocks = fc.array(fc.array(path, { minLength: 1, maxLength: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(blocks, fc.boolean(), (groups, single) => {
        const lines = groups.map((group) =>
          single
            ? group.map((one) => `require ${one} v1.0.0`).join("\r\n")
            : ["require (", ...group.map((one) => `\t${one} v1.0.0 // indirect`), ")"].join("\r\n"),
        );
        expect(requiredModules(["module m", ...lines, ""].join("\r\n"))).toEqual(groups.flat());
      }),
    );
  });
});
