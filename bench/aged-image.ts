import { spawn } from "node:child_process";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { extract, pack, type Header } from "tar-stream";
import { KilnError } from "../errors.ts";
import { engineEnvironment, type Engine } from "../toolchain/docker-engine.ts";
import { interruption } from "../toolchain/process.ts";
import { docker } from "./docker.ts";

/** The header of an entry, and its extended part. */
type TarHeader = Partial<Header> & Pick<Header, "name">;

/** How old an image is that nobody rebuilt for a year and a month. */
export const AGE_DAYS = 400;
const AGE_SECONDS = AGE_DAYS * 24 * 3600;

/**
 * Makes the image that `image` is on its day 400, under the name `aged`: every file of it is dated back by 400 days, and so
 * is the day on which Go last trimmed its cache. Clocks cannot be set ahead in a container, and Go asks the kernel itself.
 */
export async function ageImage(context: { readonly engine: Engine }, image: string, aged: string): Promise<void> {
  const { engine } = context;
  const changes = await settingsOf(context, image);
  const { stdout } = await docker(context, ["create", "--entrypoint", "/bin/true", image]);
  const container = stdout.trim();
  const options = { env: engineEnvironment(engine), signal: interruption.signal };
  try {
    const source = spawn(engine.docker, ["export", container], { ...options, stdio: ["ignore", "pipe", "inherit"] });
    const target = spawn(engine.docker, ["import", ...changes, "-", aged], {
      ...options,
      stdio: ["pipe", "ignore", "inherit"],
    });
    const ends = Promise.all([source, target].map(async (child) => (await once(child, "close"))[0] as number | null));
    const [read, write] = [extract(), pack()];
    read.on("entry", (header, body, next) => {
      ageEntry(header, body)
        .then(async ({ header: older, content }) => {
          if (content !== undefined) write.entry(older, content);
          else await pipeline(body, write.entry(older));
          next();
        })
        .catch(next);
    });
    read.once("finish", () => {
      write.finalize();
    });
    await Promise.all([pipeline(source.stdout, read), pipeline(write, target.stdin)]);
    const codes = await ends;
    if (codes.some((code) => code !== 0)) throw new KilnError("failed", `${image} could not be dated back`);
  } finally {
    const signal = AbortSignal.timeout(60_000);
    await docker(context, ["rm", "--force", container], { allowFailure: true, signal }).catch(() => undefined);
  }
}

async function ageEntry(
  header: TarHeader,
  body: AsyncIterable<unknown>,
): Promise<{ readonly header: TarHeader; readonly content?: Buffer }> {
  const older = agedHeader(header);
  if (!header.name.endsWith("go-build/trim.txt")) return { header: older };
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  const content = Buffer.from(agedTrim(Buffer.concat(chunks).toString()));
  return { header: { ...older, size: content.length }, content };
}

/** An entry's header with its times 400 days earlier. Extended times are written anew: the plain field ends in 2038. */
export function agedHeader(header: TarHeader): TarHeader {
  const pax = (header.pax ?? {}) as Readonly<Record<string, string>>;
  const seconds = Math.max(0, Number(pax.mtime ?? (header.mtime?.getTime() ?? 0) / 1000) - AGE_SECONDS);
  return { ...header, mtime: new Date(0), pax: { ...withoutTimes(pax), mtime: String(seconds) } };
}

function withoutTimes(pax: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(pax).filter(([name]) => !["atime", "ctime", "mtime"].includes(name)));
}

/** What Go wrote into trim.txt, seconds since 1970, 400 days earlier. */
export function agedTrim(text: string): string {
  const seconds = Number(text.trim());
  return Number.isFinite(seconds) && text.trim() !== "" ? String(seconds - AGE_SECONDS) : text;
}

/** Flags of `docker import` for the settings that an export does not carry. */
async function settingsOf(context: { readonly engine: Engine }, image: string): Promise<readonly string[]> {
  const { stdout } = await docker(context, ["image", "inspect", "--format", "{{json .Config}}", image]);
  const config = JSON.parse(stdout) as { Env?: readonly string[]; User?: string; WorkingDir?: string };
  const changes = [
    ...(config.Env ?? []).map(
      (variable) => `ENV ${variable.replace(/=(.*)$/s, (_, value: string) => `=${JSON.stringify(value)}`)}`,
    ),
    ...(config.User === undefined || config.User === "" ? [] : [`USER ${config.User}`]),
    ...(config.WorkingDir === undefined || config.WorkingDir === "" ? [] : [`WORKDIR ${config.WorkingDir}`]),
  ];
  return changes.flatMap((change) => ["--change", change]);
}
