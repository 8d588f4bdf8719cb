import { present, projectFields, refused, type ProjectSource } from "./files.ts";
import type { JavaModule } from "./kind.ts";

const BUILD_FILES = { maven: ["pom.xml"], gradle: ["build.gradle", "build.gradle.kts"] } as const;

/** A Java module of Maven or Gradle. The image starts its main class, which the build file must name. */
export function javaModule(source: ProjectSource): JavaModule {
  const files = present(source.files, [...BUILD_FILES.maven, ...BUILD_FILES.gradle]);
  const [buildFile] = files;
  if (buildFile === undefined || files.length > 1) {
    const seen =
      files.length === 0 ? "without pom.xml or build.gradle" : `is ambiguous: there are ${files.join(" and ")}`;
    throw refused(source, `a java module ${seen}`, "Keep exactly one build file beside Pulumi.yaml.");
  }
  const packageManager = buildFile === "pom.xml" ? "maven" : "gradle";
  const mainClass = mainClassOf(source.files.texts.get(buildFile) ?? "");
  if (mainClass === undefined) {
    throw refused(
      source,
      `${buildFile} names no main class`,
      packageManager === "maven"
        ? "Set <exec.mainClass> in its properties, or <mainClass> of a plugin."
        : "Set application { mainClass = '…' }.",
    );
  }
  return { ...projectFields(source, []), runtime: "java", packageManager, buildFile, mainClass };
}

function mainClassOf(text: string): string | undefined {
  const patterns = [
    /<(?:exec\.)?mainClass>\s*([\w.$]+)\s*</,
    /\bmainClass(?:Name)?\s*(?:=|\.set\()\s*["']([\w.$]+)["']/,
  ];
  return patterns.map((pattern) => pattern.exec(text)?.[1]).find((name) => name !== undefined);
}
