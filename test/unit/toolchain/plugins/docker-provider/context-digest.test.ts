import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { contextDigest } from "../../../../../toolchain/plugins/docker-provider/context-digest.ts";

let context: string;

beforeEach(async () => {
  context = await mkdtemp(path.join(tmpdir(), "kiln-context-"));
  await mkdir(path.join(context, "bin"));
  await write("Dockerfile", "FROM scratch\n");
  await write("bin/tool", "one");
  await write("notes.md", "one");
});

afterEach(async () => {
  await rm(context, { recursive: true });
});

const write = (file: string, text: string) => writeFile(path.join(context, file), text);
const digest = () => contextDigest(context, path.join(context, "Dockerfile"));

describe("contextDigest", () => {
  it("is the same for the same content, whenever and by whomever it was written", async () => {
    const before = await digest();
    await write("bin/tool", "one");
    await chmod(path.join(context, "notes.md"), 0o600);
    await utimes(path.join(context, "notes.md"), 1, 1);
    expect(await digest()).toBe(before);
  });

  it.each<[string, () => Promise<unknown>]>([
    ["a file's content", () => write("bin/tool", "two")],
    ["whether a file may be executed", () => chmod(path.join(context, "bin/tool"), 0o755)],
    ["a new file", () => write("more", "")],
    ["a removed file", () => rm(path.join(context, "notes.md"))],
    ["a link", () => symlink("bin/tool", path.join(context, "link"))],
    ["the Dockerfile", () => write("Dockerfile", "FROM busybox\n")],
  ])("changes with %s", async (_, change) => {
    const before = await digest();
    await change();
    expect(await digest()).not.toBe(before);
  });

  it("does not see what .dockerignore leaves out", async () => {
    await write(".dockerignore", "*.md\n");
    const before = await digest();
    await write("notes.md", "two");
    expect(await digest()).toBe(before);
  });

  it("takes the Dockerfile's own ignore file before that of the context", async () => {
    await write(".dockerignore", "bin\n");
    await write("Dockerfile.dockerignore", "*.md\n");
    const before = await digest();
    await write("notes.md", "two");
    expect(await digest()).toBe(before);
    await write("bin/tool", "two");
    expect(await digest()).not.toBe(before);
  });

  it("sees a Dockerfile that is ignored or stands outside the context", async () => {
    await write(".dockerignore", "*\n");
    const before = await digest();
    await write("Dockerfile", "FROM busybox\n");
    expect(await digest()).not.toBe(before);
  });

  it("is the same wherever the context stands", async () => {
    const before = await digest();
    const parent = path.dirname(context);
    const relative = path.relative(process.cwd(), path.join(parent, path.basename(context)));
    expect(await contextDigest(relative, path.join(relative, "Dockerfile"))).toBe(before);
  });
});
