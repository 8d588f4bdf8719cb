import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { actionText, buildIdOf, readBuildId } from "../../../cache/build-id.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { programWith } from "./recorded-go.ts";

describe("buildIdOf", () => {
  it("is the text of Go's ELF note, not of the same letters elsewhere", () => {
    expect(buildIdOf(programWith("action/main/main/content", "more"))).toBe("action/main/main/content");
  });

  it.each([
    ["nothing", ""],
    ["letters alone", "\x7fELF Go\0\0 Go\0\0"],
    ["a note that is cut off", programWith("action/content").subarray(0, 40)],
    ["an empty note", programWith("")],
    ["a note of another type", Buffer.from("\x04\0\0\0\x04\0\0\0\x05\0\0\0Go\0\0text")],
  ])("is none in %s", (_, head) => {
    expect(buildIdOf(Buffer.from(head))).toBeUndefined();
  });
});

describe("readBuildId", () => {
  it("reads no further than Go does", async () => {
    const file = path.join(await temporaryDirectory(), "program");
    await writeFile(file, programWith("a/b/c/d", "x".repeat(100_000)));
    expect(await readBuildId(file)).toBe("a/b/c/d");
    await writeFile(file, Buffer.concat([Buffer.alloc(40_000), programWith("a/b")]));
    expect(await readBuildId(file)).toBeUndefined();
  });
});

describe("actionText", () => {
  it("spells an action as Go does: the first 15 bytes, 20 letters", () => {
    // `go tool buildid` of the program with this link action.
    expect(actionText("b75513d77e75489a71dc4655e8f7a6cfc6489ed5c2239ca7c7af17c758323e7b")).toBe("t1UT1351SJpx3EZV6Pem");
    expect(actionText("ff".repeat(32))).toBe("_".repeat(20));
  });
});
