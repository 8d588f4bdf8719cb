import { messageOf } from "../../errors.ts";
import { yarnSettings } from "./detect-yarn.ts";
import { present, projectFields, refused, type ProjectSource } from "./files.ts";
import { NODE_MANAGERS, type NodejsModule, type NodeManager } from "./kind.ts";
import { textOption } from "./pulumi-project.ts";

const LOCK_FILES: Readonly<Record<NodeManager, readonly string[]>> = {
  npm: ["npm-shrinkwrap.json", "package-lock.json"],
  pnpm: ["pnpm-lock.yaml"],
  yarn: ["yarn.lock"],
  bun: ["bun.lock", "bun.lockb"],
};

/** What an installation reads beside the manifest and the lock file. */
const SETTINGS = [".npmrc", ".yarnrc.yml", ".yarnrc", ".pnpmfile.cjs", "pnpm-workspace.yaml", "bunfig.toml"];

interface PackageManifest {
  readonly main?: unknown;
  readonly packageManager?: unknown;
  readonly scripts?: Readonly<Record<string, unknown>>;
}

/**
 * A Node module. Its package manager is what the project's options name, else the `packageManager` of package.json, else
 * whose lock file is there; npm where there is none.
 */
export function nodejsModule(source: ProjectSource): NodejsModule {
  const { files } = source;
  const manifest = readManifest(source);
  const option = textOption(source.project, "packagemanager", source.where, NODE_MANAGERS);
  const named = namedManager(source, manifest.packageManager);
  const packageManager = option ?? named?.name ?? managerOfLock(source);
  const [lockFile] = present(files, LOCK_FILES[packageManager]);
  const others = NODE_MANAGERS.filter((name) => name !== packageManager && present(files, LOCK_FILES[name]).length > 0);
  if (lockFile === undefined && others.length > 0) {
    throw refused(
      source,
      `${packageManager} is the package manager, but the lock file is that of ${others.join(" and ")}`,
      `Commit the lock file of ${packageManager}, or name the package manager whose lock file is there.`,
    );
  }
  const notes =
    lockFile === undefined ? [`no lock file of ${packageManager}: each build takes the newest versions`] : [];
  const version = named?.name === packageManager ? named.version : undefined;
  const { local, ...program } = packageManager === "yarn" ? yarnProgram(source, version) : otherProgram(version);
  return {
    ...projectFields(source, notes),
    runtime: "nodejs",
    packageManager,
    ...program,
    lockFile,
    manifests: present(files, ["package.json", ...(lockFile === undefined ? [] : [lockFile]), ...SETTINGS]),
    local: local || isLocal(source),
    builds: isBuilt(source, manifest),
  };
}

function otherProgram(managerVersion: string | undefined) {
  return { managerVersion, release: undefined, local: false };
}

/** Yarn starts the program that its settings name, whatever is installed; from 2 on there is no version by default. */
function yarnProgram(source: ProjectSource, named: string | undefined) {
  const { release, modern, local } = yarnSettings(source);
  const managerVersion = release?.version ?? named;
  if (managerVersion === undefined && (modern || release !== undefined)) {
    const seen = release === undefined ? ".yarnrc.yml is there" : `${release.path} is named`;
    throw refused(
      source,
      `${seen}, and no version of Yarn`,
      "Set packageManager of package.json, such as yarn@4.9.2, or commit a release by `yarn set version`.",
    );
  }
  return { managerVersion, release: release?.path, local };
}

function readManifest(source: ProjectSource): PackageManifest {
  const text = source.files.texts.get("package.json");
  if (text === undefined) {
    throw refused(source, "a nodejs module without package.json", "Run `npm init` there and install @pulumi/pulumi.");
  }
  try {
    return (JSON.parse(text) as PackageManifest | null) ?? {};
  } catch (cause) {
    throw refused(source, `package.json is no JSON: ${messageOf(cause)}`, "Correct package.json.");
  }
}

/** `pnpm@9.1.0+sha512.…`, as corepack has it. */
function namedManager(source: ProjectSource, value: unknown): { name: NodeManager; version: string } | undefined {
  if (value === undefined) return undefined;
  const [, name, version] =
    /^(npm|pnpm|yarn|bun)@(\d+\.\d+\.\d+[\w.-]*)(?:\+[\w.]+)?$/.exec(typeof value === "string" ? value : "") ?? [];
  if (name !== undefined && version !== undefined) return { name: name as NodeManager, version };
  throw refused(
    source,
    `packageManager of package.json is ${JSON.stringify(value)}`,
    "Write npm, pnpm, yarn or bun with an exact version, such as pnpm@10.23.0.",
  );
}

function managerOfLock(source: ProjectSource): NodeManager {
  const locked = NODE_MANAGERS.filter((name) => present(source.files, LOCK_FILES[name]).length > 0);
  const [only = "npm"] = locked;
  if (locked.length < 2) return only;
  const names = locked.flatMap((name) => present(source.files, LOCK_FILES[name]));
  throw refused(
    source,
    `the package manager is ambiguous: there are ${names.join(" and ")}`,
    "Keep one lock file, or set runtime.options.packagemanager or the packageManager of package.json.",
  );
}

/** Whether dependencies stand in the module itself: workspaces, and packages that are named by their place. */
function isLocal(source: ProjectSource): boolean {
  const text = source.files.texts.get("package.json") ?? "";
  const isNamed =
    /"(file|link|portal|workspace|patch):|"(workspaces|patchedDependencies|(pre|post)?(install|prepare)|prepublish)"\s*:/.test(
      text,
    );
  return isNamed || source.files.names.has("pnpm-workspace.yaml");
}

/** Pulumi runs what `main` names. Where that is not among the sources and a script builds, the script makes it. */
function isBuilt(source: ProjectSource, { main, scripts }: PackageManifest): boolean {
  const entry = source.project.main ?? main;
  if (typeof entry !== "string" || typeof scripts?.build !== "string") return false;
  return /^(\.\/)?(bin|dist|build|lib|out)(\/|$)/.test(entry);
}
