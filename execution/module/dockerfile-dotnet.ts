import { networkRun, type ModuleStages } from "./dockerfile-parts.ts";
import type { DotnetModule } from "./kind.ts";
import { plainWord } from "./plain-word.ts";

/** .NET: published in the SDK's image, run on the runtime's, both of the framework that the project targets. */
export function dotnetStages({ version, lockFile, ...kind }: DotnetModule): ModuleStages {
  const buildFile = plainWord("the project file", kind.buildFile);
  const restore = `dotnet restore ${buildFile}${lockFile === undefined ? "" : " --locked-mode"}`;
  return {
    base: `dotnet-${version}`,
    build: `dotnet-sdk-${version}`,
    steps: [
      "COPY . .",
      ...networkRun(
        [
          "export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1",
          restore,
          `dotnet publish ${buildFile} --configuration Release --no-restore --output /opt/kiln/program`,
          "rm -rf obj",
        ],
        { secrets: ["netrc", "nuget"] },
      ),
    ],
    environment: { DOTNET_CLI_TELEMETRY_OPTOUT: "1", DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: "1" },
  };
}
