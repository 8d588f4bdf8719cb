import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

/** Which call shows whether an earlier one was made, for each vendor: words that both command lines hold. */
const REMEMBERED: readonly (readonly [check: string, made: string])[] = [
  ["aws head-bucket", "aws create-bucket"],
  ["aws get-bucket-encryption", "aws put-bucket-encryption"],
  ["aws get-bucket-lifecycle-configuration", "aws put-bucket-lifecycle-configuration"],
  ["aws describe-key", "aws create-alias"],
  ["gcloud buckets describe --format=value(lifecycle_config)", "gcloud buckets --lifecycle-file=/dev/stdin"],
  ["gcloud buckets describe", "gcloud buckets create"],
  ["gcloud keyrings describe", "gcloud keyrings create"],
  ["gcloud keys describe", "gcloud keys create"],
  ["az group show", "az group create"],
  ["az account management-policy show", "az account management-policy create"],
  ["az account show", "az account create"],
  ["az container-rm show", "az container-rm create"],
  ["az key show", "az key create"],
  ["az keyvault show", "az keyvault create"],
  ["pulumi stack --show-name", "pulumi stack init"],
];

/** What a vendor prints, and ends with, where a thing is not there. */
const ABSENT: Readonly<Record<string, readonly [text: string, code: number]>> = {
  "aws head-bucket": ["An error occurred (404) when calling the HeadBucket operation: Not Found", 254],
  "aws get-bucket-encryption": ["An error occurred (ServerSideEncryptionConfigurationNotFoundError) when calling", 254],
  "aws get-bucket-lifecycle-configuration": ["An error occurred (NoSuchLifecycleConfiguration) when calling", 254],
  "aws describe-key": ["An error occurred (NotFoundException) when calling the DescribeKey operation: Alias", 254],
  "gcloud buckets describe": ["ERROR: (gcloud.storage.buckets.describe) gs://acme-state not found: 404.", 1],
  "gcloud keyrings describe": ["ERROR: (gcloud.kms.keyrings.describe) NOT_FOUND: KeyRing kiln not found.", 1],
  "gcloud keys describe": ["ERROR: (gcloud.kms.keys.describe) NOT_FOUND: CryptoKey state not found.", 1],
  "az group show": ["ERROR: (ResourceGroupNotFound) Resource group acme could not be found.", 3],
  "az account management-policy show": ["ERROR: (ManagementPolicyNotFound) No ManagementPolicy found", 3],
  "az account show": ["ERROR: (ResourceNotFound) The Resource was not found.", 3],
  "az container-rm show": ["ERROR: (ContainerNotFound) The specified container does not exist.", 3],
  "az key show": ["ERROR: (KeyNotFound) A key with (name/id) state was not found in this key vault.", 3],
  "az keyvault show": ["ERROR: The Vault or HSM acme-state not found within subscription.", 1],
  "pulumi stack --show-name": ["error: no stack named dev found", 6],
};

/** A shell's words of one rule. */
const words = (text: string) =>
  text
    .split(" ")
    .map((word) => `'${word}'`)
    .join(" ");

function absentOf(check: string): string {
  const [text, code] = ABSENT[check] ?? ["", 1];
  return `absent='${text}' code=${code}`;
}

/** One program for all four, in shell: dozens of calls a test, and Node takes a hundred times longer to start. */
const script = (log: string, refuses: string, refusal: string) => `#!/bin/sh
log='${log}'
us=$(printf '\\037')
call="$us\${0##*/}$us"
for word; do call="$call$word$us"; last=$word; done
stack=\${call##*"$us"init"$us"}; stack=\${stack##*--stack"$us"}; stack=\${stack%%"$us"*}
holds() { of=$1; shift; for word; do case "$of" in *"$us$word$us"*) ;; *) return 1 ;; esac; done; }
made() {
  [ "\${0##*/}" != pulumi ] || set -- "$@" "$stack"
  while IFS= read -r earlier; do if holds "$earlier" "$@"; then return 0; fi; done <"$log"
  return 1
}
answer() {
  if made "$@" || { holds "$call" '--format=value(rotationPeriod)' && made gcloud keys create; }; then
    echo 1234-key
    return 0
  fi
  holds "$call" '--format=value(lifecycle_config)' && return 0
  echo "$absent" >&2
  return "$code"
}
touch "$log"
case "$call" in *dev/stdin*) noted="$call$(cat)$us" ;; *) noted=$call ;; esac
printf '%s\\n' "$noted" >>"$log"
${refuses === "" ? "" : `if holds "$call" ${words(refuses)}; then echo "${refusal}" >&2; exit 254; fi`}
${REMEMBERED.map(([check, done], index) => `${index === 0 ? "if" : "elif"} holds "$call" ${words(check)}; then ${absentOf(check)}; answer ${words(done)}; exit`).join("\n")}
fi
if holds "$call" aws create-key; then echo 1234-key; fi
if holds "$call" pulumi stack init; then
  sed -i '/^encryptionsalt:/d' "stacks/Pulumi.$stack.yaml"
  line="secretsprovider: $last"
  [ "$last" != passphrase ] || line='encryptionsalt: v1:new'
  echo "$line" >>"stacks/Pulumi.$stack.yaml"
fi
`;

/** Fake \`aws\`, \`gcloud\`, \`az\` and \`pulumi\` that note their arguments and remember what was created. */
export class VendorCommands {
  readonly path: string;
  readonly #log: string;

  private constructor(home: string) {
    this.path = path.join(home, "bin");
    this.#log = path.join(home, "calls");
  }

  /** `refuses`: words of the call that fails, as a login without the right does; `refusal`: what it then says. */
  static async create(
    home: string,
    options: { readonly refuses?: string; readonly refusal?: string } = {},
  ): Promise<VendorCommands> {
    const commands = new VendorCommands(home);
    await mkdir(commands.path, { recursive: true });
    for (const name of ["aws", "gcloud", "az", "pulumi"]) {
      await writeFile(
        path.join(commands.path, name),
        script(commands.#log, options.refuses ?? "", options.refusal ?? "AccessDenied: the vendor's own words"),
      );
      await chmod(path.join(commands.path, name), 0o755);
    }
    return commands;
  }

  /** The arguments of every call so far, with what came over standard input as the last one. */
  async calls(): Promise<readonly (readonly string[])[]> {
    const text = await readFile(this.#log, "utf8").catch(() => "");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split("\u001f").slice(1, -1));
  }
}
