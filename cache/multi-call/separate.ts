import { chmod, copyFile, mkdir, stat } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { lastLines } from "../../toolchain/process.ts";
import type { GoMounts } from "../go/command.ts";
import type { MultiCallOptions } from "../multi-call.ts";
import { commandNames } from "./command-names.ts";
import { GO } from "./program-packages.ts";
import { withStage } from "./stage.ts";

/** A program as an executable of its own, named after its command. */
export interface SeparateBinary {
  readonly directory: string;
  readonly file: string;
  readonly bytes: number;
  /** What `go build` took. */
  readonly linkSeconds: number;
}

/** Builds each program by itself, as Pulumi would: what a multi-call binary is compared with. */
export async function buildSeparately(
  mounts: GoMounts,
  options: Pick<MultiCallOptions, "programs" | "source" | "out" | "discardWrites">,
): Promise<readonly SeparateBinary[]> {
  const { programs, source, out } = options;
  const names = commandNames(programs);
  await mkdir(out, { recursive: true });
  return withStage(mounts, source, options, async (stage) => {
    const binaries: SeparateBinary[] = [];
    for (const { directory } of programs) {
      const file = names.get(directory) ?? directory;
      const build = ["build", ...mounts.contract.flags, "-o", path.posix.join(stage.seenFolder, file), "."];
      const start = performance.now();
      const { code, stderr } = await stage.run(stage.seenSource(directory), [GO, ...build]);
      const linkSeconds = (performance.now() - start) / 1_000;
      if (code !== 0) throw new KilnError("failed", `${directory} cannot be built:\n${lastLines(stderr, 12)}`);
      const target = path.join(out, file);
      await copyFile(path.join(stage.folder, file), target);
      await chmod(target, 0o755);
      binaries.push({ directory, file, bytes: (await stat(target)).size, linkSeconds });
    }
    return binaries;
  });
}
