import { KilnError } from "../../errors.ts";
import { networkRun, run, type ModuleStages } from "./dockerfile-parts.ts";
import type { JavaModule } from "./kind.ts";

const LIBRARIES = "/opt/kiln/program/lib";

/** Java: its jars, and one that names them and the main class, which is what Pulumi's host can start without Maven or Gradle. */
export function javaStages({ packageManager, mainClass }: JavaModule): ModuleStages {
  return {
    base: "java",
    build: packageManager,
    steps: [
      "COPY . .",
      ...(packageManager === "maven"
        ? networkRun(mavenCommands(), { secrets: ["maven"] })
        : networkRun(gradleCommands(), { secrets: ["gradle"] })),
      ...run(launcherCommands(mainClass)),
    ],
    environment: { JAVA_TOOL_OPTIONS: "-XX:TieredStopAtLevel=1" },
  };
}

function mavenCommands(): readonly string[] {
  return [
    `mkdir -p ${LIBRARIES}`,
    "mvn --batch-mode --no-transfer-progress package -DskipTests",
    `mvn --batch-mode --no-transfer-progress dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=${LIBRARIES}`,
    `find target -maxdepth 1 -name '*.jar' ! -name '*-sources.jar' ! -name '*-javadoc.jar' -exec cp {} ${LIBRARIES}/ \\;`,
    "rm -rf target",
  ];
}

function gradleCommands(): readonly string[] {
  return [
    `mkdir -p ${LIBRARIES}`,
    "gradle --no-daemon --console=plain installDist",
    `find build/install -path '*/lib/*.jar' -exec cp {} ${LIBRARIES}/ \\;`,
    "rm -rf build .gradle",
  ];
}

/**
 * A manifest names jars by addresses with spaces between, sorted here so that the same jars make the same bytes. Its lines
 * have 72 bytes at most and go on after a space.
 */
function launcherCommands(mainClass: string): readonly string[] {
  if (!/^[\w.$]+$/.test(mainClass)) {
    throw new KilnError("usage", `the main class is ${JSON.stringify(mainClass)}, which is no name of a class`);
  }
  return [
    "cd /opt/kiln/program",
    "find lib -name '*.jar' > /tmp/jars",
    "LC_ALL=C sort -o /tmp/jars /tmp/jars",
    "sed -i -e 's/%/%25/g' -e 's/ /%20/g' /tmp/jars",
    "printf 'Class-Path: %s' \"$(tr '\\n' ' ' < /tmp/jars)\" > /tmp/line",
    "fold -b -w 70 /tmp/line > /tmp/folded",
    "sed '2,$s/^/ /' /tmp/folded > /tmp/manifest",
    "echo >> /tmp/manifest",
    `jar --create --file kiln-module.jar --main-class '${mainClass}' --manifest /tmp/manifest`,
  ];
}
