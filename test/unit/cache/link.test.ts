import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it, vi } from "vitest";
import { runGo, type MountedRunOptions } from "../../../cache/go/command.ts";
import { linkPrograms } from "../../../cache/link.ts";
import { withScratch } from "../../../cache/scratch.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { CONTRACT, writeText } from "./cache-directory.ts";
import { buildRecorded } from "./recorded-go.ts";

vi.mock(import("../../../cache/go/command.ts"), async (original) => ({ ...(await original()), runGo: vi.fn() }));

type Build = (args: readonly string[], options: MountedRunOptions) => ReturnType<typeof buildRecorded>;

/** Links the program `aws/a` with a Go that builds so, in a build cache that has these files. */
async function link(build: (goBuildCache: string) => Build, gocache = "/gocache", files: readonly string[] = []) {
  const goBuildCache = path.join(await temporaryDirectory(), "go-build");
  await mkdir(goBuildCache);
  for (const file of files) await writeText(path.join(goBuildCache, file), "linked by go run");
  const mounts = { contract: CONTRACT, goRoot: "/go", goModCache: "/go-mod", goBuildCache };
  vi.mocked(runGo).mockReset();
  vi.mocked(runGo).mockImplementation((_, args, options) => build(goBuildCache)(args, options));
  const programs = [{ provider: "aws", module: "x", directory: "aws/a", goModule: "." }];
  const links = await withScratch(mounts, (scratch) =>
    linkPrograms({ mounts, programs, source: "/source", gocache, scratch, progress: silent }),
  );
  return { ...links, goBuildCache };
}

const sound = (goBuildCache: string) => (args: readonly string[], options: MountedRunOptions) =>
  buildRecorded(goBuildCache, args, options, ["fmt"]);

it("a program is built as Pulumi builds it, in its directory, with the flags of the contract", async () => {
  const { linked } = await link(sound);
  const [[, args, options] = []] = vi.mocked(runGo).mock.calls;
  expect(args?.filter((arg) => !arg.startsWith("/var/cache"))).toEqual(["build", ...CONTRACT.flags, "-o", "."]);
  expect(options?.cwd).toBe("/source/aws/a");
  expect(options?.environment).toMatchObject({ GOGC: expect.any(String) as string });
  expect(linked.get("aws/a")).toMatchObject({ seconds: expect.any(Number) as number });
});

it("a path with a space reaches Go in quotes", async () => {
  const spaced = (goBuildCache: string) => (args: readonly string[], options: MountedRunOptions) => {
    expect(options.environment?.GOCACHEPROG).toMatch(
      /^"\/my tools\/gocache" record --log \/var\/cache\/go-build\/\S+$/,
    );
    return sound(goBuildCache)(args, options);
  };
  expect((await link(spaced, "/my tools/gocache")).linked.size).toBe(1);
});

it("what `go run` linked, in a folder of the same name, gives way", async () => {
  const own = (await link(sound)).linked.get("aws/a")?.program.output ?? "";
  const { linked, goBuildCache } = await link(sound, "/gocache", [`${own}/program`]);
  expect(linked.get("aws/a")?.program.output).toBe(own);
  expect((await readFile(path.join(goBuildCache, own))).length).toBe(linked.get("aws/a")?.program.bytes);
});

it.each([
  ["none", "", "has no build ID"],
  ["one of another action", `${"A".repeat(20)}/main/main/content`, "has the build ID AAAAAAAAAAAAAAAAAAAA…"],
])("a program with %s is an error that names it: nobody would find it again", async (_, buildId, message) => {
  const odd = (goBuildCache: string) => (args: readonly string[], options: MountedRunOptions) =>
    buildRecorded(goBuildCache, args, options, [], buildId);
  await expect(link(odd)).rejects.toMatchObject({
    kind: "failed",
    message: expect.stringContaining(`the finished program of aws/a ${message}`) as string,
  });
});

it("a build that gocache did not record is no program's fault", async () => {
  const broken = () => () => Promise.resolve({ code: 1, stdout: "", stderr: "go: exec /gocache: permission denied" });
  await expect(link(broken)).rejects.toThrow("gocache did not record what Go read:\ngo: exec /gocache");
});

it("a program that does not link is named with the first error, without a login", async () => {
  const failing = (goBuildCache: string) => async (args: readonly string[], options: MountedRunOptions) => {
    await sound(goBuildCache)(args, options);
    return { code: 1, stdout: "", stderr: "# m/aws/a\nlink: https://u:s3cret@h is odd\nmore\n" };
  };
  const { linked, failed } = await link(failing);
  expect(linked.size).toBe(0);
  expect([...failed]).toEqual([["aws/a", "link: https://…@h is odd"]]);
});
