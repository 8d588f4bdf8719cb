import { describe, expect, it } from "vitest";
import { failedModules, proxyEnvironment } from "../../../bench/module-proxy.ts";

describe("failedModules", () => {
  it("names the modules that `go mod download -json` could not get", () => {
    const printed = [
      { Path: "example.com/a", Version: "v1.0.0", Dir: "/x" },
      { Path: "example.com/b", Version: "v2.0.0", Error: "403 {Forbidden}" },
    ];
    const text = printed.map((document) => JSON.stringify(document, null, "\t")).join("\n");
    expect(failedModules(`${text}\n`)).toEqual(["example.com/b@v2.0.0"]);
    expect(failedModules("")).toEqual([]);
  });
});

describe("proxyEnvironment", () => {
  it("leaves no way to the network, whatever is private", () => {
    const env = proxyEnvironment("/work with blank");
    expect(env.GOPROXY).toBe("file:///work%20with%20blank/modules/cache/download,off");
    expect(env).toMatchObject({ GONOPROXY: "none", GOPRIVATE: "", GOSUMDB: "off" });
  });
});
