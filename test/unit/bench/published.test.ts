import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const MERGE = path.join(import.meta.dirname, "../../../bench/published/merge.sh");

/** A work folder of the published method with an artifact of each of these providers: files by name. */
async function workFolder(artifacts: Readonly<Record<string, Readonly<Record<string, string>>>>): Promise<string> {
  const work = await temporaryDirectory();
  mkdirSync(path.join(work, "artifacts"));
  for (const [provider, files] of Object.entries(artifacts)) {
    const folder = path.join(work, "job");
    for (const part of ["go-mod", "go-build"]) mkdirSync(path.join(folder, part), { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    }
    execFileSync("tar", ["-C", folder, "-cf", path.join(work, "artifacts", `${provider}.tar`), "go-mod", "go-build"]);
    execFileSync("rm", ["-rf", folder]);
  }
  return work;
}

const merge = (work: string) => execFileSync("/bin/sh", [MERGE, work], { encoding: "utf8", stdio: "pipe" });
const merged = (work: string, name: string) => readFileSync(path.join(work, "merged-cache", name), "utf8");

describe("merge.sh", () => {
  it("copies every artifact without replacing, and says what each took", async () => {
    const work = await workFolder({
      aws: { "go-build/aa/one-d": "of aws", "go-mod/m@v1.0.0/a.go": "a" },
      gcp: { "go-build/aa/one-d": "of gcp", "go-build/bb/two-d": "two" },
    });
    const lines = merge(work).trim().split("\n");
    expect(lines.map((line) => line.replace(/ [\d.]+$/, ""))).toEqual([
      "download aws",
      "merge aws",
      "download gcp",
      "merge gcp",
    ]);
    expect(merged(work, "go-build/aa/one-d")).toBe("of aws");
    expect(merged(work, "go-build/bb/two-d")).toBe("two");
    expect(merged(work, "go-mod/m@v1.0.0/a.go")).toBe("a");
    expect(existsSync(path.join(work, "artifacts/aws.tar"))).toBe(false);
  });

  it("goes on after an interruption: what is merged stays, and half a file of the last artifact does not", async () => {
    const work = await workFolder({ gcp: { "go-build/aa/one-d": "whole" } });
    mkdirSync(path.join(work, "merged-cache/go-build/aa"), { recursive: true });
    writeFileSync(path.join(work, "merged-cache/go-build/aa/one-d"), "wh");
    mkdirSync(path.join(work, "merged"));
    writeFileSync(path.join(work, "merged/aws"), "download aws 1.000\nmerge aws 2.000\n");
    writeFileSync(path.join(work, "merging"), "gcp\n");
    expect(merge(work)).toMatch(/^download aws 1\.000\nmerge aws 2\.000\ndownload gcp .*\nmerge gcp .*\n$/);
    expect(merged(work, "go-build/aa/one-d")).toBe("whole");
  });
});
