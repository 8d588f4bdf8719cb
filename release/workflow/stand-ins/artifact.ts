import path from "node:path";
import { matchesGlob } from "../../../cache/pattern.ts";
import { KilnError } from "../../../errors.ts";
import { selectFiles } from "../artifact-files.ts";
import { artifactBytes, type Artifact } from "../artifacts.ts";
import type { ActionCall, StandIn } from "../stand-in.ts";

/** `actions/upload-artifact`: into a folder of the run. */
export const uploadArtifact: StandIn = {
  here: "kept in a folder of the run",
  takes: ["name", "path", "if-no-files-found", "include-hidden-files", "overwrite"],
  ignores: ["retention-days", "compression-level"],
  async run(call) {
    const { name = "artifact", path: lines = "" } = call.with;
    const selected = await selectFiles(call.job.workspace, lines, call.with["include-hidden-files"] === "true");
    if (selected.files.length === 0) {
      const found = call.with["if-no-files-found"] ?? "warn";
      const said = `no file for the artifact ${name}: nothing matches ${lines.trim().replaceAll("\n", ", ")}`;
      if (found === "error") throw new KilnError("failed", said, { mend: "Look at the step that should make it." });
      call.say(said);
      return { outputs: {} };
    }
    const artifact = await call.artifacts.put(name, call.job.key, selected, call.with.overwrite === "true");
    call.say(summary(artifact));
    return { outputs: {}, artifact: name };
  },
};

/**
 * `actions/download-artifact`: from there, each file checked against its SHA-256. Several artifacts get a folder each; one
 * alone is put straight into `path`, however it was asked for (so since version 5).
 */
export const downloadArtifact: StandIn = {
  here: "taken from the run's folder and checked",
  takes: ["name", "pattern", "path", "merge-multiple"],
  ignores: [],
  async run(call) {
    const { name = "", path: below = "." } = call.with;
    const to = path.resolve(call.job.workspace, below);
    const artifacts = await wanted(call, name);
    const merged = artifacts.length === 1 || call.with["merge-multiple"] === "true";
    for (const artifact of artifacts) {
      await call.artifacts.get(artifact, merged ? to : path.join(to, artifact.name));
      call.say(summary(artifact));
    }
    return { outputs: { "download-path": to } };
  },
};

async function wanted(call: ActionCall, name: string): Promise<readonly Artifact[]> {
  if (name !== "") return [await call.artifacts.named(name)];
  const { pattern } = call.with;
  const all = await call.artifacts.all();
  const found = pattern === undefined ? all : all.filter((one) => matchesGlob(pattern, one.name));
  if (found.length > 0) return found;
  throw new KilnError("failed", `there is no artifact ${pattern ?? "to download"}`, {
    mend: all.length === 0 ? "No job has uploaded any." : `There are ${all.map((one) => one.name).join(", ")}.`,
  });
}

function summary(artifact: Artifact): string {
  return `artifact ${artifact.name} of ${artifact.job}: ${artifact.files.length} files, ${artifactBytes(artifact)} bytes`;
}
