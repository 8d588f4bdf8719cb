import { symlink } from "node:fs/promises";
import path from "node:path";
import { expect } from "vitest";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { executablesOnPath } from "../../toolchain/executables.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const TOOLS = ["pulumi", "tofu", "terraform", "go", "node", "npm", "python3", "dotnet", "java"];

/** The environment of a host on whose PATH is Docker's client and no tool of modules; `home` is all that it has beside. */
export async function dockerAlone(engine: Engine, home: string): Promise<NodeJS.ProcessEnv> {
  const folder = await temporaryDirectory();
  await symlink(engine.docker, path.join(folder, "docker"));
  const env = engineEnvironment(engine, { PATH: folder, HOME: home });
  expect(await executablesOnPath("docker", env)).toHaveLength(1);
  for (const tool of TOOLS) expect(await executablesOnPath(tool, env), tool).toEqual([]);
  return env;
}
