import { chmod } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { callerSettings, decidingFlags, readCallerSettings } from "../../../../cache/explain/caller-settings.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { CONTRACT, writeText } from "../cache-directory.ts";

const NONE = { name: "/home/me/go/env", text: "" };

describe("callerSettings", () => {
  it("finds what a shell sets, and nothing where it sets nothing that decides", () => {
    expect(callerSettings({ GOFLAGS: "-tags=x", GOPROXY: "direct", GOWORK: "" }, NONE)).toEqual([
      { name: "GOFLAGS", value: "-tags=x", where: "the environment", unset: "unset GOFLAGS" },
    ]);
    expect(callerSettings({ GOPROXY: "direct", GOMODCACHE: "/x" }, NONE)).toEqual([]);
  });

  it("finds what `go env -w` wrote, which a shell's own value covers", () => {
    const file = { name: "/home/me/go/env", text: "GOPROXY=direct\nCGO_ENABLED=1\nGOAMD64=v3\n" };
    const found = callerSettings({ GOAMD64: "v2" }, file);
    expect(found.map(({ name, value, where, unset }) => [name, value, where, unset])).toEqual([
      ["CGO_ENABLED", "1", "/home/me/go/env", "go env -u CGO_ENABLED"],
      ["GOAMD64", "v2", "the environment", "unset GOAMD64"],
    ]);
  });
});

describe("readCallerSettings", () => {
  it("reads the file that Go itself names, and does without one", async () => {
    const home = await temporaryDirectory();
    const settings = path.join(home, "settings");
    await writeText(path.join(home, "bin/go"), `#!/bin/sh\n[ "$*" = "env GOENV" ] && echo ${settings}\n`);
    await chmod(path.join(home, "bin/go"), 0o755);
    const env = { PATH: process.env.PATH };
    expect(await readCallerSettings(home, home, env)).toEqual([]);
    await writeText(settings, "GOFLAGS=-race\n");
    expect((await readCallerSettings(home, home, env)).map(({ value, where }) => [value, where])).toEqual([
      ["-race", settings],
    ]);
  });
});

describe("decidingFlags", () => {
  it.each([
    ["", ""],
    ["-buildvcs=false -mod=readonly -modcacherw -p=2 -v", ""],
    ["-trimpath", ""],
    ["'-ldflags=-s -w' -x", ""],
    ["-tags=a,b -mod=vendor", "-tags=a,b -mod=vendor"],
    ["'-gcflags=all=-N -l' -race", "-gcflags=all=-N -l -race"],
    ["-modfile=other.mod", "-modfile=other.mod"],
    ["-a", "-a"],
  ])("of %j are %j", (value, deciding) => {
    expect(decidingFlags(value, CONTRACT)).toBe(deciding);
  });

  it("count -trimpath where a build does without it", () => {
    expect(decidingFlags("-trimpath", { flags: [] })).toBe("-trimpath");
  });
});
