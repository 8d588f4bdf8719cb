import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { RunnerLanguage } from "../../release/runner-image.ts";
import { certificateFile, hasLoopbackProxy, proxiesOf } from "../../toolchain/network.mjs";
import { lastLines } from "../../toolchain/process.ts";
import type { ContainerEngine } from "../offline-container.ts";
import { tarOf, type TarEntry } from "../tar-file.ts";
import { withContainer, type RunningContainer } from "./container.ts";
import type { Finding } from "./structure.ts";

/** How the program of images/pulumi-runner/programs is made ready, by the language's own package manager, with a network. */
const PREPARATION: Readonly<Record<RunnerLanguage, string>> = {
  dotnet: "dotnet publish --output out",
  golang: "go build -o checked .",
  java: "mvn --batch-mode --quiet package",
  // npm itself waits five minutes for each connection over which nothing comes.
  javascript: "npm ci --ignore-scripts --no-audit --no-fund --fetch-timeout 60000 --fetch-retries 4",
  python: "uv venv --seed --quiet venv && uv pip install --quiet --python venv --requirement requirements.txt",
  yaml: "true",
};

const CA = "/workspace/ca.crt";
const CA_VARIABLES = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "REQUESTS_CA_BUNDLE"];

/** Puts the program of a language into a volume and installs what it needs there, as a user whom the image does not know. */
export async function prepareProgram(
  engine: ContainerEngine,
  options: {
    readonly image: string;
    readonly language: RunnerLanguage;
    readonly user: string;
    readonly volume: string;
    /** The checkout. */
    readonly project: string;
    readonly env?: NodeJS.ProcessEnv;
  },
): Promise<Finding> {
  const { image, language, user, volume, project, env = process.env } = options;
  const folder = path.join(project, "images/pulumi-runner/programs", language);
  const certificates = certificateFile(env);
  const entries = [
    ...(await programEntries(folder)),
    ...(certificates === undefined
      ? []
      : [{ name: "ca.crt", content: await readFile(certificates), mode: 0o644, ...OWNER }]),
  ];
  // Proxies are named without a value: docker takes it from its own environment, so no password is in a command line.
  const proxies = Object.keys(proxiesOf(env)).flatMap((name) => [name, name.toUpperCase()]);
  const environment = {
    ...Object.fromEntries(proxies.map((name) => [name, ""])),
    ...(certificates === undefined ? {} : Object.fromEntries(CA_VARIABLES.map((name) => [name, CA]))),
  };
  const network = hasLoopbackProxy(env) ? ["--network", "host"] : [];
  return withContainer(engine, { image, user, volume, network }, async (container) => {
    await container.put(await tarOf(entries), "/workspace");
    // The program is used by others afterwards, each as another user.
    const script = `set -eu; cd /workspace/program; ${PREPARATION[language]}; rm -f ${CA}; chmod -R a+rwX /workspace/program`;
    const { code, stdout, stderr } = await container.sh(script, environment);
    const what = `${PREPARATION[language].split(" ").slice(0, 2).join(" ")} as ${user}`;
    return code === 0
      ? { what, status: "ok", detail: "the program of the check is ready" }
      : { what, status: "failed", detail: lastLines(`${stdout}\n${stderr}`, 6) };
  });
}

/** Who unpacks an archive without rights becomes the owner. */
const OWNER = { uid: 0, gid: 0 } as const;

async function programEntries(folder: string): Promise<readonly TarEntry[]> {
  const found = await readdir(folder, { withFileTypes: true, recursive: true });
  const entries = found.map(async (entry): Promise<TarEntry> => {
    const file = path.join(entry.parentPath, entry.name);
    const name = `program/${path.relative(folder, file)}`;
    if (entry.isDirectory()) return { name, content: undefined, mode: 0o755, ...OWNER };
    return { name, content: await readFile(file), mode: 0o644, ...OWNER };
  });
  return [{ name: "program", content: undefined, mode: 0o755, ...OWNER }, ...(await Promise.all(entries))];
}

const PREVIEW = `set -eu
mkdir -p /tmp/state
cd /workspace/program
pulumi stack init "$STACK" --non-interactive > /dev/null
pulumi preview --stack "$STACK" --json --non-interactive`;

/** A real preview of the program that `prepareProgram` made ready, in a container without a network. */
export async function previewFinding(container: RunningContainer, user: string): Promise<Finding> {
  const { code, stdout, stderr } = await container.sh(PREVIEW, {
    CI: "true",
    PULUMI_BACKEND_URL: "file:///tmp/state",
    // Of a stack that lives for a second, without a secret in it.
    PULUMI_CONFIG_PASSPHRASE: "check",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    STACK: `check-${user.replace(":", "-")}`,
  });
  const what = `preview as ${user}`;
  const creates = createdIn(stdout);
  if (code === 0 && creates !== undefined && creates > 0) {
    return { what, status: "ok", detail: `${creates} to create, without a network` };
  }
  return { what, status: "failed", detail: lastLines(`${stdout}\n${stderr}`, 8) };
}

/** How many resources a preview would create, from its JSON; nothing where it is no such document. Pure. */
export function createdIn(json: string): number | undefined {
  try {
    const { changeSummary } = JSON.parse(json) as { changeSummary?: { create?: unknown } };
    return typeof changeSummary?.create === "number" ? changeSummary.create : undefined;
  } catch {
    return undefined;
  }
}
