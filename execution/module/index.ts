/** The library: build images of IaC modules, and run requests in them. docs/modules.md shows how. */
export { Builder, type BuiltModule, type ModuleBuild, type ModuleInspection } from "./builder.ts";
export { CREDENTIALS, type CredentialName } from "./credential-names.ts";
export { detectModule } from "./detect.ts";
export type { ExecuteOptions, ExecutionResult, RunLimits, StateResult } from "./execute-options.ts";
export { Executor } from "./executor.ts";
export type { ModuleKind } from "./kind.ts";
export { ContainerPlugin, PluginRegistry, plugins, type IacPlugin, type PluginRun } from "./plugin.ts";
export * from "./protocol.ts";
export type { Secrets } from "./request-plan.ts";
export type { OpenOutput } from "./sealed-output.ts";
export { stackName } from "./stack-name.ts";
