import { programVersion, type ModuleBases } from "./bases.ts";
import { copiedFiles, networkRun, run, type ModuleStages } from "./dockerfile-parts.ts";
import type { NodejsModule } from "./kind.ts";

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
      ...(kind.builds ? run([`${kind.packageManager} run build`]) : []),
    ],
    environment: { NODE_ENV: "production" },
  };
}

/** npm is in the image; the others come from npm's registry in an exact version. */
function managerCommands(kind: NodejsModule, bases: ModuleBases): readonly string[] {
  const { packageManager: name, managerVersion } = kind;
  if (name === "npm") return managerVersion === undefined ? [] : [installed(`npm@${managerVersion}`)];
  const version = managerVersion ?? programVersion(bases, name);
  // From 2 on Yarn is another package.
  const from = name === "yarn" && !version.startsWith("1.") ? "@yarnpkg/cli-dist" : name;
  return [installed(`${from}@${version}`)];
}

function installed(program: string): string {
  return `npm install --global --no-audit --no-fund ${program}`;
}

function installCommand({ packageManager, managerVersion = "1", lockFile }: NodejsModule): string {
  const isLocked = lockFile !== undefined;
  switch (packageManager) {
    case "npm":
      return isLocked ? "npm ci --no-audit --no-fund" : "npm install --no-audit --no-fund";
    case "pnpm":
      return isLocked ? "pnpm install --frozen-lockfile" : "pnpm install";
    case "yarn":
      if (managerVersion.startsWith("1")) return isLocked ? "yarn install --frozen-lockfile" : "yarn install";
      return `YARN_NODE_LINKER=node-modules yarn install${isLocked ? " --immutable" : ""}`;
    case "bun":
      return isLocked ? "bun install --frozen-lockfile" : "bun install";
  }
}
