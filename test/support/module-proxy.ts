import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

/** Go takes an archive without entries for directories only. */
const ZIP = `import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for name, text in json.loads(sys.argv[2]).items():
        archive.writestr(name, text)`;

/**
 * Adds one version of a module to a folder that serves as GOPROXY by `file://` or behind a web server: `files` by name,
 * go.mod among them.
 */
export async function writeModuleVersion(
  folder: string,
  module: string,
  version: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const at = path.join(folder, module, "@v");
  await mkdir(at, { recursive: true });
  await writeFile(path.join(at, `${version}.mod`), files["go.mod"] ?? "");
  await writeFile(path.join(at, `${version}.info`), JSON.stringify({ Version: version, Time: "2024-01-01T00:00:00Z" }));
  const entries = Object.entries(files).map(([name, text]) => [`${module}@${version}/${name}`, text]);
  const document = JSON.stringify(Object.fromEntries(entries));
  await promisify(execFile)("python3", ["-c", ZIP, path.join(at, `${version}.zip`), document]);
}
