import { isMap, parsedMap } from "../../cache/document.ts";
import { encoded, goModule, type Package } from "./package.ts";

/** Files by which package managers and images themselves say what is installed, and how each is read. */
const LISTINGS: readonly {
  readonly file: RegExp;
  readonly read: (text: string, file: string) => readonly Package[];
}[] = [
  { file: /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/, read: npmPackages },
  { file: /\.dist-info\/METADATA$/, read: pythonPackages },
  { file: /^usr\/local\/share\/kiln\/language-runner\.json$/, read: runnerPrograms },
];

/** What the distribution put there, dpkg lists already. */
const DISTRIBUTION = /^usr\/(?:lib|share)\//;

/**
 * What reads a file of an image that says what is installed there; nothing for any other file. A text that does not say it, as
 * everybody may have such files, gives no package. `file` is the path without a slash in front.
 */
export function installedReader(file: string): ((text: string) => readonly Package[]) | undefined {
  if (DISTRIBUTION.test(file)) return undefined;
  const listing = LISTINGS.find((one) => one.file.test(file));
  return listing && ((text) => listing.read(text, file));
}

function npmPackages(text: string, file: string): readonly Package[] {
  const { name, version } = parsedMap(text);
  if (typeof name !== "string" || typeof version !== "string") return [];
  const purl = `pkg:npm/${name.split("/").map(encoded).join("/")}@${encoded(version)}`;
  return [{ name, version, purl, foundIn: file }];
}

/** A distribution of Python's, by the head of its core metadata. */
function pythonPackages(text: string, file: string): readonly Package[] {
  const [head = ""] = text.split(/\r?\n\r?\n/, 1);
  const field = (key: string) => new RegExp(`^${key}: *(.*?) *\\r?$`, "m").exec(head)?.[1];
  const [name, version] = [field("Name"), field("Version")];
  return name === undefined || version === undefined ? [] : [pythonPackage(name, version, file)];
}

/** Programs of a language runner of which no package manager knows, and no file but the one that its build wrote. */
const PROGRAMS: Readonly<Record<string, (version: string, file: string) => Package>> = {
  dotnet: (version, file) => genericPackage("dotnet-sdk", version, file),
  kubectl: (version, file) => goModule(`k8s.io/kubernetes@v${version}`, file),
  node: (version, file) => genericPackage("node", version, file),
  uv: (version, file) => pythonPackage("uv", version, file),
};

function runnerPrograms(text: string, file: string): readonly Package[] {
  const { pulumi, programs } = parsedMap(text);
  const named = isMap(programs) ? Object.entries(programs) : [];
  return [
    ...(typeof pulumi === "string" ? [goModule(`github.com/pulumi/pulumi/pkg/v3@v${pulumi}`, file)] : []),
    ...named.flatMap(([name, version]) =>
      typeof version === "string" && Object.hasOwn(PROGRAMS, name) ? (PROGRAMS[name]?.(version, file) ?? []) : [],
    ),
  ];
}

function pythonPackage(name: string, version: string, foundIn: string): Package {
  const normal = name.toLowerCase().replaceAll(/[-_.]+/g, "-");
  return { name, version, purl: `pkg:pypi/${encoded(normal)}@${encoded(version)}`, foundIn };
}

function genericPackage(name: string, version: string, foundIn: string): Package {
  return { name, version, purl: `pkg:generic/${name}@${encoded(version)}`, foundIn };
}
