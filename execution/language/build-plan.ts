import { KilnError } from "../../errors.ts";
import type { RunnerLanguage, RunnerVariant } from "../../release/runner-image.ts";
import { runnerName } from "../../release/runner-image.ts";
import type { Platform } from "../../toolchain/platforms.ts";
import {
  catalogueBase,
  type Archive,
  type Catalogue,
  type CatalogueDownload,
  type LanguageProgram,
} from "./catalogue.ts";

/** The release of Pulumi that goes into an image, as the vendor publishes it for the image's platform. */
export interface PulumiRelease {
  /** Without a v. */
  readonly version: string;
  readonly archive: Archive;
}

/** What an image is asked to be. */
export interface LanguageChoice {
  readonly language: RunnerLanguage;
  readonly variant: RunnerVariant;
  readonly platform: Platform;
  readonly pulumi: PulumiRelease;
  /** Clouds whose command-line tools go in; for the variant `tools`. */
  readonly clouds?: readonly string[];
  /** Provider plugins that a run shall find without a network, by their archive's name without ending. */
  readonly plugins?: Readonly<Record<string, Archive>>;
  /** In place of the catalogue's user. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** In place of the catalogue's public base. */
  readonly base?: string | undefined;
  /** An image of what need not be downloaded; `hosts` are the files of Pulumi that it has beside `pulumi`. */
  readonly provided?:
    { readonly image: string; readonly hosts: readonly string[]; readonly loopback: boolean } | undefined;
  /** An image with `/ca.crt`, which downloads trust. */
  readonly certificates?: string | undefined;
  /** Where the Dockerfile comes from, and the commit. */
  readonly source?: string | undefined;
  readonly revision?: string | undefined;
}

/** A build of images/pulumi-runner. */
export interface LanguageBuild {
  /** The stage to build. */
  readonly target: RunnerLanguage;
  readonly args: Readonly<Record<string, string>>;
  /** Megabytes of the files that are added to the base; the build fails above. */
  readonly budget: number;
  /** What the image must say of its programs, `pulumi` among them. */
  readonly programs: Readonly<Record<string, LanguageProgram>>;
  readonly uid: number;
  readonly gid: number;
}

/** What images/pulumi-runner is built with for a choice. Pure; throws a usage error where the catalogue has no such thing. */
export function languageBuild(catalogue: Catalogue, choice: LanguageChoice): LanguageBuild {
  const { language, variant, platform, pulumi, provided, clouds = [], plugins = {} } = choice;
  const own = catalogue.languages[language];
  const parts = [own, ...(variant === "tools" ? [catalogue.tools] : []), ...cloudParts(catalogue, variant, clouds)];
  const packages = [...new Set([...catalogue.packages, ...parts.flatMap((part) => part.packages)])].sort();
  const downloads = parts.flatMap((part) => part.downloads);
  const budget =
    own.budget[variant] + cloudParts(catalogue, variant, clouds).reduce((sum, cloud) => sum + cloud.budget, 0);
  const programs = Object.fromEntries(parts.flatMap((part) => Object.entries(part.programs)));
  const [uid, gid] = [choice.uid ?? catalogue.user.uid, choice.gid ?? choice.uid ?? catalogue.user.gid];
  const hosts = provided?.hosts ?? own.hosts;
  const versions = Object.fromEntries(Object.entries(programs).map(([name, { version }]) => [name, version]));
  const content = {
    language,
    variant,
    platform,
    pulumi: pulumi.version,
    programs: versions,
    clouds,
    plugins: Object.keys(plugins),
  };
  return {
    target: language,
    budget,
    programs: { pulumi: { version: pulumi.version, ask: ["pulumi", "version"] }, ...programs },
    ...{ uid, gid },
    args: {
      BASE_IMAGE: choice.base ?? catalogueBase(catalogue),
      BUDGET_MEGABYTES: String(budget),
      CONTENT: JSON.stringify(content),
      LANGUAGE: language,
      LANGUAGE_DOWNLOADS: downloads.map((name) => catalogueLine(catalogue, name, platform)).join("\n"),
      LOOPBACK_HOSTS: String(provided?.loopback ?? false),
      PACKAGES: packages.join(" "),
      PULUMI_DOWNLOAD: downloadLine("pulumi", pulumiDownload(pulumi, hosts), pulumi.archive),
      PULUMI_VERSION: pulumi.version,
      RUNNER_GID: String(gid),
      RUNNER_UID: String(uid),
      TITLE: runnerName(language),
      VARIANT: variant,
      ...baseLabels(choice.base ?? catalogueBase(catalogue)),
      ...(choice.certificates === undefined ? {} : { CA_IMAGE: choice.certificates }),
      ...(provided === undefined ? {} : { PROVIDED_IMAGE: provided.image }),
      ...(Object.keys(plugins).length === 0 ? {} : { PLUGIN_DOWNLOADS: pluginLines(plugins) }),
      ...(choice.revision === undefined ? {} : { REVISION: choice.revision }),
      ...(choice.source === undefined ? {} : { SOURCE: choice.source }),
    },
  };
}

function cloudParts(catalogue: Catalogue, variant: RunnerVariant, clouds: readonly string[]) {
  if (clouds.length > 0 && variant !== "tools") {
    throw new KilnError("usage", `a ${variant} image has no tools of ${clouds.join(", ")}`, {
      mend: "Choose the variant tools.",
    });
  }
  return clouds.map((name) => {
    const cloud = catalogue.clouds[name];
    if (cloud !== undefined) return cloud;
    throw new KilnError("usage", `there are no tools of the cloud ${name}`, {
      mend: `Choose of: ${Object.keys(catalogue.clouds).join(", ")}.`,
    });
  });
}

function baseLabels(base: string): Readonly<Record<string, string>> {
  const [name = "", digest] = base.split("@");
  return { BASE_NAME: name, ...(digest === undefined ? {} : { BASE_DIGEST: digest }) };
}

function pulumiDownload(pulumi: PulumiRelease, hosts: readonly string[]): CatalogueDownload {
  const files = ["pulumi", ...hosts].map((name) => [name, `/usr/local/bin/${name.replace("?", "")}`] as const);
  const nothing = { folder: undefined, links: {}, programs: [], archives: {} };
  return { version: pulumi.version, format: "tar.gz", strip: 1, files: Object.fromEntries(files), ...nothing };
}

function pluginLines(plugins: Readonly<Record<string, Archive>>): string {
  const lines = Object.entries(plugins).map(([name, archive]) => {
    const folder = `/usr/local/lib/pulumi/plugins/${name.replace(/^pulumi-/, "")}`;
    const program = name.replace(/-v\d.*$/, "");
    const download = {
      version: "",
      format: "tar.gz",
      strip: 0,
      folder,
      files: {},
      links: {},
      programs: [program],
    } as const;
    return downloadLine(name, { ...download, archives: {} }, archive);
  });
  return lines.sort().join("\n");
}

function catalogueLine(catalogue: Catalogue, name: string, platform: Platform): string {
  const download = catalogue.downloads[name];
  const archive = download?.archives[platform];
  if (download !== undefined && archive !== undefined) return downloadLine(name, download, archive);
  throw new KilnError("usage", `the catalogue has no ${name} for ${platform}`, { mend: "Pin it in languages.json." });
}

/** One line for images/pulumi-runner/build/downloads, whose comment says what its fields are. */
function downloadLine(name: string, download: CatalogueDownload, { url, algorithm, checksum }: Archive): string {
  const pairs = (values: Readonly<Record<string, string>>) =>
    Object.entries(values)
      .map(([from, to]) => `${from}=${to}`)
      .join(" ");
  const { format, strip, folder = "", files, links, programs } = download;
  return [name, url, algorithm, checksum, format, strip, folder, pairs(files), pairs(links), programs.join(" ")].join(
    "|",
  );
}
