import { sandboxFlags, type Sandbox } from "./sandbox.ts";

/** What a container is made of. */
export interface ContainerPlan {
  /** An image id: what was verified is what runs. */
  readonly image: string;
  readonly sandbox: Sandbox;
  /** Everybody who may ask the engine sees these: no secret goes here. */
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Folders that can be written to and read after the end; they go with the container. */
  readonly volumes: readonly string[];
  /** Folders in memory beside those of the sandbox, as `--tmpfs` takes them: `/work:exec,size=1048576`. */
  readonly tmpfs?: readonly string[];
  /** Folders of this machine that it reads; for an engine that sees this machine's disk. */
  readonly readOnlyMounts?: readonly { readonly from: string; readonly to: string }[];
  /** As `--ulimit` takes them. */
  readonly ulimits?: readonly string[];
  /** A program in place of the image's own. */
  readonly entrypoint?: string | undefined;
  readonly args?: readonly string[];
}

/** The arguments of `docker create` that make it so, but its name. The engine keeps no log: output is for who is attached. */
export function createArguments(plan: ContainerPlan): readonly string[] {
  const { environment, labels, entrypoint } = plan;
  return [
    ...["--pull", "never", "--interactive", "--log-driver", "none"],
    ...sandboxFlags(plan.sandbox),
    ...(plan.tmpfs ?? []).flatMap((folder) => ["--tmpfs", folder]),
    ...(plan.ulimits ?? []).flatMap((limit) => ["--ulimit", limit]),
    ...(plan.readOnlyMounts ?? []).flatMap(({ from, to }) => ["--mount", mountOf(from, to)]),
    ...plan.volumes.flatMap((folder) => ["--volume", folder]),
    ...Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
    ...Object.entries(environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    ...(entrypoint === undefined ? [] : ["--entrypoint", entrypoint]),
    plan.image,
    ...(plan.args ?? []),
  ];
}

/** Docker reads a mount as a line of CSV: a comma or quote in a path would begin another option. */
function mountOf(from: string, to: string): string {
  const fields = ["type=bind", `src=${from}`, `dst=${to}`, "readonly"];
  return fields.map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");
}
