import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { actionText } from "../../../cache/build-id.ts";
import { IMAGE_PATHS } from "../../../cache/contract.ts";
import type { MountedRunOptions } from "../../../cache/go/command.ts";
import { entriesOf, sha256, writeText } from "./cache-directory.ts";

/** A program as the linker writes it, as far as its ELF note with the build ID. */
export function programWith(buildId: string, rest = ""): Buffer {
  const note = Buffer.alloc(12);
  note.writeUInt32LE(4, 0);
  note.writeUInt32LE(Buffer.byteLength(buildId), 4);
  note.writeUInt32LE(4, 8);
  return Buffer.concat([
    Buffer.from("\x7fELF Go\0\0 is no note"),
    note,
    Buffer.from(`Go\0\0${buildId}`),
    Buffer.from(rest),
  ]);
}

/** Where a file of the image's build cache stands in a test. */
export function placeOf(goBuildCache: string, inside: string): string {
  return path.join(goBuildCache, path.relative(IMAGE_PATHS.goBuildCache, inside));
}

/** Writes the log of `gocache record`, where a Go command runs under it: hits of packages, then these lines. */
export async function writeRecordLog(
  goBuildCache: string,
  { environment }: MountedRunOptions,
  packages: readonly string[],
  lines: readonly string[] = [],
): Promise<void> {
  const [, log] = / record --log (\S+)$/.exec(environment?.GOCACHEPROG ?? "") ?? [];
  if (log === undefined) return;
  const hits = packages.map((pkg) => {
    const [action, output] = Object.values(entriesOf(pkg)).map((name) => name.slice(3, 67));
    return `hit ${action ?? ""} ${output ?? ""} ${Buffer.byteLength(`archive of ${pkg}`)}`;
  });
  await writeText(placeOf(goBuildCache, log), [...hits, ...lines, ""].join("\n"));
}

/** The link action of a program in a directory, as 64 digits. */
export const linkAction = (directory: string) => sha256(`link ${directory}`);

/** Builds a program as Go does under `gocache record`: it asks for the packages' entries and for its link action's. */
export async function buildRecorded(
  goBuildCache: string,
  args: readonly string[],
  options: MountedRunOptions,
  packages: readonly string[],
  buildId = `${actionText(linkAction(path.basename(options.cwd)))}/main/main/content`,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const action = linkAction(path.basename(options.cwd));
  const known = await readFile(path.join(goBuildCache, action.slice(0, 2), `${action}-a`), "utf8").catch(
    () => undefined,
  );
  const [, , output = "", size = ""] = known?.split(/ +/) ?? [];
  const found = known === undefined ? `miss ${action}` : `hit ${action} ${output} ${size}`;
  await writeRecordLog(goBuildCache, options, packages, [`miss ${sha256("link-stdout")}`, found]);
  const out = placeOf(goBuildCache, args[args.indexOf("-o") + 1] ?? "");
  if ((await stat(out).catch(() => undefined)) !== undefined) throw new Error(`${out} is no fresh path`);
  await writeText(out, programWith(buildId).toString("latin1"));
  return { code: 0, stdout: "", stderr: "" };
}
