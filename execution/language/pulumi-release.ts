import { KilnError } from "../../errors.ts";
import { Downloader } from "../../toolchain/download.ts";
import { pins } from "../../toolchain/pins.ts";
import type { Platform } from "../../toolchain/platforms.ts";
import type { PulumiRelease } from "./build-plan.ts";

/**
 * A release of Pulumi for a platform, with the checksum that its vendor publishes for it: that of the pins where it is the
 * pinned version, else from the release's own list on GitHub, which is another host than the one that gives the archive.
 */
export async function readPulumiRelease(
  version: string,
  platform: Platform,
  readText: (url: string) => Promise<string | undefined> = (url) => new Downloader().readText(url),
): Promise<PulumiRelease> {
  if (version === pins.pulumi.version) return pinnedPulumi(platform);
  const url = checksumsUrl(version);
  const list = await readText(url);
  if (list === undefined) {
    throw new KilnError("unreachable", `${url} cannot be had, so nothing says what Pulumi ${version} must be`, {
      mend: "Let this machine reach github.com, and look whether Pulumi published that version.",
    });
  }
  const archive = archiveName(version, platform);
  const checksum = checksumIn(list, archive);
  if (checksum !== undefined) return { version, archive: { url: archiveUrl(archive), algorithm: "sha256", checksum } };
  throw new KilnError("failed", `${url} says nothing of ${archive}`, {
    mend: "That release has no archive for this platform, or its list is not whole yet: try again later.",
  });
}

/** The pinned release of Pulumi for a platform. */
export function pinnedPulumi(platform: Platform): PulumiRelease {
  const { version, downloads } = pins.pulumi;
  const download = downloads[platform.replace("/", "-")];
  if (download === undefined) {
    throw new KilnError("usage", `toolchain/pins.json has no Pulumi for ${platform}`, { mend: "Pin its download." });
  }
  return { version, archive: { url: download.url, algorithm: "sha256", checksum: download.sha256 } };
}

/** The checksum of a file in a list as `sha256sum` writes it. Pure. */
export function checksumIn(list: string, file: string): string | undefined {
  const lines = list.split("\n").map((line) => /^([0-9a-f]{64}) [ *](\S+)\s*$/.exec(line));
  return lines.find((parts) => parts?.[2] === file)?.[1];
}

function checksumsUrl(version: string): string {
  return `https://github.com/pulumi/pulumi/releases/download/v${version}/pulumi-${version}-checksums.txt`;
}

function archiveName(version: string, platform: Platform): string {
  return `pulumi-v${version}-${platform === "linux/amd64" ? "linux-x64" : "linux-arm64"}.tar.gz`;
}

function archiveUrl(archive: string): string {
  return `https://get.pulumi.com/releases/sdk/${archive}`;
}
