import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import path from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { buildSeparately } from "../../cache/multi-call/separate.ts";
import type { Program } from "../../cache/programs.ts";
import { withStagedSource } from "../../cache/staged-source.ts";
import { mountsOf } from "../../cache/warm.ts";
import { KilnError } from "../../errors.ts";
import { removeFolder } from "../../toolchain/remove-folder.ts";
import { median } from "../containers.ts";
import { docker, pull } from "../docker.ts";
import { forgetRepository } from "../registry.ts";
import type { Step, StepContext } from "../step.ts";
import { coldBake } from "./kiln.ts";
import { bake, kilnFolder } from "./kiln-command.ts";

/** Prebuilt programs in an image, and the same as a file each. */
export interface Binaries {
  /** Image reference without the registry's host. */
  readonly image: string;
  /** Seconds from the start of each program to its first line, in a container; the median of five. */
  readonly starts: Readonly<Record<string, number>>;
  /** Bytes of all multi-call binaries in the image, by file. */
  readonly files: Readonly<Record<string, number>>;
  /** The provider with most programs: its programs in one binary, and as a file each. */
  readonly compared: {
    readonly provider: string;
    readonly programs: number;
    readonly multiCall: number;
    readonly multiCallGzip: number;
    readonly separate: number;
    readonly separateGzip: number;
    readonly separateLinkSeconds: number;
  };
}

/** Where an image says which command runs which program, and where the files are. */
const COMMANDS = "/usr/local/share/kiln/programs";
const FILES = "/usr/local/lib/kiln/programs";
const TURNS = 5;

/** Asked for its plugins, a Pulumi program initialises all packages, prints a line and ends, without an engine. */
const START_SCRIPT = `
for document in ${COMMANDS}/*.json; do
  sed -n 's/^ *"\\(.*\\)": "\\(.*\\)",*$/\\1 \\2/p' "$document"
done | while read -r directory command; do
  for turn in $(seq ${TURNS}); do
    start=$(date +%s%N)
    PULUMI_PLUGINS=true "$command" 2> /dev/null | head -n 1 | grep -q . || echo "bench-silent $directory"
    echo "bench-start $(($(date +%s%N) - start)) $directory"
  done
done
find ${FILES} -type f -printf 'bench-file %s %f\\n'`;

/** Bakes the programs as binaries, starts each of them in the image, and builds one provider's as a file each. */
export const binaries: Step<Binaries> = {
  id: "kiln/binaries",
  title: "kiln: programs as binaries: a bake with the store, their start, and one provider's as separate files",
  method: "kiln",
  after: [coldBake],
  async run(context) {
    const { work, selection, registry } = context;
    await forgetRepository(work, "binaries");
    const baked = await bake(context, {
      ...{ source: selection.source, store: kilnFolder(work, "store"), name: "binaries" },
      more: ["--programs", "binaries"],
    });
    const image = await pull(context, `${registry}/${baked.image}`);
    const { stdout } = await docker(context, [
      ...["run", "--rm", "--network", "none", "--entrypoint", "/bin/sh", image, "-euc", START_SCRIPT],
    ]);
    const { starts, files } = parseStarts(stdout);
    const compared = await compare(context, image, files);
    return { image: baked.image, starts, files, compared };
  },
};

/** Reads what the script printed. Throws where a program printed nothing, or where there is none. */
export function parseStarts(text: string): Pick<Binaries, "starts" | "files"> {
  const silent = /^bench-silent (.*)$/m.exec(text)?.[1];
  if (silent !== undefined) throw new KilnError("failed", `the binary of ${silent} printed nothing`);
  const starts = Map.groupBy(text.matchAll(/^bench-start (\d+) (.*)$/gm), ([, , directory = ""]) => directory);
  if (starts.size === 0) throw new KilnError("failed", `there are no programs below ${COMMANDS}:\n${text.trim()}`);
  const files = [...text.matchAll(/^bench-file (\d+) (.*)$/gm)].map(([, bytes, name = ""]) => [name, Number(bytes)]);
  const seconds = [...starts].map(([name, lines]) => [name, median(lines.map(([, taken]) => Number(taken) / 1e9))]);
  return {
    starts: Object.fromEntries(seconds) as Binaries["starts"],
    files: Object.fromEntries(files) as Binaries["files"],
  };
}

async function compare(context: StepContext, image: string, files: Binaries["files"]): Promise<Binaries["compared"]> {
  const { selection, work, contract, goRoot } = context;
  const [provider = "", programs = []] = mostOfOneProvider(selection.programs);
  const out = kilnFolder(work, "separate");
  const container = `kiln-bench-${randomUUID()}`;
  await removeFolder(out);
  try {
    const separate = await withStagedSource(selection.source, selection.programs, (source) =>
      buildSeparately(mountsOf({ contract }, goRoot, kilnFolder(work, "store")), { programs, source, out }),
    );
    await docker(context, ["create", "--name", container, image]);
    await docker(context, ["cp", `${container}:${FILES}`, path.join(out, "together")]);
    // Some programs cannot be joined: they stand in a file of their own, named after the first (`aws+2`).
    const together = Object.keys(files).filter((name) => name === provider || name.startsWith(`${provider}+`));
    const gzipped = async (names: readonly string[]) => {
      let bytes = 0;
      for (const name of names) bytes += await gzipBytes(path.join(out, name));
      return bytes;
    };
    return {
      provider,
      programs: programs.length,
      multiCall: together.reduce((total, name) => total + (files[name] ?? 0), 0),
      multiCallGzip: await gzipped(together.map((name) => path.join("together", name))),
      separate: separate.reduce((total, { bytes }) => total + bytes, 0),
      separateGzip: await gzipped(separate.map(({ file }) => file)),
      separateLinkSeconds: separate.reduce((total, { linkSeconds }) => total + linkSeconds, 0),
    };
  } finally {
    const signal = AbortSignal.timeout(60_000);
    await docker(context, ["rm", "--force", container], { allowFailure: true, signal }).catch(() => undefined);
    await removeFolder(out);
  }
}

function mostOfOneProvider(programs: readonly Program[]): readonly [string, readonly Program[]] | [] {
  return [...Map.groupBy(programs, ({ provider }) => provider)].sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
}

async function gzipBytes(file: string): Promise<number> {
  let bytes = 0;
  const count = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done();
    },
  });
  await pipeline(createReadStream(file), createGzip({ level: 3 }), count);
  return bytes;
}
