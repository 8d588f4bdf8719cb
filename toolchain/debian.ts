import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { networkMend } from "./network.mjs";
import { run } from "./process.ts";

/** Whether kiln may install Debian packages here: it runs as root, on Debian, Ubuntu or a child of theirs. */
export async function canInstallPackages(): Promise<boolean> {
  return process.getuid?.() === 0 && isDebian(await readFile("/etc/os-release", "utf8").catch(() => ""));
}

/** Whether an os-release text is of Debian, Ubuntu or one that says it is like them. */
export function isDebian(osRelease: string): boolean {
  const words = [...osRelease.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].flatMap(([, value]) =>
    (value ?? "").replaceAll(/["']/g, "").split(" "),
  );
  return words.includes("debian") || words.includes("ubuntu");
}

/** Installs Debian packages and says so in one line; throws a KilnError with what apt-get said. */
export async function installPackages(packages: readonly string[], why: string, progress: Progress): Promise<void> {
  progress.note(`installing Debian packages for ${why}: ${packages.join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    const trust = aptTrust(env).flatMap((option) => ["-o", option]);
    await run("apt-get", [...trust, "update", "-q"], { env });
    await run("apt-get", [...trust, "install", "-q", "-y", "--no-install-recommends", ...packages], { env });
  } catch (cause) {
    if (cause instanceof KilnError && cause.kind === "interrupted") throw cause;
    throw new KilnError("unreachable", `cannot install ${packages.join(" ")}: ${messageOf(cause)}`, {
      cause,
      mend: networkMend(messageOf(cause)) ?? `run: apt-get update && apt-get install -y ${packages.join(" ")}`,
    });
  }
}

/** The apt option by which mirrors over TLS are trusted through `KILN_CA_FILE`; apt reads no variable for it. */
export function aptTrust(env: NodeJS.ProcessEnv): readonly string[] {
  const file = env.KILN_CA_FILE ?? "";
  return file === "" ? [] : [`Acquire::https::CaInfo=${file}`];
}

/** The apt lines by which this machine gets a Debian suite and its updates; empty where it is of another release. */
export async function debianMirrors(suite: string): Promise<readonly string[]> {
  const parts = (await readdir("/etc/apt/sources.list.d").catch(() => [])).sort();
  const files = ["/etc/apt/sources.list", ...parts.map((name) => path.join("/etc/apt/sources.list.d", name))];
  const lines: string[] = [];
  for (const file of files) {
    const text = await readFile(file, "utf8").catch(() => "");
    if (file.endsWith(".sources")) lines.push(...linesOfStanzas(text, suite));
    if (file.endsWith(".list")) lines.push(...linesOfList(text, suite));
  }
  return lines.some((line) => line.includes(` ${suite} `)) ? lines : [];
}

/** The lines of a `sources.list` that are for this suite, its updates or its security fixes. */
export function linesOfList(text: string, suite: string): readonly string[] {
  return [...text.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/gm)].flatMap(([, uri, of, components]) =>
    isOfSuite(of ?? "", suite) && words(components).includes("main") ? [`deb ${uri ?? ""} ${of ?? ""} main`] : [],
  );
}

/** The same from the stanzas of a `.sources` file, one line for every address and suite. */
export function linesOfStanzas(text: string, suite: string): readonly string[] {
  const uncommented = text.replaceAll(/^#.*\n?/gm, "");
  return uncommented.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string) => words(new RegExp(`^${name}:(.*)$`, "im").exec(stanza)?.[1]);
    if (!field("Types").includes("deb") || !field("Components").includes("main")) return [];
    if (field("Enabled").includes("no")) return [];
    const suites = field("Suites").filter((of) => isOfSuite(of, suite));
    return field("URIs").flatMap((uri) => suites.map((of) => `deb ${uri} ${of} main`));
  });
}

function isOfSuite(name: string, suite: string): boolean {
  return [suite, `${suite}-updates`, `${suite}-security`].includes(name);
}

function words(text = ""): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
