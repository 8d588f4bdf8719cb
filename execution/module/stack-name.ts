import { createHash } from "node:crypto";
import { KilnError } from "../../errors.ts";
import type { StateMode } from "./request.ts";
import type { ToolName } from "./state-envelope.ts";

/** Pulumi takes 100 characters a part. */
const LONGEST = 100;
/** A file name may have 255 bytes; what is written beside it has some more. */
const LONGEST_FOLDER = 180;
/** The organization of Pulumi's backends that are storage alone. */
const OWN_ORGANIZATION = "organization";

/**
 * One stack name for parts such as environment, component and module. Other parts give another name, also where a part has
 * a separator in it: `a`, `b-c` is `a.b-c`, and `a-b`, `c` is `a-b.c`. Parts that are empty are refused.
 */
export function stackName(parts: readonly string[]): string {
  if (parts.length === 0 || parts.includes("")) {
    throw new KilnError("usage", "a part of the stack name is empty", {
      mend: "Name every part: modules that share a name would share their state.",
    });
  }
  const name = parts.map((part) => escaped(part, /[A-Za-z0-9-]/, /^-/)).join(".");
  return shortened(name, LONGEST);
}

/** Where a stack is: what decides which names it may have. */
export interface StackHome {
  readonly mode: StateMode;
  /** Of the image; undefined where it does not say. */
  readonly tool: ToolName | undefined;
  /** Of a backend of Pulumi; empty where the tool has its own from elsewhere. */
  readonly backendUrl: string;
}

/**
 * Refuses a name of several parts where there is no organization and no project: in carried state and in OpenTofu's
 * workspaces. Pulumi's service takes `organization/stack` and `organization/project/stack`; backends such as s3:// have one
 * organization, which is called `organization`.
 */
export function refuseUnfitStack(stack: string, { mode, tool, backendUrl }: StackHome): void {
  const parts = stack.split("/");
  if (parts.length === 1) return;
  if (mode !== "remote" || tool === "opentofu") {
    const where = tool === "opentofu" ? "a stack of OpenTofu" : `a stack whose state is ${mode}`;
    throw new KilnError("usage", `${where} has no organization and no project, but is called ${stack}`, {
      mend: `Name it ${stackName(parts)}, or ${parts.at(-1) ?? ""} where no other has that name.`,
    });
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(backendUrl)?.[1]?.toLowerCase() ?? "https";
  if (scheme === "https" || scheme === "http" || parts[0] === OWN_ORGANIZATION) return;
  throw new KilnError("usage", `the backend ${scheme}:// has no organization ${parts[0] ?? ""}, as in ${stack}`, {
    mend: `There is one, with this name: ${[OWN_ORGANIZATION, ...parts.slice(1)].join("/")}. Or name the stack alone: ${parts.at(-1) ?? ""}.`,
  });
}

/** The folder of a stack's state: one of its own for each name, also where a file system knows no upper case. */
export function stackFolder(stack: string): string {
  return shortened(escaped(stack, /[a-z0-9.-]/, /^[.-]/), LONGEST_FOLDER);
}

/** A text whose other bytes are `_` and two hexadecimal digits, as is a first sign that `unfit` matches. */
function escaped(text: string, kept: RegExp, unfit: RegExp): string {
  return [...Buffer.from(text)]
    .map((byte, at) => {
      const sign = String.fromCharCode(byte);
      const keep = kept.test(sign) && !(at === 0 && unfit.test(sign));
      return keep ? sign : `_${byte.toString(16).padStart(2, "0")}`;
    })
    .join("");
}

/** Cuts a long name and says the rest by a hash, after `..`, which no short name has. */
function shortened(name: string, longest: number): string {
  if (name.length <= longest) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 32);
  return `${name.slice(0, longest - hash.length - 2)}..${hash}`;
}
