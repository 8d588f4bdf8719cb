import { cp, mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { silent } from "../../../progress.ts";
import { goProgramsEnvironment, goSourceKey } from "../../../toolchain/go-programs.ts";
import { gocacheKey, readyGocache } from "../../../toolchain/gocache-program.ts";
import { places } from "../../../toolchain/places.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

let home: string;

beforeEach(async () => {
  home = await temporaryDirectory();
});

test("the key of sources is that of names, contents and the Go version, and of no folder", async () => {
  const [one, other] = [path.join(home, "one"), path.join(home, "other")];
  await mkdir(path.join(one, "sub"), { recursive: true });
  await writeFile(path.join(one, "go.mod"), "module m\n");
  await writeFile(path.join(one, "sub/a.go"), "package sub\n");
  const key = await goSourceKey(one, "go1.26.8");
  await cp(one, other, { recursive: true });
  expect(await goSourceKey(other, "go1.26.8")).toBe(key);
  expect(await goSourceKey(one, "go1.26.9")).not.toBe(key);
  await rename(path.join(other, "sub/a.go"), path.join(other, "sub/b.go"));
  expect(await goSourceKey(other, "go1.26.8")).not.toBe(key);
  await writeFile(path.join(one, "sub/a.go"), "package subs\n");
  expect(await goSourceKey(one, "go1.26.8")).not.toBe(key);
});

test("a program that is there already is not built again, one for another architecture is another", async () => {
  const kiln = places({ KILN_CACHE_DIR: path.join(home, "cache") }, home);
  const goRoot = path.join(home, "go");
  await mkdir(goRoot);
  await writeFile(path.join(goRoot, "VERSION"), "go1.26.8\ntime 2026-01-01T00:00:00Z\n");
  const built = path.join(kiln.cache, "tools", `gocache-${await gocacheKey("go1.26.8")}-linux-arm64`);
  await mkdir(built, { recursive: true });
  const options = { places: kiln, goRoot, progress: silent };
  expect(await readyGocache({ ...options, goarch: "arm64" })).toBe(path.join(built, "gocache"));
  // There is no bin/go in this GOROOT: a build can only fail.
  await expect(readyGocache({ ...options, goarch: "amd64" })).rejects.toMatchObject({ kind: "unreachable" });
});

test("a folder that is no GOROOT is named", async () => {
  const options = { places: places({ KILN_CACHE_DIR: home }, home), progress: silent };
  await expect(readyGocache({ ...options, goRoot: home, goarch: "amd64" })).rejects.toThrow(`${home} is no GOROOT`);
});

test("programs are built static, by this toolchain alone, with the user's proxy and modules of their own", () => {
  const user = { GOPROXY: "https://proxy.example", GONOSUMDB: "m.example", GOFLAGS: "-tags=x", GOMODCACHE: "/home/me" };
  const cache = places({ KILN_CACHE_DIR: "/cache" }, home);
  expect(goProgramsEnvironment(user, "/go", { places: cache, platform: "linux-arm64" })).toMatchObject({
    ...{ GOPROXY: "https://proxy.example", GONOSUMDB: "m.example" },
    ...{ GOOS: "linux", GOARCH: "arm64", CGO_ENABLED: "0", GOTOOLCHAIN: "local" },
    ...{ GOFLAGS: "-mod=readonly -modcacherw", GOMODCACHE: "/cache/go-modules", GOCACHEPROG: "" },
  });
});
