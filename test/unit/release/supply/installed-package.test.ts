import { describe, expect, it } from "vitest";
import { installedReader } from "../../../../release/supply/installed-package.ts";

const read = (file: string, text: string) => installedReader(file)?.(text).map(({ purl }) => purl);
const METADATA = "Metadata-Version: 2.1\r\nName: Ruamel.yaml_clib\r\nVersion: 0.2.8\r\n\r\nName: of the text below\n";
const RUNNER = JSON.stringify({
  language: "javascript",
  pulumi: "3.253.0",
  // Go says of itself what it is, and Debian's Python is on dpkg's list.
  programs: { go: "1.26.8", node: "24.21.0", python: "3.11", uv: "0.9.11", dotnet: "10.0.102", kubectl: "1.34.2" },
});

describe("what is installed beside the distribution's packages", () => {
  it.each<[string, string, readonly string[]]>([
    ["usr/local/lib/node_modules/npm/package.json", '{"name":"npm","version":"11.21.2"}', ["pkg:npm/npm@11.21.2"]],
    [
      "usr/local/lib/node_modules/npm/node_modules/@npmcli/fs/package.json",
      '{"name":"@npmcli/fs","version":"4.0.0"}',
      ["pkg:npm/%40npmcli/fs@4.0.0"],
    ],
    ["opt/tools/lib/python3.11/site-packages/x.dist-info/METADATA", METADATA, ["pkg:pypi/ruamel-yaml-clib@0.2.8"]],
    [
      "usr/local/share/kiln/language-runner.json",
      RUNNER,
      [
        ...["pkg:golang/github.com/pulumi/pulumi/pkg/v3@v3.253.0", "pkg:generic/node@24.21.0", "pkg:pypi/uv@0.9.11"],
        ...["pkg:generic/dotnet-sdk@10.0.102", "pkg:golang/k8s.io/kubernetes@v1.34.2"],
      ],
    ],
  ])("is said by %s", (file, text, expected) => {
    expect(read(file, text)).toEqual(expected);
  });

  it.each(["", "no JSON", "[]", "null", '{"name":"a"}', '{"name":1,"version":"1"}', '{"programs":[],"pulumi":3}'])(
    "is nothing where the text is %j",
    (text) => {
      expect(read("opt/node_modules/a/package.json", text)).toEqual([]);
      expect(read("opt/a.dist-info/METADATA", text)).toEqual([]);
      expect(read("usr/local/share/kiln/language-runner.json", text)).toEqual([]);
    },
  );

  it.each([
    ["a part of a package", "usr/local/lib/node_modules/npm/lib/package.json"],
    ["what the distribution has", "usr/share/nodejs/npm/node_modules/a/package.json"],
    ["Python that dpkg lists", "usr/lib/python3/dist-packages/pip-23.0.1.dist-info/METADATA"],
    ["any other file", "usr/local/share/kiln/notes.json"],
  ])("is not read from %s", (_, file) => {
    expect(installedReader(file)).toBeUndefined();
  });
});
