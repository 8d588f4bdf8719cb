import { EXIT } from "../../errors.ts";
import { buildLanguageImage, readyLanguageBuild } from "../../execution/language/builder.ts";
import { languageBuild } from "../../execution/language/build-plan.ts";
import { catalogue } from "../../execution/language/catalogue.ts";
import { checkLanguageImage } from "../../execution/language/check.ts";
import { pinnedPulumi } from "../../execution/language/pulumi-release.ts";
import type { Finding } from "../../execution/language/structure.ts";
import { engineEnvironment, readyEngine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";
import type { Command } from "../command.ts";
import { noArguments, required } from "../options.ts";
import { table } from "../printer.ts";
import { CONTENT, CONTENT_HELP, languageOf, platformOf, readContent, variantOf } from "./selection.ts";

const IMAGE: Command["options"] = {
  language: { type: "string" },
  variant: { type: "string" },
  image: { type: "string" },
};
const IMAGE_HELP: Command["help"] = {
  language: `one of ${Object.keys(catalogue.languages).join(", ")}`,
  variant: "slim or tools (default: slim)",
  image: "the image's name in the engine",
};

/** `kiln language build`. */
export const languageBuildCommand: Command = {
  name: "language build",
  summary: "Build a Pulumi language runner by the catalogue; fails where it is larger than its budget.",
  usage: "--language L [--variant V] --image REF",
  options: { ...IMAGE, ...CONTENT, "dry-run": { type: "boolean" } },
  help: { ...IMAGE_HELP, ...CONTENT_HELP, "dry-run": "print the docker command, and build nothing" },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const here = places();
    const image = required(values, "image");
    const chosen = { language: languageOf(values), variant: variantOf(values), platform: platformOf(values) };
    const request = await readContent(values, here.project, chosen);
    const engine = await readyEngine({ places: here, progress });
    const at = { engine, places: here, progress };
    if (values["dry-run"] === true) {
      const { target, args } = await readyLanguageBuild(request, at);
      const flags = Object.entries(args).map(([name, value]) => `  --build-arg ${name}=${quoted(value)} \\`);
      const head = `docker build --target ${target} --platform ${request.platform} --tag ${quoted(image)} \\`;
      return { json: { image, target, args }, text: [head, ...flags, "  images/pulumi-runner"].join("\n") };
    }
    const { build } = await buildLanguageImage(image, request, at);
    const programs = Object.entries(build.programs).map(([name, { version }]) => [name, version]);
    return {
      json: { image, target: build.target, args: build.args, budget: build.budget, programs: build.programs },
      text: table([["image", image], ["budget", `${build.budget} MB`], ...programs]),
    };
  },
};

/** `kiln language check`. */
export const languageCheckCommand: Command = {
  name: "language check",
  summary:
    "Look a language runner over and preview a program in it, as every kind of user. Exit code 3 where one thing is wrong.",
  usage: "--language L [--variant V] --image REF",
  options: { ...IMAGE, ...CONTENT },
  help: { ...IMAGE_HELP, ...CONTENT_HELP },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const here = places();
    const [image, language, variant, platform] = [
      required(values, "image"),
      languageOf(values),
      variantOf(values),
      platformOf(values),
    ];
    const request = await readContent(values, here.project, { language, variant, platform });
    const pinned = pinnedPulumi(platform);
    const pulumi = { ...pinned, version: request.pulumiVersion ?? pinned.version };
    const { clouds = [], uid, gid } = request;
    const build = languageBuild(catalogue, { language, variant, platform, pulumi, clouds, uid, gid });
    const engine = await readyEngine({ places: here, progress });
    const findings = await checkLanguageImage(
      { docker: engine.docker, env: engineEnvironment(engine) },
      { image, language, variant, expected: { ...build, language, variant }, project: here.project, progress },
    );
    const failed = findings.filter(({ status }) => status === "failed").length;
    return {
      json: { image, findings, failed },
      text: findingsText(image, findings),
      exitCode: failed === 0 ? EXIT.done : EXIT.difference,
    };
  },
};

/** What was found, in lines for a person. */
export function findingsText(image: string, findings: readonly Finding[]): string {
  const rows = findings.map(({ status, what, detail }) => [
    status,
    what,
    detail.replaceAll("\n", `\n${" ".repeat(8)}`),
  ]);
  const count = (status: Finding["status"]) => findings.filter((finding) => finding.status === status).length;
  const skipped = count("skipped") === 0 ? "" : `, ${count("skipped")} skipped`;
  return `${table(rows)}\n${image}: ${count("ok")} right, ${count("failed")} wrong${skipped}`;
}

function quoted(text: string): string {
  return /^[\w./:@=+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
