import { KilnError, messageOf } from "../../errors.ts";
import { GO_STAND_INS } from "../../toolchain/plugins/go-stand-ins.ts";
import { pluginLabel, pluginOf, type Plugin } from "../../cache/plugins/plugin.ts";

/** The plugins that a program needs, and what an image has of them. */
export interface ImagePlugins {
  /** Of the SDKs that the program compiles; what go.mod names besides is not needed. */
  readonly needed: readonly Plugin[];
  /** Folders of plugins in the image: `resource-aws-v7.12.0`. */
  readonly baked: readonly string[];
  /** Whether it has Pulumi's Go language host. */
  readonly hasLanguageHost: boolean;
  /** Modules that go.mod requires and Go cannot find in the image, as `path@version`. */
  readonly missingModules: readonly string[];
}

/**
 * Asks Go and the file system of an image, without network. Arguments: the program's directory, then the modules that its
 * go.mod requires.
 */
export const IMAGE_PLUGINS_SCRIPT = `
cd "$1"; shift
if command -v ${GO_STAND_INS.languageHost} > /dev/null; then echo "kiln-host"; fi
for folder in "\${PULUMI_HOME:-$HOME/.pulumi}"/plugins/resource-*; do
  if [ -d "$folder" ]; then echo "kiln-baked \${folder##*/}"; fi
done
go list -deps -f '{{with .Module}}{{if .Version}}{{.Path}}@{{.Version}} {{.Dir}}{{end}}{{end}}' . > /tmp/kiln-modules
sort -u /tmp/kiln-modules | while read -r module tree; do
  document=""
  for folder in "$tree" "$tree"/go "$tree"/go/* "$tree"/*; do
    if [ -f "$folder/pulumi-plugin.json" ]; then
      document=$(tr '\\n' ' ' < "$folder/pulumi-plugin.json")
      break
    fi
  done
  echo "kiln-module $module $document"
done
if [ ! -d "$(dirname "$(go env GOMOD)")/vendor" ] && [ "$#" -gt 0 ]; then
  go list -m -e -f '{{if not .Dir}}kiln-missing {{.Path}}@{{.Version}}{{end}}' "$@"
fi`;

/** Reads what the script printed. Throws where an SDK names what cannot be a plugin. */
export function parseImagePlugins(text: string): ImagePlugins {
  const after = (word: string) =>
    text.split("\n").flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1).trim()] : []));
  // Several SDKs, such as those of azure-native's services, may use one plugin.
  const needed = new Map<string, Plugin>();
  for (const line of after("kiln-module")) {
    const [, goModule = "", document = ""] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    const plugin = pluginOf(goModule, document === "" ? undefined : readDocument(goModule, document));
    if (plugin !== undefined) needed.set(pluginLabel(plugin), plugin);
  }
  return {
    needed: [...needed.values()],
    baked: after("kiln-baked"),
    hasLanguageHost: text.split("\n").includes("kiln-host"),
    missingModules: after("kiln-missing").sort(),
  };
}

function readDocument(goModule: string, text: string): Parameters<typeof pluginOf>[1] {
  try {
    return JSON.parse(text) as Parameters<typeof pluginOf>[1];
  } catch (cause) {
    throw new KilnError("failed", `pulumi-plugin.json of ${goModule} is not JSON: ${messageOf(cause)}`, {
      mend: "Use another version of that SDK.",
      cause,
    });
  }
}

/** The paths of the modules that a go.mod requires, indirect ones too, in its order: what pulumi-language-go asks Go about. */
export function requiredModules(goMod: string): readonly string[] {
  const paths: string[] = [];
  let inBlock = false;
  for (const line of goMod.split("\n")) {
    const words = line
      .replace(/\/\/.*$/, "")
      .trim()
      .split(/\s+/);
    if (words[0] === "require" && words[1] === "(") inBlock = true;
    else if (words[0] === ")") inBlock = false;
    else if (words[0] === "require" && words[1] !== undefined) paths.push(unquoted(words[1]));
    else if (inBlock && words[0] !== undefined && words[0] !== "") paths.push(unquoted(words[0]));
  }
  return paths;
}

function unquoted(word: string): string {
  return word.replace(/^["`]|["`]$/g, "");
}
