import { parseDocument } from "yaml";
import { innerPath, refused, type ProjectSource } from "./files.ts";

/** What Yarn's own settings say of it. */
export interface YarnSettings {
  /** The program that the module brings along, below it, and the version that its name says. */
  readonly release?: { readonly path: string; readonly version: string | undefined };
  /** Whether the settings are those that Yarn has from 2 on. */
  readonly modern: boolean;
  /** Whether they name files of the module that an installation reads. */
  readonly local: boolean;
}

/** Reads `.yarnrc.yml`, and `.yarnrc` of the first Yarn. Refuses a program outside of the module. */
export function yarnSettings(source: ProjectSource): YarnSettings {
  const { texts } = source.files;
  const text = texts.get(".yarnrc.yml");
  const modern = text === undefined ? {} : yamlSettings(source, text);
  const classic = /^yarn-path\s+(?:"([^"\n]*)"|(\S+))/m.exec(texts.get(".yarnrc") ?? "");
  const key = modern.yarnPath === undefined ? "yarn-path of .yarnrc" : "yarnPath of .yarnrc.yml";
  const named = modern.yarnPath ?? classic?.[1] ?? classic?.[2];
  if (named !== undefined && typeof named !== "string") {
    throw refused(source, `${key} is ${JSON.stringify(named)}`, "Name the file of Yarn's release.");
  }
  const shared = { modern: text !== undefined, local: named !== undefined || modern.plugins !== undefined };
  if (named === undefined) return shared;
  const path = innerPath(source, key, named);
  const version = /(?:^|\/)yarn-(\d+\.\d+\.\d+(?:-[\w.]+?)?)\.c?js$/.exec(path)?.[1];
  return { ...shared, release: { path, version } };
}

function yamlSettings(
  source: ProjectSource,
  text: string,
): { readonly yarnPath?: unknown; readonly plugins?: unknown } {
  const document = parseDocument(text);
  const settings = document.errors.length === 0 ? (document.toJS() as unknown) : undefined;
  // A file without a setting is null.
  if (settings === null) return {};
  if (typeof settings === "object" && !Array.isArray(settings)) return settings;
  throw refused(source, ".yarnrc.yml is no YAML of settings", "Correct .yarnrc.yml.");
}
