import { KilnError, messageOf } from "../../errors.ts";
import { interruption, run } from "../../toolchain/process.ts";

/** A credential plugin as a kubeconfig names it: `aws eks get-token`, `gke-gcloud-auth-plugin`, `kubelogin`. */
export interface ExecPlugin {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
}

/** What a plugin answers with: a token, or a certificate and its key as PEM. */
export interface ExecCredential {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
}

/**
 * Runs a credential plugin and ends it after `timeoutMs`, which Kubernetes' client does not: one that waits for a browser
 * would keep a preview for ever. Throws an `unreachable` error that names the plugin and shows what it said last.
 */
export async function readExecCredential(plugin: ExecPlugin, timeoutMs: number): Promise<ExecCredential> {
  const { command, args, apiVersion = "client.authentication.k8s.io/v1" } = plugin;
  const given = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]));
  const info = { apiVersion, kind: "ExecCredential", spec: { interactive: false } };
  const env = { ...process.env, ...given, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  const failure = (reason: string) => new KilnError("unreachable", `the credential plugin ${command} ${reason}`);
  const late = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([interruption.signal, late]);
  const result = await run(command, args ?? [], { env, signal, allowFailure: true }).catch((error: unknown) => {
    if (late.aborted) throw failure(`did not answer within ${timeoutMs / 1000} s`);
    if (messageOf(error).includes("ENOENT")) throw failure("is not on PATH");
    throw error;
  });
  if (result.code !== 0) throw failure(`ended with ${result.code}${lastWords(result.stderr)}`);
  const status = statusOf(result.stdout);
  if (status === undefined) throw failure("did not answer with a credential");
  return status;
}

function statusOf(text: string): ExecCredential | undefined {
  try {
    const { status } = JSON.parse(text) as { readonly status?: ExecCredential };
    return status?.token === undefined && status?.clientCertificateData === undefined ? undefined : status;
  } catch {
    return undefined;
  }
}

/** The last line of what it said, without anything that could be a token. */
function lastWords(text: string): string {
  const last = text.trim().split("\n").at(-1)?.trim() ?? "";
  if (last === "") return "";
  return `: ${last.replace(/eyJ[\w.-]+|[\w+=-]{32,}/g, "…").slice(0, 200)}`;
}
