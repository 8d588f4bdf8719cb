import { choiceOf, refusal, requiredText, section, textOf, type Field } from "../../settings/field.ts";

export const SOURCE_KINDS = ["github", "npm", "go", "pypi"] as const;

export type SourceKind = (typeof SOURCE_KINDS)[number];

/** The kinds that say when a version was published. A Go proxy says when its commit was made, which is as its author likes. */
export const DATED_KINDS: readonly SourceKind[] = ["github", "npm", "pypi"];

/** Where releases are told of. */
export interface Source {
  readonly kind: SourceKind;
  /** As the source calls it: `pulumi/pulumi`, `@pulumi/pulumi`, `github.com/pulumi/pulumi/sdk/v3`, `pulumi`. */
  readonly project: string;
  /** Where it is asked, without a slash at its end: the public one, or a mirror. */
  readonly address: string;
}

const ADDRESSES: Readonly<Record<SourceKind, string>> = {
  github: "https://api.github.com",
  npm: "https://registry.npmjs.org",
  go: "https://proxy.golang.org",
  pypi: "https://pypi.org",
};

const PROJECTS: Readonly<Record<SourceKind, RegExp>> = {
  github: /^[\w.-]+\/[\w.-]+$/,
  npm: /^(?:@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/,
  go: /^[a-z0-9.-]+\.[a-z]+(?:\/[\w.~-]+)+$/i,
  pypi: /^[a-z0-9][a-z0-9._-]*$/i,
};

/** A source of a policy. Throws a usage error that names the key. */
export function sourceOf(field: Field): Source {
  const source = section(field, ["kind", "project", "address"]);
  requiredText(source("kind"), `Set it to ${SOURCE_KINDS.join(" or ")}`);
  const kind = choiceOf(source("kind"), SOURCE_KINDS, "github");
  const project = requiredText(source("project"), "Name the project as that source calls it");
  // It becomes a part of an address.
  if (!PROJECTS[kind].test(project) || project.split("/").includes("..")) {
    throw refusal(source("project"), `is ${JSON.stringify(project)}, which ${kind} does not call a project`, {
      mend: "Name it as that source does: pulumi/pulumi, @pulumi/pulumi, github.com/pulumi/pulumi/sdk/v3, pulumi",
    });
  }
  return Object.freeze({ kind, project, address: addressOf(source("address"), ADDRESSES[kind]) });
}

function addressOf(field: Field, otherwise: string): string {
  const address = (textOf(field) ?? otherwise).replace(/\/+$/, "");
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const loopback = url?.hostname === "localhost" || url?.hostname === "127.0.0.1";
  const secure = url?.protocol === "https:" || (url?.protocol === "http:" && loopback);
  if (secure && `${url.username}${url.password}${url.search}` === "") return address;
  throw refusal({ ...field, confidential: true }, "is no https address without a login", {
    mend: "Set it to a mirror such as https://npm.example.com: what a source says decides what is released",
  });
}
