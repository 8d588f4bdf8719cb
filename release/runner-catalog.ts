import { runnerName, type RunnerLanguage } from "./runner-image.ts";
import type { RunnerEnvironment } from "./runner-tag.ts";

/** What a public gallery shows of a repository. */
export interface RunnerCatalog {
  readonly description: string;
  readonly about: string;
  readonly usage: string;
}

const TITLES: Readonly<Record<RunnerLanguage, string>> = {
  dotnet: ".NET",
  golang: "Go",
  java: "Java",
  javascript: "JavaScript and TypeScript",
  python: "Python",
  yaml: "YAML",
};

/** What the gallery says of a language's repository: what is in it, which tags it has, how an image is pinned. */
export function runnerCatalog(
  language: RunnerLanguage,
  place: {
    readonly environment: RunnerEnvironment;
    /** The registry, then its mirrors. */
    readonly registries: readonly string[];
    readonly repository: string;
  },
): RunnerCatalog {
  const { environment, registries, repository } = place;
  const title = TITLES[language];
  const [address = "", ...mirrors] = registries.map((registry) => `${registry}/${runnerName(language)}`);
  const warning = environment === "preproduction" ? ["**To try only.** Images here are replaced and removed.", ""] : [];
  return {
    description: `Pulumi with ${title}, for workers that run as a user without rights${environment === "production" ? "" : ": to try only"}`,
    about: [
      ...warning,
      `Pulumi and ${title} for linux/amd64 and linux/arm64, built by https://github.com/${repository}.`,
      "",
      "- `vX.Y.Z` has Pulumi X.Y.Z; the same version may be built anew. `latest` is the highest of them.",
      "- `vX.Y.Z-` and twelve digits is one build for ever.",
      "- With `-tools` there are Git, SSH and command lines of clouds beside them.",
      ...(mirrors.length === 0 ? [] : ["", `The same images are at ${mirrors.map((at) => `\`${at}\``).join(", ")}.`]),
    ].join("\n"),
    usage: [
      "```sh",
      `docker run --rm -v "$PWD:/work" -w /work ${address}:latest pulumi version`,
      "```",
      "",
      `Pin what you run by its digest: \`${address}@sha256:…\`.`,
    ].join("\n"),
  };
}
