import { toolVersions } from "../../toolchain/pins.ts";
import { baseReference, type ModuleBases } from "./bases.ts";
import { BUILD_FOLDER } from "./context.ts";
import { copied, run, type ModuleStages } from "./dockerfile-parts.ts";
import { dotnetStages } from "./dockerfile-dotnet.ts";
import { goStages } from "./dockerfile-go.ts";
import { javaStages } from "./dockerfile-java.ts";
import { nodejsStages } from "./dockerfile-nodejs.ts";
import { tofuStages } from "./dockerfile-opentofu.ts";
import { pulumiPlugins } from "./dockerfile-pulumi.ts";
import { pythonStages } from "./dockerfile-python.ts";
import { kindName, type ModuleKind } from "./kind.ts";
import { plainWord } from "./plain-word.ts";

/** Who a module's container runs as: the `nonroot` of distroless images. */
export const MODULE_USER = "65532:65532";

/** Where an image has the entrypoint; also in the scratch image that carries nothing else. */
export const ENTRYPOINT_PATH = "/usr/local/bin/kiln-entrypoint";

/** What an image says of the module in it. */
export const MODULE_LABELS = {
  tool: "dev.kiln.module.tool",
  runtime: "dev.kiln.module.runtime",
  project: "dev.kiln.module.project",
  source: "dev.kiln.module.source",
  dockerfile: "dev.kiln.module.dockerfile",
  loopbackHosts: "dev.kiln.module.loopback-hosts",
} as const;

/** The public images of a kind's stages, as a build without options takes them. */
export function stageImages(kind: ModuleKind, bases: ModuleBases) {
  const { base, build } = stagesOf(kind, bases);
  return {
    base: baseReference(bases, base),
    build: baseReference(bases, build),
    certificates: baseReference(bases, "certificates"),
  };
}

/**
 * The Dockerfile of a module: a function of its kind and the pins alone, so the same module makes the same bytes wherever
 * and whenever. It knows the features of the frontend in Docker 20.10 only.
 */
export function moduleDockerfile(kind: ModuleKind, bases: ModuleBases): string {
  const images = stageImages(kind, bases);
  const stages = stagesOf(kind, bases);
  const environment = { ...stages.environment, ...toolEnvironment(kind) };
  const project = kind.tool === "pulumi" ? { [MODULE_LABELS.project]: kind.project } : {};
  const labels = { [MODULE_LABELS.tool]: kind.tool, [MODULE_LABELS.runtime]: kind.runtime, ...project };
  const edited = editedProjectSteps(kind);
  const blocks: readonly (readonly string[])[] = [
    [
      `# Made by kiln for a module of ${kindName(kind)}. The same module makes the same bytes; docs/modules.md explains it.`,
      `ARG BASE_IMAGE=${images.base}`,
      `ARG BUILD_IMAGE=${images.build}`,
      `ARG CERTIFICATES_IMAGE=${images.certificates}`,
      "# Images of programs alone, which the builder makes from pinned ones: the tool with its hosts, and the entrypoint.",
      "ARG TOOLS_IMAGE",
      "ARG ENTRYPOINT_IMAGE",
    ],
    ["FROM ${CERTIFICATES_IMAGE} AS certificates"],
    ["FROM ${TOOLS_IMAGE} AS tools"],
    ["FROM ${ENTRYPOINT_IMAGE} AS entrypoint"],
    [
      "FROM ${BUILD_IMAGE} AS build",
      "USER root",
      copied("certificates", "/etc/ssl/certs/ca-certificates.crt"),
      copied("tools", "/usr/local/bin/"),
      copied("tools", "/usr/local/lib/kiln/"),
      "WORKDIR /app",
      ...stages.steps,
      ...edited.beforeFetching,
      ...(kind.tool === "pulumi" ? pulumiPlugins() : []),
      ...run([...edited.afterFetching, ...FINISH]),
    ],
    [
      "FROM ${BASE_IMAGE}",
      "USER root",
      copied("certificates", "/etc/ssl/certs/ca-certificates.crt"),
      copied("tools", "/usr/local/bin/"),
      copied("build", "/opt/kiln/"),
      copied("build", "/app/"),
      copied("entrypoint", ENTRYPOINT_PATH),
      "# Written by whoever runs the image, whatever uid that is; everything else is read only.",
      ...run(["mkdir -p /workspace", "chmod 1777 /workspace"]),
      `ENV ${assignments(environment)}`,
      `LABEL ${assignments(labels)}`,
      "WORKDIR /app",
      `USER ${MODULE_USER}`,
      `ENTRYPOINT [${JSON.stringify(ENTRYPOINT_PATH)}]`,
    ],
  ];
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/** The Dockerfile that puts the entrypoint on top of a module's own image, whose user and environment stay. */
export function injectedDockerfile(): string {
  return [
    "# Made by kiln: the entrypoint on top of the image that the module's own Dockerfile makes.",
    "ARG MODULE_IMAGE",
    "ARG ENTRYPOINT_IMAGE",
    "",
    "FROM ${ENTRYPOINT_IMAGE} AS entrypoint",
    "",
    "FROM ${MODULE_IMAGE}",
    copied("entrypoint", ENTRYPOINT_PATH),
    `ENTRYPOINT [${JSON.stringify(ENTRYPOINT_PATH)}]`,
    "CMD []",
    "",
  ].join("\n");
}

/** Runtime options that the copy of the project file in the image has instead of the module's own; undefined for none. */
export function projectEdits(kind: ModuleKind) {
  if (kind.tool === "opentofu") return undefined;
  switch (kind.runtime) {
    case "python":
      // Nothing of uv or Poetry is needed to run what they installed.
      return { set: { toolchain: "pip", virtualenv: kind.virtualenv }, unset: [] };
    case "go":
      return { set: { binary: "kiln-module" }, unset: ["buildTarget"] };
    case "dotnet":
      return { set: { binary: `/opt/kiln/program/${kind.assembly}.dll` }, unset: [] };
    case "java":
      return { set: { binary: "/opt/kiln/program/kiln-module.jar" }, unset: ["use-executor"] };
    case "nodejs":
    case "yaml":
      return undefined;
  }
}

function stagesOf(kind: ModuleKind, bases: ModuleBases): ModuleStages {
  if (kind.tool === "opentofu") return tofuStages();
  switch (kind.runtime) {
    case "nodejs":
      return nodejsStages(kind, bases);
    case "python":
      return pythonStages(kind, bases);
    case "go":
      return goStages(kind);
    case "dotnet":
      return dotnetStages(kind);
    case "java":
      return javaStages(kind);
    case "yaml":
      return { base: "debian", build: "debian", steps: ["COPY . ."], environment: {} };
  }
}

/** What the entrypoint need not find out. Neither tool asks the network for a newer one, and a run fetches no plugin. */
function toolEnvironment(kind: ModuleKind): Readonly<Record<string, string>> {
  const known = { KILN_MODULE_TOOL: kind.tool, KILN_TOOL_VERSION: toolVersions[kind.tool] };
  return kind.tool === "opentofu"
    ? { ...known, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1", TF_INPUT: "0" }
    : {
        ...known,
        PULUMI_HOME: "/opt/kiln/pulumi",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL: "true",
      };
}

/**
 * The commands that put the image's project file in the place of the module's. Pulumi's host asks a Python program for its
 * providers by way of the environment that was filled here, and a Java program by the jar; a Go or .NET program it asks by its
 * sources, so there the compiled one is named afterwards.
 */
function editedProjectSteps(kind: ModuleKind) {
  if (kind.tool === "opentofu" || projectEdits(kind) === undefined) return { beforeFetching: [], afterFetching: [] };
  const projectFile = plainWord("the project file", kind.projectFile);
  const move = `mv ${BUILD_FOLDER}/${projectFile} ${projectFile}`;
  return kind.runtime === "python" || kind.runtime === "java"
    ? { beforeFetching: run([move]), afterFetching: [] }
    : { beforeFetching: [], afterFetching: [move] };
}

/** The end of the build stage: what the build brought along is gone, all is readable. */
const FINISH = [`rm -rf ${BUILD_FOLDER}`, "mkdir -p /opt/kiln", "chmod -R a+rX,go-w /app /opt/kiln"];

/** Names with values that no frontend expands, but for `${PATH}` at the end of a variable PATH. */
function assignments(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, value]) =>
        `${name}=${name === "PATH" ? literal(value).replace(/\\(?=\$\{PATH\}"$)/, "") : literal(value)}`,
    )
    .join(" \\\n    ");
}

function literal(value: string): string {
  return JSON.stringify(value).replaceAll("$", "\\$");
}
