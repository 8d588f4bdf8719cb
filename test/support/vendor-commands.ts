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

/** A shell's words of one rule. */
const words = (text: string) =>
  text
    .split(" ")
    .map((word) => `'${word}'`)
    .join(" ");

/** One program for all four, in shell: dozens of calls a test, and Node takes a hundred times longer to start. */
const script = (log: string, refuses: string) => `#!/bin/sh
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
  holds "$call" '--format=value(lifecycle_config)'
}
touch "$log"
case "$call" in *dev/stdin*) noted="$call$(cat)$us" ;; *) noted=$call ;; esac
printf '%s\\n' "$noted" >>"$log"
${refuses === "" ? "" : `if holds "$call" ${words(refuses)}; then echo "AccessDenied: the vendor's own words" >&2; exit 254; fi`}
${REMEMBERED.map(([check, done], index) => `${index === 0 ? "if" : "elif"} holds "$call" ${words(check)}; then answer ${words(done)}; exit`).join("\n")}
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

  /** `refuses`: words of the call that fails, as a login without the right does. */
  static async create(home: string, options: { readonly refuses?: string } = {}): Promise<VendorCommands> {
    const commands = new VendorCommands(home);
    await mkdir(commands.path, { recursive: true });
    for (const name of ["aws", "gcloud", "az", "pulumi"]) {
      await writeFile(path.join(commands.path, name), script(commands.#log, options.refuses ?? ""));
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
