import * as pulumi from "@pulumi/pulumi";
import { parseSettings, type Settings } from "../../settings.ts";

/** The settings of the stack that is running. Throws a usage error that names the file, the key and what to write there. */
export function stackSettings(): Settings {
  return parseSettings(pulumi.getStack(), ownConfig(), isEncrypted);
}

/** The stack's configuration in kiln's namespace, as Pulumi hands it to a program: in plain text. */
function ownConfig(): Readonly<Record<string, unknown>> {
  const namespace = `${pulumi.getProject()}:`;
  const own = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(namespace));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(namespace.length), value]));
}

/** Whether a key's value is encrypted in the stack's file: the language host hands over the names of those that are. */
function isEncrypted(key: string): boolean {
  const keys: unknown = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]");
  return Array.isArray(keys) && keys.includes(key);
}
