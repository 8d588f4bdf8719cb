import { KilnError } from "../../errors.ts";
import { modeOf, type JobInput } from "./input-folder.ts";

/** Where a key of the Secret appears, below the input folder; without a mode it is the volume's own. */
export interface SecretFile {
  readonly path: string;
  readonly mode?: number;
}

/** What goes into the Secret beside a Kubernetes Job, and under which paths its files appear. */
export interface JobSecretData {
  readonly data: Readonly<Record<string, string>>;
  /** The files of the input, by key. */
  readonly files: Readonly<Record<string, SecretFile>>;
}

/** An API server takes a Secret of a mebibyte, base64 and names included. */
const LARGEST = 700 * 1024;

/** The data of a job's Secret: the secrets as the entrypoint reads them, and each file of the input under a key of its own. */
export function jobSecretData(document: unknown, { files }: JobInput): JobSecretData {
  const secrets = Buffer.from(JSON.stringify(document));
  const bytes = files.reduce((sum, { content }) => sum + content.length, secrets.length);
  if (bytes > LARGEST) {
    throw new KilnError(
      "usage",
      `scripts, parameters and secrets have ${bytes} bytes; in Kubernetes they may have ${LARGEST}`,
      {
        mend: "Fetch the scripts from a repository (--repo URL --ref COMMIT), and give large data as an artifact or by a URL.",
      },
    );
  }
  const keyed = files.map((file, index) => [`input-${index}`, file] as const);
  return {
    data: {
      "secrets.json": secrets.toString("base64"),
      ...Object.fromEntries(keyed.map(([key, { content }]) => [key, content.toString("base64")])),
    },
    files: Object.fromEntries(
      keyed.map(([key, { name, executable }]) => [
        key,
        { path: name, ...(executable ? { mode: modeOf({ executable }) } : {}) },
      ]),
    ),
  };
}
