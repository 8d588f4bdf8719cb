import { KilnError } from "../../errors.ts";
import { unpinnedText } from "../../execution/module/bases.ts";
import { BUILD_SECRETS } from "../../execution/module/dockerfile-parts.ts";
import { Builder } from "../../execution/module/builder.ts";
import { kindName, type ModuleKind } from "../../execution/module/kind.ts";
import { lintDockerfile, PINNED_RULE } from "../../execution/module/lint.ts";
import { parseReference } from "../../registry/image-reference.ts";
import { readyEngine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";
import { PLATFORMS } from "../../toolchain/platforms.ts";
import type { Command, Invocation } from "../command.ts";
import { oneArgument, optional, repeated, required } from "../options.ts";
import { table } from "../printer.ts";

/** `kiln module inspect`: what a directory is, and the Dockerfile that its image would be made by. Needs no engine. */
export const inspectCommand: Command = {
  name: "module inspect",
  summary: "Show what an IaC module is, and the Dockerfile that its image is made by.",
  usage: "DIR",
  options: { dockerfile: { type: "boolean" } },
  help: { dockerfile: "print the Dockerfile alone" },
  async run({ values, positionals }) {
    const directory = oneArgument(positionals, "DIR");
    const inspection = await new Builder().inspect(directory);
    const { kind, dockerfile, source, files, unpinned } = inspection;
    const findings = lintDockerfile(dockerfile);
    const json = { kind, source, files, unpinned, dockerfile, findings };
    if (values.dockerfile === true) return { json, text: dockerfile.trimEnd() };
    const rows = [
      ["module", directory],
      ["kind", kindName(kind)],
      ...factsOf(kind),
      ["source", `${source} (${files.length} files)`],
      ...findings
        .filter(({ code }) => code !== PINNED_RULE || unpinned.length === 0)
        .map(({ code, line, message }) => [`line ${line}`, `${code}: ${message}`]),
      ...(unpinned.length === 0 ? [] : [["bases", unpinnedText(unpinned)]]),
      ...kind.notes.map((note) => ["note", note]),
    ];
    return { json, text: `${table(rows)}\n\n${dockerfile.trimEnd()}` };
  },
};

/** `kiln module build`: the image of a module. */
export const buildCommand: Command = {
  name: "module build",
  summary: "Build the container image of an IaC module.",
  usage: "DIR --tag REF",
  options: {
    tag: { type: "string" },
    platform: { type: "string", multiple: true },
    push: { type: "boolean" },
    "base-image": { type: "string" },
    "build-image": { type: "string" },
    dockerfile: { type: "string" },
    secret: { type: "string", multiple: true },
    "loopback-hosts": { type: "boolean" },
  },
  help: {
    tag: "the image's name: repository:tag",
    platform: `${PLATFORMS.join(" or ")}; repeat it for several, which needs --push (default: this machine's)`,
    push: "push it to its registry",
    "base-image": "what the module runs on, in place of the pinned public image",
    "build-image": "what it is built on; for Go a warm IaC runner image saves the compiling",
    dockerfile: "generated, or own: the module's Dockerfile, with the entrypoint put on top (default: generated)",
    secret: `ID=FILE, a login that build steps read: ${Object.keys(BUILD_SECRETS).join(", ")}; repeat it for several`,
    "loopback-hosts":
      "put kiln's stand-ins for Pulumi's hosts in, for tests; such an image is marked and leaves no machine",
  },
  async run({ values, positionals, progress }) {
    const directory = oneArgument(positionals, "DIR");
    const tag = required(values, "tag");
    parseReference(tag);
    const request = {
      ...{ directory, tag, platforms: platformsOf(values), secrets: secretsOf(values), progress },
      ...{ baseImage: optional(values, "base-image"), buildImage: optional(values, "build-image") },
      ...{ dockerfile: dockerfileOf(values), push: values.push === true },
      loopbackHosts: values["loopback-hosts"] === true,
    };
    const engine = await readyEngine({ places: places(), progress });
    const built = await new Builder().build({ ...request, engine });
    const rows = [
      ["image", built.image],
      ["digest", built.digest],
      ["kind", kindName(built.kind)],
      ...Object.entries(built.labels),
    ];
    return { json: built, text: table(rows) };
  },
};

export const moduleBuildCommands: readonly Command[] = [inspectCommand, buildCommand];

function platformsOf(values: Invocation["values"]): readonly string[] | undefined {
  const named = [...new Set(repeated(values, "platform"))];
  const unknown = named.find((platform) => !(PLATFORMS as readonly string[]).includes(platform));
  if (unknown === undefined) return named.length === 0 ? undefined : named;
  throw new KilnError("usage", `--platform ${unknown} is none that kiln builds for`, {
    mend: `Choose of: ${PLATFORMS.join(", ")}.`,
  });
}

function secretsOf(values: Invocation["values"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    repeated(values, "secret").map((text) => {
      const [, id = "", file = ""] = /^(\w+)=(.+)$/.exec(text) ?? [];
      if (Object.hasOwn(BUILD_SECRETS, id)) return [id, file];
      throw new KilnError("usage", `--secret ${text.split("=")[0] ?? ""} is no login that builds read`, {
        mend: `Write ID=FILE with one of: ${Object.keys(BUILD_SECRETS).join(", ")}.`,
      });
    }),
  );
}

function dockerfileOf(values: Invocation["values"]): "generated" | "own" {
  const named = optional(values, "dockerfile") ?? "generated";
  if (named === "generated" || named === "own") return named;
  throw new KilnError("usage", `--dockerfile ${named} is none of its values`, { mend: "Choose generated or own." });
}

function factsOf(kind: ModuleKind): readonly (readonly string[])[] {
  if (kind.tool === "opentofu") return [["lock file", kind.lockFile ?? "none"]];
  const lock = "lockFile" in kind ? [["lock file", kind.lockFile ?? "none"]] : [];
  return [["project", `${kind.project} (${kind.projectFile})`], ...lock];
}
