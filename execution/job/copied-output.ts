import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { messageOf } from "../../errors.ts";
import type { Container } from "../container-run.ts";
import { OUTPUT } from "./environment.ts";
import { isOutputFile, type JobOutput } from "./job-output.ts";
import { parseResult, type JobResult } from "./result.ts";

/** The entrypoint names a thousand artifacts at most; a script can write there too, and this is read into memory. */
const LARGEST_RESULT = 16 * 1024 * 1024;

/** What a container that does not run any more has below its output folder. */
export interface CopiedOutput {
  readonly result: JobResult | undefined;
  /** Why not all of it could be taken. */
  readonly fault?: string;
}

/**
 * Takes logs, artifacts and result out of a container, whatever its end: for one that was killed, or whose output did not
 * come to its end. Links and whatever else is no regular file stay behind.
 */
export async function copyOutput(container: Container, folder: string, mostBytes: number): Promise<CopiedOutput> {
  const temporary = await mkdtemp(path.join(folder, "copied-"));
  try {
    const tar = path.join(temporary, "output.tar");
    // Twice: the events, which stay behind, are in the tar too. What has holes, to fill this disk, ends there.
    if (!(await container.copyOut(OUTPUT, tar, 2 * mostBytes))) return { result: undefined };
    return await unpack(tar, temporary, folder, mostBytes);
  } catch (error) {
    return { result: undefined, fault: `its output cannot be read: ${messageOf(error)}` };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** What the job left: as it came by standard output, else what the container has. */
export async function takeOutput(
  output: JobOutput,
  container: Container,
  folder: string,
  mostBytes: number,
): Promise<{ readonly result: JobResult | undefined; readonly fault: string | undefined }> {
  const isWhole = await output.close();
  if (isWhole && output.result !== undefined) return { result: output.result, fault: undefined };
  const copied = await copyOutput(container, folder, mostBytes);
  return { result: copied.result ?? output.result, fault: copied.fault ?? output.fault };
}

async function unpack(tar: string, temporary: string, folder: string, mostBytes: number): Promise<CopiedOutput> {
  let [bytes, result, fault]: [number, JobResult | undefined, string | undefined] = [0, undefined, undefined];
  for await (const entry of createReadStream(tar).pipe(extract())) {
    const name = entry.header.name.replace(/^[^/]+\//, "");
    const { type, size } = entry.header;
    const isWanted = type === "file" && (name === "result.json" ? size <= LARGEST_RESULT : isOutputFile(name));
    bytes += isWanted ? size : 0;
    if (!isWanted || bytes > mostBytes) {
      if (bytes > mostBytes) fault = `its output has more than ${mostBytes} bytes: the rest is left`;
      entry.resume();
      continue;
    }
    if (name === "result.json") result = parseResult(await text(entry));
    else await place(path.join(temporary, "files", name), entry as AsyncIterable<Buffer>);
  }
  for (const name of ["stdout.log", "stderr.log", "artifacts"]) {
    const to = path.join(folder, name);
    if (name === "artifacts") await rm(to, { recursive: true, force: true });
    await rename(path.join(temporary, "files", name), to).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    });
  }
  return { result, ...(fault === undefined ? {} : { fault }) };
}

async function place(file: string, content: AsyncIterable<Buffer>): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await pipeline(content, createWriteStream(file, { mode: 0o600 }));
}
