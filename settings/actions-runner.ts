import { parsePinnedImage } from "../registry/image-reference.ts";
import type { Platform } from "../toolchain/platforms.ts";
import type { RunnerRelease } from "../runners/upkeep/freshness.ts";
import { refusal, requiredText, section, textOf, type Field } from "./field.ts";
import { imageReferenceOf } from "./image-reference.ts";

const OFFICIAL = "ghcr.io/actions/actions-runner:2.337.0";

/** What the pods of scale sets run. */
export interface ActionsRunnerSettings {
  /** `repository@sha256:…` of an image made elsewhere; without it this stack builds `images/actions-runner`. */
  readonly image: string | undefined;
  /** The runner release to build it from; the official one of that version where left out. */
  readonly base: string | undefined;
  /** An image that holds the tools, which the build would download otherwise; one for arm64 has to be named. */
  readonly tools: string | undefined;
  /** An image with `/ca.crt`, which the build's downloads trust; in no layer. */
  readonly certificates: string | undefined;
  /** The runner release below the image, and when GitHub published it: the 30 days count from there. */
  readonly release: RunnerRelease | undefined;
}

const KEYS = ["image", "base", "tools", "certificates", "version", "released"] as const;

/** The runner image of a stack. Throws a usage error that names the key. */
export function actionsRunnerOf(field: Field, platform: Platform): ActionsRunnerSettings {
  const runner = section(field, KEYS);
  if (platform === "linux/arm64" && [runner("image"), runner("tools")].every((own) => textOf(own) === undefined)) {
    throw refusal(
      runner("tools"),
      "is not set, and the Dockerfile of the runner image has checksums of linux/amd64's tools",
      {
        mend: "Set it to an image that holds linux/arm64's, or set image to a runner image made elsewhere",
      },
    );
  }
  return Object.freeze({
    image: imageOf(runner("image")),
    base: imageReferenceOf(runner("base"), OFFICIAL),
    tools: imageReferenceOf(runner("tools"), OFFICIAL),
    certificates: imageReferenceOf(runner("certificates"), OFFICIAL),
    release: releaseOf(runner("version"), runner("released")),
  });
}

function imageOf(field: Field): string | undefined {
  const image = textOf(field);
  if (image === undefined || parsePinnedImage(image) !== undefined) return image;
  throw refusal(field, `is ${JSON.stringify(image)}, but runners run an image by digest`, {
    mend: "Write repository@sha256: and 64 hexadecimal digits, or remove it: the stack then builds images/actions-runner",
  });
}

function releaseOf(version: Field, released: Field): RunnerRelease | undefined {
  if (textOf(version) === undefined && textOf(released) === undefined) return undefined;
  const release = {
    version: requiredText(version, "Write the runner's version beside its date, such as 2.337.0"),
    released: requiredText(released, "Write the day on which GitHub released that version, such as 2026-09-15"),
  };
  if (!/^\d+\.\d+\.\d+$/.test(release.version)) {
    throw refusal(version, `is ${JSON.stringify(release.version)}, which is no version`, {
      mend: "Write three numbers, such as 2.337.0",
    });
  }
  if (!isDay(release.released)) {
    throw refusal(released, `is ${JSON.stringify(release.released)}, which is no day`, {
      mend: 'Write year, month and day in quotes, such as "2026-09-15"',
    });
  }
  return Object.freeze(release);
}

/** A day of the calendar, which the 31st of February is not. */
function isDay(text: string): boolean {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(text) : undefined;
  return day !== undefined && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
