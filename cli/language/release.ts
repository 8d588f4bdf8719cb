import { EXIT, KilnError } from "../../errors.ts";
import { buildLanguageImage } from "../../execution/language/builder.ts";
import { engineImage } from "../../execution/engine-image.ts";
import { checkLanguageImage } from "../../execution/language/check.ts";
import kilnPackage from "../../package.json" with { type: "json" };
import { pushLanguageImage } from "../../execution/language/push.ts";
import { publishRunner } from "../../release/runner-publish.ts";
import {
  RUNNER_LANGUAGES,
  RUNNER_VARIANTS,
  runnerRelease,
  type RunnerRelease,
  type RunnerTarget,
} from "../../release/runner-image.ts";
import { requireReady } from "../../release/runner-readiness.ts";
import { parseRunnerTag } from "../../release/runner-tag.ts";
import type { Progress } from "../../progress.ts";
import { engineEnvironment, readyEngine, type Engine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command, Invocation } from "../command.ts";
import { noArguments, repeated, required } from "../options.ts";
import { table } from "../printer.ts";
import { packageReader } from "../release/package-reader.ts";
import { REGISTRY_HELP, REGISTRY_OPTION, registriesOf } from "../release/plan.ts";
import { isScanLeftOut, readVex, readyScanner, scanText, type ImageScanner } from "../release/scan.ts";
import { baseOf, CONTENT, CONTENT_HELP, languageNamed, platformOf, readContent, variantNamed } from "./selection.ts";

/** How one image of a release ended. */
interface Ending {
  readonly language: string;
  readonly variant: string;
  readonly result: "published" | "failed";
  /** The build tag, or what is wrong. */
  readonly detail: string;
  readonly kind?: KilnError["kind"];
}

/** `kiln language release`: what the workflow does, on this machine and for its platform. */
export const languageReleaseCommand: Command = {
  name: "language release",
  summary:
    "Build, check, scan, push and publish the language runners of a tag here. One that fails does not stop the next.",
  usage: "--tag TAG [--language L]… [--variant V]… [--registry ENVIRONMENT=ADDRESS]… [--allow-older]",
  options: {
    ...CONTENT,
    tag: { type: "string" },
    language: { type: "string", multiple: true },
    variant: { type: "string", multiple: true },
    ...REGISTRY_OPTION,
    "allow-older": { type: "boolean" },
  },
  help: {
    tag: "the Git tag: v1.2.3, latest-v1.2.3 or dev-v1.2.3",
    language: "only this language; repeat it for several (default: all)",
    variant: "only this variant (default: both)",
    ...REGISTRY_HELP,
    "allow-older": "let latest go back to an older version",
    ...CONTENT_HELP,
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const release = await releaseOf(values);
    const base = baseOf(values);
    for (const target of release.targets) requireReady(target, base);
    const here = places();
    // Before hours of building: a database that cannot be had ends the release.
    const scanner = isScanLeftOut(process.env)
      ? undefined
      : await readyScanner({ acceptances: await readVex(here.project), places: here, progress });
    const engine = await readyEngine({ places: here, progress });
    const endings: Ending[] = [];
    for (const target of release.targets) {
      const { language, variant } = target;
      try {
        const detail = await releaseTarget(values, { release, target, engine, scanner, progress });
        endings.push({ language, variant, result: "published", detail });
      } catch (error) {
        if (!(error instanceof KilnError) || error.kind === "interrupted") throw error;
        progress.note(`${language} ${variant}: ${error.message}`);
        endings.push({ language, variant, result: "failed", detail: error.message, kind: error.kind });
      }
    }
    const failed = endings.filter(({ result }) => result === "failed");
    const rows = endings.map(({ language, variant, result, detail }) => [
      language,
      variant,
      result,
      detail.split("\n", 1)[0] ?? "",
    ]);
    const unseen = scanner === undefined ? "; vulnerabilities not looked for, as KILN_VULNERABILITY_DB is none" : "";
    const count = `${endings.length - failed.length} published, ${failed.length} failed${unseen}`;
    const [first] = failed;
    return {
      json: { tag: release.tag, scanned: scanner !== undefined, images: endings },
      text: `${table(rows)}\n${release.tag}: ${count}`,
      exitCode: first === undefined ? EXIT.done : EXIT[first.kind ?? "failed"],
    };
  },
};

async function releaseOf(values: Invocation["values"]): Promise<RunnerRelease> {
  const tag = parseRunnerTag(required(values, "tag"));
  const languages = repeated(values, "language").map(languageNamed);
  const variants = repeated(values, "variant").map(variantNamed);
  return runnerRelease(tag, {
    registries: await registriesOf(values),
    languages: languages.length > 0 ? languages : RUNNER_LANGUAGES,
    variants: variants.length > 0 ? variants : RUNNER_VARIANTS,
  });
}

/** Releases one image, and returns its build tag. Nothing is pushed before it was checked and scanned. */
async function releaseTarget(
  values: Invocation["values"],
  at: {
    readonly release: RunnerRelease;
    readonly target: RunnerTarget;
    readonly engine: Engine;
    /** Nothing where vulnerabilities are not looked for. */
    readonly scanner: ImageScanner | undefined;
    readonly progress: Progress;
  },
): Promise<string> {
  const { release, target, engine, scanner, progress } = at;
  const { language, variant } = target;
  const here = places();
  const content = await readContent(values, here.project, { language, variant, platform: platformOf(values) });
  const request = { ...content, pulumiVersion: release.version.text };
  const title = `runner-pulumi-${language}`;
  const image = `kiln-${title}:${variant}-${release.version.text}`;
  const { build } = await buildLanguageImage(image, request, { engine, places: here, progress });
  const expected = { ...build, language, variant };
  const findings = await checkLanguageImage(
    { docker: engine.docker, env: engineEnvironment(engine) },
    { image, language, variant, expected, project: here.project, progress },
  );
  const wrong = findings.filter(({ status }) => status === "failed");
  if (wrong.length > 0) {
    const said = wrong.map(({ what, detail }) => `${what}: ${detail}`).join("; ");
    throw new KilnError("difference", `${image} is not as it must be: ${said}`, {
      mend: "`kiln language check` shows it all.",
    });
  }
  if (scanner !== undefined) await requireSound(scanner, image, { engine, product: title, progress });
  const client = { regctl: (await resolveTool("regctl", { places: here, progress })).path };
  const base = baseOf(values);
  const pushed = await pushLanguageImage({ engine, client, image, release, target, ...base, progress });
  const published = await publishRunner({
    ...{
      client,
      release,
      target,
      images: [pushed],
      allowOlder: values["allow-older"] === true,
      now: new Date(),
      progress,
    },
    ...base,
    ...{ version: kilnPackage.version, readPackages: packageReader(client, here, progress) },
  });
  return published.buildTag;
}

/** Throws for an image of the engine with something high or critical that can be mended. Nobody else can have it yet. */
async function requireSound(
  scanner: ImageScanner,
  image: string,
  { engine, ...options }: { readonly engine: Engine; readonly product: string; readonly progress: Progress },
): Promise<void> {
  const scan = await scanner.scan(await engineImage(engine, image, options));
  if (scan.passed) return;
  options.progress.note(scanText(scan));
  const count = scan.failing.length + scan.expired.length;
  throw new KilnError("difference", `${image} has ${count} vulnerabilities, high or critical, that can be mended`, {
    mend: "Raise what has them, or accept them: docs/vulnerabilities.md.",
  });
}
