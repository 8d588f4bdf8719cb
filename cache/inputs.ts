import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import path from "node:path";
import type { BuildContract } from "./contract.ts";
import type { Program } from "./programs.ts";
import { readSourceNames } from "./source-files.ts";

/** Raise it when kiln makes another image of the same inputs. */
const BAKE_FORMAT = "kiln-bake-3";

/**
 * A digest of all that decides a warm image: contract, tool versions, what the base is made of, and every source file.
 * Equal keys mean that nothing need be baked, without asking Go.
 */
export async function inputsKey(
  source: string,
  programs: readonly Program[],
  contract: BuildContract,
  recipe: readonly string[],
): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([BAKE_FORMAT, contract, recipe, programs]));
  for (const name of await readSourceNames(source, programs)) {
    const content = createHash("sha256");
    for await (const chunk of createReadStream(path.join(source, name))) content.update(chunk as Buffer);
    hash.update(`\n${name}\n${content.digest("hex")}`);
  }
  return hash.digest("hex");
}
