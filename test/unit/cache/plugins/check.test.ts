import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { verifyPlugins } from "../../../../cache/plugins/check.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const AWS = { name: "aws", version: "7.12.0" };

/** An engine in whose images Pulumi lists these plugins. */
async function engine(listed: readonly object[]) {
  const home = await temporaryDirectory();
  const answer = `[ "$1" != start ] || echo '${JSON.stringify(listed)}'`;
  const docker = path.join(home, "docker");
  await writeFile(docker, `#!/bin/sh\necho "$*" >> ${home}/calls\n${answer}\n`, { mode: 0o755 });
  return {
    docker,
    env: process.env,
    calls: async () => (await readFile(path.join(home, "calls"), "utf8")).split("\n"),
  };
}

it("asks the image of its platform, without network, and leaves no container", async () => {
  const { calls, ...docker } = await engine([{ ...AWS, kind: "resource", version: "v7.12.0" }]);
  await verifyPlugins(docker, "r/i@sha256:1", [AWS], "linux/arm64");
  const [create = "", start, remove] = await calls();
  const name = /--name (\S+)/.exec(create)?.[1] ?? "";
  expect(create).toBe(
    `create --name ${name} --network none --platform linux/arm64 --entrypoint pulumi r/i@sha256:1 plugin ls --json`,
  );
  expect([start, remove]).toEqual([`start --attach ${name}`, `rm --force ${name}`]);
});

it("names what Pulumi does not find", async () => {
  const docker = await engine([{ ...AWS, kind: "language" }]);
  await expect(verifyPlugins(docker, "r/i@sha256:1", [AWS])).rejects.toMatchObject({
    ...{ kind: "difference", message: "Pulumi in r/i@sha256:1 does not find the plugins aws@7.12.0" },
  });
});
