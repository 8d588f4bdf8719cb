import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import { CREDENTIALS, type CredentialName, type CredentialSet } from "./credential-names.ts";
import { secretsOfFile } from "./secret-texts.ts";

/** Credentials as a run gets them. */
export interface Credentials {
  /** For the request: what is not secret. */
  readonly plain: Readonly<Record<string, string>>;
  /** For the secret channel. */
  readonly environment: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, { readonly name: string; readonly base64: string }>>;
  /** What a redactor must know of them. */
  readonly secrets: readonly string[];
}

const LARGEST_FILE = 1024 * 1024;

/**
 * Reads credentials by the names of their sets. What `given` (a request's own environment) has is not taken from here.
 * A set of which nothing is there, and a file that cannot be read, are usage errors.
 */
export async function readCredentials(
  names: readonly CredentialName[],
  env: NodeJS.ProcessEnv,
  given: Readonly<Record<string, string>> = {},
): Promise<Credentials> {
  const sets = await Promise.all(
    [...new Set(names)].map(async (name) => readSet(name, CREDENTIALS[name], { ...env, ...given })),
  );
  return {
    plain: merged(sets.map(({ plain }) => plain)),
    environment: merged(sets.map(({ environment }) => environment)),
    files: merged(sets.map(({ files }) => files)),
    secrets: sets.flatMap(({ secrets }) => secrets),
  };
}

async function readSet(name: CredentialName, set: CredentialSet, env: NodeJS.ProcessEnv): Promise<Credentials> {
  const plain = present(set.plain, env);
  const environment = present(set.secret, env);
  const named = present(set.files, env);
  // Tools read their files at home only where nothing else says who they are.
  const atHome = Object.keys(environment).length === 0 ? await homeFiles(set, env, named) : {};
  const paths = { ...atHome, ...named };
  if (Object.keys(environment).length + Object.keys(paths).length === 0 && !hasIdentity(plain)) {
    throw new KilnError("usage", `there are no credentials for ${name}: none of its variables is set`, {
      mend: `Set ${[...set.secret, ...set.files].slice(0, 4).join(", ")} or the like, or leave ${name} out.`,
    });
  }
  const contents = await Promise.all(Object.entries(paths).map(([variable, file]) => readFileOf(variable, file)));
  return {
    plain,
    environment,
    files: Object.fromEntries(contents.map(({ variable, file }) => [variable, file])),
    secrets: [...Object.values(environment), ...contents.flatMap(({ secrets }) => secrets)],
  };
}

/**
 * What needs no secret of its own: identities that a machine has, as Azure's managed ones and credentials from an address, and
 * backends, whose login may be another set's.
 */
const SECRETLESS = [
  ...["ARM_USE_MSI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"],
  ...["PULUMI_BACKEND_URL", "TF_HTTP_ADDRESS"],
];

function hasIdentity(plain: Readonly<Record<string, string>>): boolean {
  return SECRETLESS.some((variable) => variable in plain);
}

async function homeFiles(
  set: CredentialSet,
  env: NodeJS.ProcessEnv,
  named: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const home = env.HOME ?? "";
  const found: Record<string, string> = {};
  for (const [variable, below] of Object.entries(set.homes)) {
    const file = path.join(home, below);
    const there =
      home !== "" &&
      (await stat(file).then(
        (one) => one.isFile(),
        () => false,
      ));
    if (there && !(variable in named)) found[variable] = file;
  }
  return found;
}

async function readFileOf(variable: string, file: string) {
  if (variable.startsWith("KUBE") && file.includes(path.delimiter)) {
    throw new KilnError("usage", `${variable} names several files`, {
      mend: "Make them one: kubectl config view --flatten --minify > FILE, and name that.",
    });
  }
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch (cause) {
    throw new KilnError("usage", `${variable} names a file that cannot be read: ${messageOf(cause)}`, { cause });
  }
  if (content.length > LARGEST_FILE) {
    throw new KilnError("usage", `${file}, which ${variable} names, is larger than a file of credentials`);
  }
  const name = path.basename(file).replace(/[^A-Za-z0-9._-]/g, "_");
  return {
    variable,
    file: { name, base64: content.toString("base64") },
    secrets: variable === "AWS_CA_BUNDLE" ? [] : secretsOfFile(content.toString("utf8")),
  };
}

function present(names: readonly string[], env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(names.flatMap((name) => ((env[name] ?? "") === "" ? [] : [[name, env[name] ?? ""]])));
}

function merged<T>(records: readonly Readonly<Record<string, T>>[]): Readonly<Record<string, T>> {
  return Object.assign({}, ...records) as Readonly<Record<string, T>>;
}
