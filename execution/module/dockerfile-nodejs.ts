import { programVersion, type ModuleBases } from "./bases.ts";
import { copiedFiles, networkRun, run, type ModuleStages } from "./dockerfile-parts.ts";
import type { NodejsModule } from "./kind.ts";
import { plainWord } from "./plain-word.ts";

/**
 * Node: dependencies as the lock file has them, those for development too, since a Pulumi program in TypeScript is compiled
 * when it runs.
 */
export function nodejsStages(kind: NodejsModule, bases: ModuleBases): ModuleStages {
  const install = networkRun([...managerCommands(kind, bases), installCommand(kind)], { secrets: ["netrc", "npmrc"] });
  return {
    base: "node",
    build: "node",
    steps: [
      ...(kind.local ? ["COPY . .", ...install] : [copiedFiles(kind.manifests), ...install, "COPY . ."]),
      ...(kind.builds ? run([`${managerProgram(kind)} run build`]) : []),
    ],
    environment: { NODE_ENV: "production" },
  };
}

/** What starts the package manager: of a module that brings Yarn along that one. */
function managerProgram({ packageManager, release }: NodejsModule): string {
  return release === undefined ? packageManager : `node ${plainWord("yarnPath", release)}`;
}

/** npm is in the image; the others come from npm's registry in an exact version. */
function managerCommands(kind: NodejsModule, bases: ModuleBases): readonly string[] {
  const { packageManager: name, managerVersion, release } = kind;
  if (release !== undefined || (name === "npm" && managerVersion === undefined)) return [];
  const version = plainWord("packageManager", managerVersion ?? programVersion(bases, name));
  const from = name === "yarn" && isModernYarn(kind) ? "@yarnpkg/cli-dist" : name;
  return [`npm install --global --no-audit --no-fund ${from}@${version}`];
}

/** From 2 on Yarn is another package with other options. */
function isModernYarn({ managerVersion = "1." }: NodejsModule): boolean {
  return !managerVersion.startsWith("1.");
}

function installCommand(kind: NodejsModule): string {
  const isLocked = kind.lockFile !== undefined;
  const program = managerProgram(kind);
  switch (kind.packageManager) {
    case "npm":
      return isLocked ? "npm ci --no-audit --no-fund" : "npm install --no-audit --no-fund";
    case "yarn":
      if (isModernYarn(kind)) {
        return `YARN_NODE_LINKER=node-modules ${program} install${isLocked ? " --immutable" : ""}`;
      }
      return `${program} install${isLocked ? " --frozen-lockfile" : ""}`;
    case "pnpm":
    case "bun":
      return `${program} install${isLocked ? " --frozen-lockfile" : ""}`;
  }
}
