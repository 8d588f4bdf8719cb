import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { isBlocked } from "../../../toolchain/finding.ts";
import {
  FORBIDDEN_NAMESPACES,
  namespaceFlags,
  namespaceRefusal,
  warmingFinding,
} from "../../../toolchain/namespaces.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

/** A machine whose `unshare` does this. */
async function machine(script: string): Promise<NodeJS.ProcessEnv> {
  const home = await temporaryDirectory();
  await writeFile(path.join(home, "unshare"), `#!/bin/sh\necho "$*" > ${home}/asked\n${script}\n`, { mode: 0o755 });
  return { PATH: home };
}

test.each([
  "echo 'unshare: unshare failed: Operation not permitted' >&2; exit 1",
  "echo 'unshare: cannot change root filesystem propagation: Permission denied' >&2; exit 1",
  "echo 'unshare: unshare failed: No space left on device' >&2; exit 1",
])("an unshare that is there and refused is refused: %s", async (script) => {
  const env = await machine(script);
  expect(await namespaceRefusal(env, "linux")).toEqual(FORBIDDEN_NAMESPACES);
  const finding = await warmingFinding(env, "linux");
  expect(finding).toMatchObject({ name: "warming", status: "refused", source: FORBIDDEN_NAMESPACES.reason });
  expect(isBlocked([finding])).toBe(true);
});

test("one that works is tried with what warming asks of it", async () => {
  const env = await machine("exit 0");
  expect(await namespaceRefusal(env, "linux")).toBeUndefined();
  expect(await warmingFinding(env, "linux")).toMatchObject({ status: "ok", path: `${env.PATH ?? ""}/unshare` });
  const asked = await readFile(path.join(env.PATH ?? "", "asked"), "utf8");
  expect(asked.trimEnd().split(" ")).toEqual([...namespaceFlags(), "--", "true"]);
});

test("without root a user namespace is asked for as well", () => {
  expect(namespaceFlags(0)).toEqual(["--mount"]);
  expect(namespaceFlags(1000)).toEqual(["--mount", "--user", "--map-root-user"]);
});

test("a machine without unshare, or that is no Linux, cannot warm, and says what to do", async () => {
  const without = await namespaceRefusal({ PATH: await temporaryDirectory() }, "linux");
  expect(without).toMatchObject({ mend: expect.stringContaining("util-linux") as string });
  expect(await namespaceRefusal(await machine("exit 0"), "darwin")).toMatchObject({
    reason: "caches are warmed in Linux namespaces, which this system does not have",
  });
});
