import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import { parseReference } from "../registry/image-reference.ts";
import type { RunnerRegistries } from "./runner-image.ts";

/** Below a checkout: where its language runners are pushed. */
export const REGISTRIES_FILE = "images/pulumi-runner/registries.json";

/** Reads and checks the registries of a checkout. */
export async function readRunnerRegistries(project: string): Promise<RunnerRegistries> {
  return parseRunnerRegistries(await readFile(path.join(project, REGISTRIES_FILE), "utf8"));
}

/** Checks the text of a registries file. Throws a usage error that names the first wrong key. */
export function parseRunnerRegistries(text: string): RunnerRegistries {
  const document = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const { production, preproduction, ...others } = document;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw wrong(unknown, "left away", others[unknown]);
  const registries = {
    production: addresses(production, "production"),
    preproduction: addresses(preproduction, "preproduction"),
  };
  const shared = registries.production.find((address) => registries.preproduction.includes(address));
  if (shared === undefined) return registries;
  throw new KilnError("usage", `${REGISTRIES_FILE}: ${shared} is both production and preproduction`, {
    mend: "An image to try would take the place of a released one: name two addresses.",
  });
}

/** Registries with those of `given` (`production=ADDRESS`) in place of an environment's own. Throws a usage error on any other text. */
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
  return {
    production: production.length > 0 ? production : registries.production,
    preproduction: preproduction.length > 0 ? preproduction : registries.preproduction,
  };
}

/** Whether an address is one that nobody has filled in yet. */
export function isPlaceholder(address: string): boolean {
  return /(^|[/-])your-/.test(address);
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
