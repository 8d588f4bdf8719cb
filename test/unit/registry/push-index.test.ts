import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, expect, it } from "vitest";
import { pushIndex, type RegistryClient } from "../../../registry/client.ts";

let home: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-index-"));
  return () => rm(home, { recursive: true });
});

async function clientOf(script: string): Promise<RegistryClient> {
  const regctl = path.join(home, "regctl");
  await writeFile(regctl, `#!/bin/sh\necho "$@" >> ${home}/calls\n${script}\n`);
  await chmod(regctl, 0o755);
  return { regctl };
}

it.each([
  ["a tag", { repository: "localhost:5180/m", tag: "1" }, "localhost:5180/m:1"],
  ["their digest alone", { repository: "localhost:5180/m" }, "--by-digest localhost:5180/m"],
])("puts all images under %s and gives the digest of that", async (_, target, place) => {
  const client = await clientOf("echo sha256:index");
  expect(await pushIndex(client, target, ["sha256:a", "sha256:b"])).toBe("sha256:index");
  const images = "--digest sha256:a --digest sha256:b";
  const format = "--format {{ .Manifest.GetDescriptor.Digest }}";
  expect((await readFile(path.join(home, "calls"), "utf8")).trimEnd()).toBe(
    `index create ${format} ${images} ${place} --host reg=localhost:5180,tls=disabled`,
  );
});

it("asks other registries over TLS, and says how one is logged in to, as every other call does", async () => {
  const client = await clientOf("echo 'request failed [http 403] denied' >&2; exit 1");
  await expect(pushIndex(client, { repository: "ghcr.io/o/m", tag: "1" }, ["sha256:a"])).rejects.toMatchObject({
    kind: "unreachable",
    message: expect.stringContaining("ghcr.io refuses access to ghcr.io/o/m") as string,
    mend: expect.stringContaining("docker login ghcr.io") as string,
  });
  expect(await readFile(path.join(home, "calls"), "utf8")).not.toContain("tls=disabled");
});
