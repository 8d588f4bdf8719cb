import { expect, test } from "vitest";
import { buildArguments, goModText, unversionedModules } from "../../../toolchain/build-from-proxy.ts";
import { pins } from "../../../toolchain/pins.ts";

test("modules that stand beside the tool's own are replaced by the version that was published of them", () => {
  const goMod = JSON.stringify({
    Require: [
      { Path: "k8s.io/api", Version: "v0.0.0" },
      { Path: "k8s.io/klog/v2", Version: "v2.130.1" },
      { Path: "k8s.io/apiserver", Version: "v0.0.0" },
    ],
  });
  const { goModule } = pins.kubelet;
  if (goModule === undefined) throw new Error("kubelet has no Go module");
  const text = goModText(goModule, "1.26.8", unversionedModules(goMod));
  expect(text.split("\n\n").filter((line) => line.startsWith("replace"))).toEqual([
    "replace k8s.io/api => k8s.io/api v0.34.2",
    "replace k8s.io/apiserver => k8s.io/apiserver v0.34.2",
  ]);
  expect(text).toContain("require k8s.io/kubernetes v1.34.2\n");
  expect(text).toContain("tool k8s.io/kubernetes/cmd/kubelet\n");
});

test("a module file without requirements has none beside it", () => {
  expect(unversionedModules("{}")).toEqual([]);
});

test("without a staging version nothing is replaced but what the recipe says", () => {
  const recipe = { module: "m.example/a", version: "v1.0.0", package: "m.example/a/cmd", replace: ["a => b v1.0.0"] };
  expect(goModText(recipe, "1.26.8", ["k8s.io/api"]).match(/^replace .*$/gm)).toEqual(["replace a => b v1.0.0"]);
});

test("a tool is built with its recipe's tags and variables, and without either where it has none", () => {
  const recipe = { module: "m.example/a", version: "v1.0.0", package: "m.example/a/cmd" };
  const tagged = buildArguments({ ...recipe, tags: ["minimal", "other"], set: { "m.example/a.v": "1" } }, "/out");
  expect(tagged.join(" ")).toBe(
    "build -trimpath -tags minimal,other -ldflags -s -w -X m.example/a.v=1 -o /out m.example/a/cmd",
  );
  expect(buildArguments(recipe, "/out").join(" ")).toBe("build -trimpath -ldflags -s -w -o /out m.example/a/cmd");
});
