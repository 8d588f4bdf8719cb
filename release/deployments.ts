import { isMap } from "../cache/document.ts";
import { KilnError } from "../errors.ts";
import { run } from "../toolchain/process.ts";
import { unreadable, isNoStack, type PulumiStack } from "./pulumi-stack.ts";

/** An update of a stack, as its backend remembers it. Dates are ISO 8601. */
export interface Deployment {
  /** `update` is `pulumi up`; after `destroy` nothing runs any more. */
  readonly kind: "update" | "destroy";
  /** `failed` may have changed a part of it. */
  readonly result: string;
  readonly started: string;
  /** Nothing while it runs. */
  readonly ended?: string;
  /** The warm image that the stack's config named then; nothing for a standalone one. */
  readonly warmImage?: string;
  /** The commit of the checkout that it ran in, and whether that had other changes. */
  readonly commit?: string;
  readonly dirty: boolean;
  /** What the update was called: the commit's subject, unless somebody said otherwise. */
  readonly message: string;
}

/** Operations that are asked for: refreshes and imports are among them. Backends give no more than these at once. */
const OPERATIONS = 100;

/**
 * Reads what was brought up and destroyed of a stack, the newest first, among its last 100 operations; none where the backend has no
 * such stack. Throws where the backend does not say.
 */
export async function readDeployments({ project, stack, env }: PulumiStack): Promise<readonly Deployment[]> {
  const page = ["--page", "1", "--page-size", String(OPERATIONS)];
  const args = ["stack", "history", "--json", "--non-interactive", ...page, "--stack", stack];
  const result = await run("pulumi", args, { cwd: project, env, allowFailure: true });
  if (isNoStack(result)) return [];
  if (result.code !== 0) throw unreadable("history", stack, result);
  try {
    return deploymentsIn(JSON.parse(result.stdout));
  } catch (cause) {
    throw new KilnError("failed", `\`pulumi stack history\` of ${stack} printed no JSON`, { cause });
  }
}

/** The updates and destructions in what `pulumi stack history --json` prints, in its order. Pure. */
export function deploymentsIn(history: unknown): readonly Deployment[] {
  return (Array.isArray(history) ? (history as readonly unknown[]) : []).filter(isMap).flatMap((one) => {
    const { kind, endTime, config, environment } = one;
    if (kind !== "update" && kind !== "destroy") return [];
    const warm = isMap(config) ? config["kiln:warmImage"] : undefined;
    const [warmImage, ended] = [isMap(warm) ? textOf(warm.value) : undefined, textOf(endTime)];
    const told = isMap(environment) ? environment : {};
    const commit = textOf(told["git.head"]);
    return {
      ...{ kind, result: textOf(one.result) ?? "unknown", started: textOf(one.startTime) ?? "" },
      ...(ended === undefined ? {} : { ended }),
      ...(warmImage === undefined ? {} : { warmImage }),
      ...(commit === undefined ? {} : { commit }),
      ...{ dirty: told["git.dirty"] === "true", message: textOf(one.message) ?? "" },
    };
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
