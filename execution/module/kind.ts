/** What a module is, as far as its image depends on it. Made by `detectKind`; nothing here is of one machine. */
export type ModuleKind = PulumiModule | TofuModule;

export type PulumiModule = NodejsModule | PythonModule | GoModule | DotnetModule | JavaModule | YamlModule;

interface PulumiProject {
  readonly tool: "pulumi";
  /** The name in the project file. */
  readonly project: string;
  /** `Pulumi.yaml` or `Pulumi.yml`. */
  readonly projectFile: string;
  /** What a person should know, such as a missing lock file. */
  readonly notes: readonly string[];
}

export const NODE_MANAGERS = ["npm", "pnpm", "yarn", "bun"] as const;
export type NodeManager = (typeof NODE_MANAGERS)[number];

export interface NodejsModule extends PulumiProject {
  readonly runtime: "nodejs";
  readonly packageManager: NodeManager;
  /** The exact version that package.json, or the name of a committed release, says. */
  readonly managerVersion?: string | undefined;
  /** The program of Yarn that the module brings along, below it: Yarn starts no other. */
  readonly release?: string | undefined;
  readonly lockFile?: string | undefined;
  /** Files that an installation reads, sorted: manifest, lock file, settings of the package manager. */
  readonly manifests: readonly string[];
  /** Whether an installation reads more of the module than `manifests`, such as packages that stand in it. */
  readonly local: boolean;
  /** Whether the program is made by `scripts.build`: its entry is a file that the module does not have. */
  readonly builds: boolean;
}

export const PYTHON_MANAGERS = ["pip", "uv", "poetry"] as const;
export type PythonManager = (typeof PYTHON_MANAGERS)[number];

export interface PythonModule extends PulumiProject {
  readonly runtime: "python";
  readonly packageManager: PythonManager;
  readonly lockFile?: string | undefined;
  readonly manifests: readonly string[];
  /** Whether an installation reads more of the module than `manifests`, such as packages that stand in it. */
  readonly local: boolean;
  /** The folder of the virtual environment, below the module. */
  readonly virtualenv: string;
}

export interface GoModule extends PulumiProject {
  readonly runtime: "go";
  /** The package to build, below the module: `.` or `./cmd`. */
  readonly package: string;
}

export interface DotnetModule extends PulumiProject {
  readonly runtime: "dotnet";
  /** `main.csproj` and the like. */
  readonly buildFile: string;
  /** Such as `9.0`. */
  readonly version: string;
  readonly assembly: string;
  readonly lockFile?: string | undefined;
}

export interface JavaModule extends PulumiProject {
  readonly runtime: "java";
  readonly packageManager: "maven" | "gradle";
  readonly buildFile: string;
  readonly mainClass: string;
}

export interface YamlModule extends PulumiProject {
  readonly runtime: "yaml";
}

export interface TofuModule {
  readonly tool: "opentofu";
  readonly runtime: "hcl";
  readonly lockFile?: string | undefined;
  readonly notes: readonly string[];
}

/** What a person calls it: `pulumi nodejs (pnpm)`, `opentofu`. */
export function kindName(kind: ModuleKind): string {
  if (kind.tool === "opentofu") return "opentofu";
  const manager = "packageManager" in kind ? ` (${kind.packageManager})` : "";
  return `pulumi ${kind.runtime}${manager}`;
}
