import { expect, it } from "vitest";
import { hostFiles } from "../../../../execution/module/tools-image.ts";

/** What an official release has beside the command. */
const RELEASE = [
  ...[
    "pulumi",
    "pulumi-analyzer-policy",
    "pulumi-analyzer-policy-python",
    "pulumi-language-dotnet",
    "pulumi-language-go",
  ],
  ...["pulumi-language-java", "pulumi-language-nodejs", "pulumi-language-python", "pulumi-language-python-exec"],
  ...["pulumi-language-yaml", "pulumi-resource-pulumi-nodejs", "pulumi-resource-pulumi-python", "pulumi-watch"],
];

it.each([
  ["nodejs", ["pulumi-analyzer-policy", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"]],
  [
    "python",
    [
      ...["pulumi-analyzer-policy", "pulumi-analyzer-policy-python", "pulumi-language-python"],
      ...["pulumi-language-python-exec", "pulumi-resource-pulumi-python"],
    ],
  ],
  ["go", ["pulumi-analyzer-policy", "pulumi-language-go"]],
])("an image for %s gets its host and no other", (runtime, expected) => {
  expect(hostFiles(runtime, RELEASE)).toEqual(expected);
});

it("a release without the host of a runtime gives nothing, whatever else it has", () => {
  expect(hostFiles("nodejs", ["pulumi"])).toEqual([]);
  expect(hostFiles("nodejs", ["pulumi-resource-pulumi-nodejs", "pulumi-analyzer-policy"])).toEqual([]);
});
