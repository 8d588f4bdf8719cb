import { KilnError } from "../errors.ts";

/** A program of a vendor that prints a password of some hours to those who are logged in to its cloud. */
interface PasswordProgram {
  readonly program: string;
  readonly args: readonly string[];
  /** What to install where it is missing. */
  readonly of: string;
}

/** How one logs in to a registry. No password is in it: that goes to `docker login` by its standard input. */
export interface RegistryLogin {
  readonly host: string;
  readonly username: string;
  /** Where the password comes from; nothing where a person or a workflow gives it. */
  readonly issuer?: PasswordProgram;
}

const ECR = /^\d{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;
const ACR = /^([a-z0-9]+)\.azurecr\.(?:io|us|cn)$/;
/** The user name of an access token, as Azure documents it. */
const ACR_TOKEN = "00000000-0000-0000-0000-000000000000";
const DOCKER_HUB = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/**
 * How one logs in to the registry of an address: at Amazon and Azure by the cloud's own login, unless a user name is given; at
 * Docker Hub, Harbor, GitLab, GHCR and any other by a user name and a token. Throws a usage error where that name is missing. Pure.
 */
export function registryLogin(address: string, username?: string): RegistryLogin {
  const host = hostOf(address);
  if (username !== undefined) return { host, username };
  const issued = issuedLogin(host);
  if (issued !== undefined) return issued;
  throw new KilnError("usage", `${host} takes a user name and a token`, {
    mend: `Write --username NAME, and give the token by standard input: ${EXAMPLES[kindOf(host)]}.`,
  });
}

function issuedLogin(host: string): RegistryLogin | undefined {
  const [, region] = ECR.exec(host) ?? [];
  if (region !== undefined) return amazon(host, ["ecr", "get-login-password", "--region", region]);
  // The login of the public registry is of this region, wherever its images are.
  if (host === "public.ecr.aws") return amazon(host, ["ecr-public", "get-login-password", "--region", "us-east-1"]);
  const [, name] = ACR.exec(host) ?? [];
  if (name === undefined) return undefined;
  const args = ["acr", "login", "--name", name, "--expose-token", "--query", "accessToken", "--output", "tsv"];
  return { host, username: ACR_TOKEN, issuer: { program: "az", args, of: "the Azure CLI" } };
}

function amazon(host: string, args: readonly string[]): RegistryLogin {
  return { host, username: "AWS", issuer: { program: "aws", args, of: "the AWS CLI" } };
}

const EXAMPLES = {
  "Docker Hub": "a personal access token",
  GHCR: "a token that may write packages",
  other: "of Harbor a robot account, 'robot$NAME'; of GitLab a deploy token",
} as const;

function kindOf(host: string): keyof typeof EXAMPLES {
  return host === "docker.io" ? "Docker Hub" : host === "ghcr.io" ? "GHCR" : "other";
}

/** `host` or `host/path`, without a scheme. */
function hostOf(address: string): string {
  const [host = ""] = address.split("/");
  if (DOCKER_HUB.has(host)) return "docker.io";
  if (/^(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+)(:\d{1,5})?$/.test(host)) return host;
  throw new KilnError("usage", `${address} is no address of a registry`, {
    mend: "Write such as docker.io/owner, ghcr.io/owner/repository or harbor.example.com/project, without https://.",
  });
}

/** The commands of a login as a person would type them. Pure. */
export function loginCommand({ host, username, issuer }: RegistryLogin): string {
  const login = `docker login ${host} --username ${quoted(username)} --password-stdin`;
  return issuer === undefined ? `${login} < token` : `${issuer.program} ${issuer.args.join(" ")} | ${login}`;
}

function quoted(text: string): string {
  return /^[\w.@+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
