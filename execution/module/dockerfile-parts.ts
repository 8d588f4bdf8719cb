/** What a kind of module adds to the Dockerfile that all have. */
export interface ModuleStages {
  /** Names in bases.json: what the module runs on, and what it is built on. */
  readonly base: string;
  readonly build: string;
  /** Instructions of the build stage, whose folder is /app and whose result is /app and /opt/kiln. */
  readonly steps: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Logins that a build may get as secrets (`--secret id=netrc,src=FILE`), by the file that programs look for. */
export const BUILD_SECRETS = {
  netrc: "/root/.netrc",
  npmrc: "/root/.npmrc",
  nuget: "/root/.nuget/NuGet/NuGet.Config",
  maven: "/root/.m2/settings.xml",
  gradle: "/root/.gradle/gradle.properties",
} as const;

export type BuildSecret = keyof typeof BUILD_SECRETS;

/** A folder or file of another stage, at the same place. */
export function copied(stage: string, place: string): string {
  return `COPY --from=${stage} ${place} ${place}`;
}

/** Files of the context, by name: the form of a list takes any. */
export function copiedFiles(files: readonly string[]): string {
  return `COPY [${[...files, "./"].map((file) => JSON.stringify(file)).join(", ")}]`;
}

/** A RUN instruction that ends at the first command that fails. */
export function run(commands: readonly string[], mounts: readonly string[] = []): readonly string[] {
  const [first = "", ...rest] = [...mounts.map((mount) => `--mount=${mount}`)];
  const head = mounts.length === 0 ? "RUN set -eu; \\" : `RUN ${[first, ...rest].join(" ")} \\`;
  const lines = mounts.length === 0 ? commands : ["set -eu", ...commands];
  return [head, ...lines.map((line, index) => `    ${line}${index === lines.length - 1 ? "" : "; \\"}`)];
}

/**
 * A RUN instruction that may use the network: it trusts the certificates of a company proxy, which come as a secret, and has
 * the logins that it may need. Neither enters a layer.
 */
export function networkRun(
  commands: readonly string[],
  options: { readonly secrets?: readonly BuildSecret[]; readonly mounts?: readonly string[] } = {},
): readonly string[] {
  const { secrets = ["netrc"], mounts = [] } = options;
  const logins = secrets.map((id) => `type=secret,id=${id},target=${BUILD_SECRETS[id]}`);
  return run([TRUST, ...commands], ["type=secret,id=ca", ...logins, ...mounts]);
}

/** The variables by which the programs of a build are told whom to trust. */
const TRUST = `if [ -f /run/secrets/ca ]; then export ${[
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
  "PIP_CERT",
  "REQUESTS_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "CURL_CA_BUNDLE",
]
  .map((name) => `${name}=/run/secrets/ca`)
  .join(" ")}; fi`;
