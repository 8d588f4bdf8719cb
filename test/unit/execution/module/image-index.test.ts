import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, expect, it } from "vitest";
import { pushIndex } from "../../../../execution/module/image-index.ts";

let home: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-index-"));
  return () => rm(home, { recursive: true });
});

async function regctl(script: string): Promise<string> {
  const file = path.join(home, "regctl");
  await writeFile(file, `#!/bin/sh\necho "$@" >> ${home}/calls\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

it("puts all images under one tag and gives the digest of that", async () => {
  const client = await regctl("[ $1 = manifest ] && echo sha256:index; exit 0");
  expect(await pushIndex(client, { repository: "localhost:5180/m", tag: "1" }, ["sha256:a", "sha256:b"])).toBe(
    "sha256:index",
  );
  const tls = "--host reg=localhost:5180,tls=disabled";
  expect((await readFile(path.join(home, "calls"), "utf8")).trimEnd().split("\n")).toEqual([
    `index create localhost:5180/m:1 --ref localhost:5180/m --digest sha256:a --digest sha256:b ${tls}`,
    `manifest head localhost:5180/m:1 ${tls}`,
  ]);
});

it("asks other registries over TLS, and says why one took no index", async () => {
  const client = await regctl("echo 'http 405' >&2; exit 1");
  await expect(pushIndex(client, { repository: "ghcr.io/o/m", tag: "1" }, ["sha256:a"])).rejects.toMatchObject({
    ...{ kind: "failed", message: "no index for ghcr.io/o/m:1: http 405" },
  });
  expect(await readFile(path.join(home, "calls"), "utf8")).not.toContain("tls=disabled");
});
