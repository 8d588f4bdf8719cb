import { existsSync } from "node:fs";
import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { removeFolder } from "../../../toolchain/remove-folder.ts";
import { run } from "../../../toolchain/process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const ROOM = path.join(import.meta.dirname, "../../../toolchain/remove-folder.ts");
const NOBODY = 65534;

/** A folder such as Go leaves of a module. */
async function moduleTree(): Promise<string> {
  const folder = path.join(await temporaryDirectory(), "store");
  await mkdir(path.join(folder, "m@v1/pkg"), { recursive: true });
  await writeFile(path.join(folder, "m@v1/pkg/a.go"), "");
  for (const name of ["m@v1/pkg", "m@v1"]) await chmod(path.join(folder, name), 0o555);
  return folder;
}

test("read-only folders go, and one that is not there is gone", async () => {
  const folder = await moduleTree();
  if (process.getuid?.() === 0) {
    // Root may do all of it: somebody else removes it.
    for (const name of ["..", ".", "m@v1", "m@v1/pkg", "m@v1/pkg/a.go"]) {
      await chown(path.join(folder, name), NOBODY, NOBODY);
    }
    const script = `process.setuid(${NOBODY}); const { removeFolder } = module; await removeFolder(${JSON.stringify(folder)});`;
    const started = `const module = await import(${JSON.stringify(ROOM)}); ${script}`;
    await run(process.execPath, ["--input-type=module", "-e", started]);
  } else {
    await removeFolder(folder);
  }
  expect(existsSync(folder)).toBe(false);
  await removeFolder(folder);
});
