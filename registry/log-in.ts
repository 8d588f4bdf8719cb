import { KilnError } from "../errors.ts";
import { findExecutable } from "../toolchain/executables.ts";
import { lastLines, run } from "../toolchain/process.ts";
import type { RegistryLogin } from "./registry-login.ts";

/** A Docker client, and the environment in which it finds its engine and its settings. */
interface DockerClient {
  readonly docker: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Logs a Docker client in, with a password that goes by standard input and stands in no argument, variable or message. Docker
 * keeps it where its settings say: a credential helper, or else its file. Throws "unreachable" with Docker's words.
 */
export async function logIn(client: DockerClient, login: RegistryLogin, password: string): Promise<void> {
  const { host, username } = login;
  if (password === "") {
    throw new KilnError("usage", `the password for ${host} is empty`, { mend: "Give it by standard input." });
  }
  const args = ["login", host, "--username", username, "--password-stdin"];
  const { code, stderr } = await run(client.docker, args, { env: client.env, input: password, allowFailure: true });
  if (code === 0) return;
  const said = lastLines(stderr, 2).replaceAll(password, "[secret]");
  throw new KilnError("unreachable", `no login to ${host} as ${username}: ${said}`, {
    mend: "Check the registry's address, the user name and what its token may do.",
  });
}

/** Asks a vendor's program for a password of some hours. Throws where it is missing, or is not logged in to its cloud. */
export async function issuedPassword(
  { program, args, of }: NonNullable<RegistryLogin["issuer"]>,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const found = await findExecutable(program, env);
  if (found === undefined) {
    throw new KilnError("unreachable", `there is no ${program} on this machine`, {
      mend: `Install ${of}, or give a user name and a token of your own: --username NAME.`,
    });
  }
  const { code, stdout, stderr } = await run(found, args, { env, allowFailure: true });
  if (code === 0) return stdout.trim();
  throw new KilnError("unreachable", `${program} gives no password: ${lastLines(stderr, 2)}`, {
    mend: `Log in with ${of} first, as somebody who may use that registry.`,
  });
}
