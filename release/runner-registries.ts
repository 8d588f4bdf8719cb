import { isMap } from "../cache/document.ts";
import { KilnError } from "../errors.ts";
import { parseReference } from "../registry/image-reference.ts";
import { parseDocument, readText } from "../settings/checkout-document.ts";
import type { RunnerRegistries } from "./runner-image.ts";

/** Below a checkout: where its language runners are pushed. */
export const REGISTRIES_FILE = "images/pulumi-runner/registries.json";

/** What stands in the files of registries until somebody fills them in. */
const PLACEHOLDERS: readonly string[] = ["your-org", "your-repo", "your-alias", "your-alias-dev"];

/** Reads and checks the registries of a checkout. Throws a usage error that names the file. */
export async function readRunnerRegistries(project: string): Promise<RunnerRegistries> {
  return parseRunnerRegistries(await readText(project, REGISTRIES_FILE));
}

/** Checks the text of a registries file. Throws a usage error that names the file, and the first wrong key. */
export function parseRunnerRegistries(text: string): RunnerRegistries {
  const document = parseDocument(text, REGISTRIES_FILE);
  if (!isMap(document)) throw wrong("it", "a map of production and preproduction", document);
  const { production, preproduction, ...others } = document;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw wrong(unknown, "left away", others[unknown]);
  const registries = {
    production: addresses(production, "production"),
    preproduction: addresses(preproduction, "preproduction"),
  };
  return apart(registries, REGISTRIES_FILE);
}

/**
 * Registries with those of `given` (`production=ADDRESS`) in place of an environment's own. Throws a usage error on any other
 * text, and where an address would then serve both.
 */
export function withRegistries(registries: RunnerRegistries, given: readonly string[]): RunnerRegistries {
  const pairs = given.map((text) => {
    const [, environment, address = ""] = /^(production|preproduction)=(.*)$/.exec(text) ?? [];
    if (environment !== undefined && isAddress(address)) return [environment, address] as const;
    throw new KilnError("usage", `--registry ${text} is no ENVIRONMENT=ADDRESS`, {
      mend: "Write such as production=ghcr.io/owner/repository, or preproduction=localhost:5180/kiln.",
    });
  });
  const of = (environment: string) => pairs.filter(([name]) => name === environment).map(([, address]) => address);
  const [production, preproduction] = [of("production"), of("preproduction")];
  const named = {
    production: production.length > 0 ? production : registries.production,
    preproduction: preproduction.length > 0 ? preproduction : registries.preproduction,
  };
  return apart(named, "--registry");
}

/** The registries, of which none serves both environments. `origin` is what named them. */
function apart(registries: RunnerRegistries, origin: string): RunnerRegistries {
  const toTry = registries.preproduction.map((address) => address.toLowerCase());
  const shared = registries.production.find((address) => toTry.includes(address.toLowerCase()));
  if (shared === undefined) return registries;
  throw new KilnError("usage", `${origin}: ${shared} is both production and preproduction`, {
    mend: "An image to try would take the place of a released one: name two addresses.",
  });
}

/** Whether an address, or a repository below one, is of those that nobody has filled in yet. */
export function isPlaceholder(address: string): boolean {
  return address.split("/").some((part) => PLACEHOLDERS.includes(part));
}

/** The registries of one key of a file. Throws a usage error that names what is wrong there. */
export function addresses(value: unknown, at: string, file = REGISTRIES_FILE): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) throw wrong(at, "a list of one registry or more", value, file);
  return value.map((address: unknown, index) => {
    if (typeof address === "string" && isAddress(address)) return address;
    const expected = "host/path, such as public.ecr.aws/alias or ghcr.io/owner/repository";
    throw wrong(`${at}[${index}]`, expected, address, file);
  });
}

/** Whether a text is the address of a registry with a path below which images are. */
export function isAddress(text: string): boolean {
  if (!/^(localhost(:\d{1,5})?|[\w.-]+\.[\w.-]+(:\d{1,5})?)\/./.test(text)) return false;
  try {
    const { repository, tag, digest } = parseReference(text);
    return repository === text && tag === undefined && digest === undefined;
  } catch {
    return false;
  }
}

function wrong(at: string, expected: string, found: unknown, file = REGISTRIES_FILE): KilnError {
  const shown = found === undefined ? "nothing" : JSON.stringify(found);
  return new KilnError("usage", `${file}: ${at} must be ${expected}, found ${shown}`, {
    mend: "Restore that file from git, or correct the key.",
  });
}
