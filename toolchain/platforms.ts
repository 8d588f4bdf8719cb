import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { EngineKind } from "./engine-kind.ts";
import type { Finding, Refusal } from "./finding.ts";

/** What images are built for, as Docker spells it. */
export const PLATFORMS = ["linux/amd64", "linux/arm64"] as const;

export type Platform = (typeof PLATFORMS)[number];

/** The kernel's names of QEMU's interpreters, by platform. */
const INTERPRETERS: Readonly<Record<string, string>> = { "linux/amd64": "qemu-x86_64", "linux/arm64": "qemu-aarch64" };

const BINFMT = "/proc/sys/fs/binfmt_misc";

/** This machine's own platform: `linux/amd64` or `linux/arm64`. */
export function ownPlatform(arch: string = process.arch): string {
  return `linux/${arch === "x64" ? "amd64" : arch}`;
}

/** The platforms whose programs this kernel runs by emulation, in containers too. */
export async function emulatedPlatforms(directory = BINFMT): Promise<readonly string[]> {
  const registered: readonly string[] = await readdir(directory).catch(() => []);
  const found: string[] = [];
  for (const platform of PLATFORMS) {
    const name = INTERPRETERS[platform];
    if (name === undefined || !registered.includes(name)) continue;
    if (servesContainers(await readFile(path.join(directory, name), "utf8").catch(() => ""))) found.push(platform);
  }
  return found;
}

/** Whether an interpreter is on, and opened when it was registered (flag F): a container does not have its file. */
export function servesContainers(entry: string): boolean {
  return /^enabled$/m.test(entry) && /^flags: \w*F/m.test(entry);
}

/** How an engine runs a platform's programs; undefined where it cannot, or where that cannot be known from here. */
export async function howItRuns(
  platform: string,
  engine: Pick<EngineKind, "architecture" | "address">,
  emulated: () => Promise<readonly string[]> = emulatedPlatforms,
): Promise<"native" | "emulated" | undefined> {
  if (platform === `linux/${engine.architecture}`) return "native";
  // Another machine's kernel does not show what it emulates.
  if (!/^(unix:|$)/.test(engine.address)) return undefined;
  return (await emulated()).includes(platform) ? "emulated" : undefined;
}

/** Why an engine cannot build and verify images of a platform; undefined where it can. */
export async function platformRefusal(
  platform: string,
  engine: Pick<EngineKind, "architecture" | "address">,
  emulated?: () => Promise<readonly string[]>,
): Promise<Refusal | undefined> {
  if ((await howItRuns(platform, engine, emulated)) !== undefined) return undefined;
  return {
    reason: `an image of ${platform} is built and verified on an engine of that platform or under emulation, and this one runs linux/${engine.architecture} without`,
    mend: `${EMULATION_MEND}, or choose another engine; caches need neither: \`npx kiln cache simulate --platform ${platform}\``,
  };
}

const EMULATION_MEND =
  "install emulation (Debian, Ubuntu: apt-get install -y qemu-user-static binfmt-support; elsewhere: docker run --privileged --rm tonistiigi/binfmt --install all)";

/** How it stands with images of platforms other than this machine's. */
export async function emulationFinding(
  emulated: () => Promise<readonly string[]> = emulatedPlatforms,
  own: string = ownPlatform(),
): Promise<Finding> {
  const others = (await emulated()).filter((platform) => platform !== own);
  const row = { name: "emulation", source: "binfmt_misc", blocks: false };
  if (others.length > 0) return { ...row, version: others.join(" "), status: "ok" };
  const version = PLATFORMS.filter((platform) => platform !== own).join(" ");
  return { ...row, version, status: "missing", mend: `only to bake images of ${version} here: ${EMULATION_MEND}` };
}
