import { innerPath, projectFields, refused, type ProjectSource } from "./files.ts";
import type { GoModule } from "./kind.ts";

/** A Go module. An `options.binary` of its own is replaced: the image builds the program from the sources it has. */
export function goModule(source: ProjectSource): GoModule {
  if (!source.files.names.has("go.mod")) {
    throw refused(
      source,
      "a go module without go.mod",
      "Run `go mod init` there; a module whose go.mod stands further up is built from that directory with `main`.",
    );
  }
  const main = source.project.main === undefined ? "" : innerPath(source, "main", source.project.main);
  const notes = source.files.names.has("go.sum") ? [] : ["no go.sum: `go mod tidy` writes it, and the build needs it"];
  return {
    ...projectFields(source, notes),
    runtime: "go",
    package: main === "" ? "." : `./${main}`,
  };
}
