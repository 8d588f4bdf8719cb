import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { BASES_FILE } from "../../execution/module/bases.ts";
import { PROJECT } from "./checkout.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** A folder with the bases file of this checkout, its digests taken out, in a checkout's place. It goes with the test. */
export async function unpinnedProject(): Promise<string> {
  const project = await temporaryDirectory();
  const bases = await readFile(path.join(PROJECT, BASES_FILE), "utf8");
  await mkdir(path.dirname(path.join(project, BASES_FILE)), { recursive: true });
  await writeFile(path.join(project, BASES_FILE), bases.replaceAll(/"digest": (?:null|"[^"]*")/g, '"digest": null'));
  return project;
}
