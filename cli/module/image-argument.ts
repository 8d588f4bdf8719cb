import { stat } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { Builder } from "../../execution/module/builder.ts";
import type { Progress } from "../../progress.ts";
import type { Engine } from "../../toolchain/docker-engine.ts";

/** What `REF|DIR` means: a directory that there is, or that is written as a path, is a module; anything else an image. */
export async function isModuleDirectory(argument: string): Promise<boolean> {
  const there = await stat(argument).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (there) return true;
  if (!/^\.{0,2}[/\\]|^\.{1,2}$/.test(argument)) return false;
  throw new KilnError("usage", `${argument} is no directory`, { mend: "Name the directory of a module, or an image." });
}

/** The image of an argument: built where it is a directory, by id, so that what was built is what runs. */
export async function imageOf(argument: string, engine: Engine, progress: Progress): Promise<string> {
  if (!(await isModuleDirectory(argument))) return argument;
  const directory = path.resolve(argument);
  const name = path
    .basename(directory)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  const tag = `kiln-module/${name === "" ? "module" : name}:local`;
  return (await new Builder().build({ directory, tag, engine, progress })).digest;
}
