import { text as textOf } from "node:stream/consumers";
import { KilnError } from "../errors.ts";
import { issuedPassword, logIn } from "../registry/log-in.ts";
import { loginCommand, registryLogin } from "../registry/registry-login.ts";
import { engineEnvironment, readyEngine } from "../toolchain/docker-engine.ts";
import { places } from "../toolchain/places.ts";
import type { Command } from "./command.ts";
import { oneArgument, optional } from "./options.ts";

/** `kiln registry login`. */
export const registryLoginCommand: Command = {
  name: "registry login",
  summary: "Log Docker in to a registry: Docker Hub, ECR, ACR, Harbor, GitLab, GHCR. No password is ever an argument.",
  usage: "REGISTRY [--username NAME] [--password-env VARIABLE] [--dry-run]",
  options: {
    ...{ username: { type: "string" }, "password-env": { type: "string" } },
    "dry-run": { type: "boolean" },
  },
  help: {
    username: "whose token it is; without one the cloud of ECR and ACR is asked for a password of some hours",
    "password-env": "the variable that has the token (default: it is read from standard input)",
    "dry-run": "print the commands, and log in nowhere",
  },
  async run({ values, positionals, progress }) {
    const login = registryLogin(oneArgument(positionals, "REGISTRY"), optional(values, "username"));
    const { host, username, issuer } = login;
    if (values["dry-run"] === true) return { json: login, text: loginCommand(login) };
    const password =
      issuer === undefined
        ? await givenPassword(optional(values, "password-env"), process)
        : await issuedPassword(issuer, process.env);
    const engine = await readyEngine({ places: places(), progress });
    await logIn({ docker: engine.docker, env: engineEnvironment(engine) }, login, password);
    return { json: { host, username }, text: `logged in to ${host} as ${username}` };
  },
};

/** The password that a variable holds, or all of standard input; the end of its line is none of it. */
export async function givenPassword(
  variable: string | undefined,
  {
    env,
    stdin,
  }: Pick<NodeJS.Process, "env"> & { readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean } },
): Promise<string> {
  if (variable !== undefined) {
    const value = env[variable];
    if (value !== undefined && value !== "") return value;
    throw new KilnError("usage", `--password-env ${variable}: that variable is empty`, {
      mend: "Set it, or use another.",
    });
  }
  if (stdin.isTTY === true) {
    throw new KilnError("usage", "the password is missing", {
      mend: "Give it by standard input, `… < token`, or by a variable: --password-env NAME.",
    });
  }
  return (await textOf(stdin)).replace(/\r?\n$/, "");
}
