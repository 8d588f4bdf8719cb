/** An instruction of a Dockerfile, its lines joined. */
export interface Instruction {
  readonly line: number;
  readonly name: string;
  readonly text: string;
}

/** What a rule says of a line. The codes that hadolint has are its own; those that begin with KM are of kiln. */
export interface LintFinding {
  readonly code: string;
  readonly line: number;
  readonly message: string;
}

/** The rule that an image is named by digest. */
export const PINNED_RULE = "KM001";

/** The instructions of a Dockerfile in order, without comments. */
export function parseDockerfile(text: string): readonly Instruction[] {
  const found: Instruction[] = [];
  let open: { line: number; parts: string[] } | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line.startsWith("#") || (line === "" && open === undefined)) continue;
    open ??= { line: index + 1, parts: [] };
    const continues = line.endsWith("\\");
    open.parts.push(continues ? line.slice(0, -1).trim() : line);
    if (continues) continue;
    const whole = open.parts.join(" ").trim();
    const [, name = "", rest = ""] = /^(\w+)\s*(.*)$/s.exec(whole) ?? [];
    found.push({ line: open.line, name: name.toUpperCase(), text: rest });
    open = undefined;
  }
  return found;
}

/**
 * What is wrong with a Dockerfile, in the order of its lines. Rules and codes after hadolint, as far as they matter to images
 * that run with cloud credentials; KM rules are kiln's own.
 */
export function lintDockerfile(text: string): readonly LintFinding[] {
  const instructions = parseDockerfile(text);
  const rules = [
    ...pinRules(instructions),
    ...instructions.flatMap(instructionFindings),
    ...finalStageRules(instructions),
    ...frontendRules(text),
  ];
  return rules.sort((a, b) => a.line - b.line || (a.code < b.code ? -1 : 1));
}

/** Bases: an image by tag and digest, a stage of the same file, an argument with such a default or one without a default. */
function pinRules(instructions: readonly Instruction[]): readonly LintFinding[] {
  const defaults = new Map<string, string | undefined>();
  const stages = new Set<string>();
  return instructions.flatMap((instruction) => {
    if (instruction.name === "ARG") {
      const [, name = "", value] = /^(\w+)(?:=(.*))?$/.exec(instruction.text) ?? [];
      if (stages.size === 0) defaults.set(name, value);
    }
    if (instruction.name !== "FROM") return [];
    const [, written = "", stage] = /^(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?$/i.exec(instruction.text) ?? [];
    const argument = /^\$\{(\w+)\}$/.exec(written)?.[1];
    const isGiven = argument !== undefined && defaults.has(argument) && defaults.get(argument) === undefined;
    const image = (argument === undefined ? undefined : defaults.get(argument)) ?? written;
    const isKnown = image === "scratch" || stages.has(image) || isGiven;
    if (stage !== undefined) stages.add(stage);
    return isKnown ? [] : imageFindings(instruction.line, image);
  });
}

function imageFindings(line: number, image: string): readonly LintFinding[] {
  const [named = ""] = image.split("@");
  const tag = /:([^/]+)$/.exec(named)?.[1];
  return [
    ...(tag === undefined ? [{ code: "DL3006", line, message: `${image} has no tag` }] : []),
    ...(tag === "latest" ? [{ code: "DL3007", line, message: `${image} is another image tomorrow` }] : []),
    ...(image.includes("@sha256:") ? [] : [{ code: PINNED_RULE, line, message: `${image} is not pinned by digest` }]),
  ];
}

/** A name that says that its value is secret. */
const SECRET = /(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)(_|$)/i;

function instructionFindings({ line, name, text }: Instruction): readonly LintFinding[] {
  const found = (isWrong: boolean, code: string, message: string) => (isWrong ? [{ code, line, message }] : []);
  switch (name) {
    case "ARG":
    case "ENV":
      return [...text.matchAll(/(?:^|\s)(\w+)(?==|\s|$)/g)].flatMap(([, variable = ""]) =>
        found(SECRET.test(variable), "KM002", `${name} ${variable} would be in the image for everybody to read`),
      );
    case "ADD":
      return found(true, "DL3020", "use COPY: ADD fetches and unpacks");
    case "COPY":
      return found(/--link\b|<<\w/.test(text), "KM004", "the frontend of old engines does not know this");
    case "WORKDIR":
      return found(!/^["']?[/$]/.test(text), "DL3000", "name an absolute folder");
    case "MAINTAINER":
      return found(true, "DL4000", "use a label");
    case "CMD":
    case "ENTRYPOINT":
      return found(!text.startsWith("["), "DL3025", "use the form of a JSON list: a shell would swallow signals");
    case "RUN":
      return runFindings(line, text);
    default:
      return [];
  }
}

function runFindings(line: number, text: string): readonly LintFinding[] {
  const script = text.replace(/^(--\S+\s+)*/, "");
  const installed = [...script.matchAll(/apt-get\s+(?:-\S+\s+)*install\s+([^;&|]*)/g)].flatMap(([, list = ""]) =>
    list.split(/\s+/).filter((word) => word !== "" && !word.startsWith("-")),
  );
  const rules: readonly (readonly [boolean, string, string])[] = [
    [/(^|[;&|]\s*)sudo\s/.test(script), "DL3004", "a build is root already"],
    [
      /apt-get\s+(-\S+\s+)*(dist-)?upgrade/.test(script),
      "DL3005",
      "an upgrade is another one tomorrow: raise the base",
    ],
    [installed.some((one) => !one.includes("=")), "DL3008", "pin the version of each package"],
    [installed.length > 0 && !script.includes("/var/lib/apt/lists"), "DL3009", "remove the lists of apt"],
    [/[^|]\|[^|]/.test(script) && !script.includes("pipefail"), "DL4006", "set -o pipefail before a pipe"],
    [/(curl|wget)[^;&]*\|\s*(ba)?sh/.test(script), "KM005", "what is downloaded is run unchecked"],
    [/chmod\s+(-R\s+)?0?777\s/.test(script), "KM006", "everybody may write there"],
  ];
  return rules.filter(([isWrong]) => isWrong).map(([, code, message]) => ({ code, line, message }));
}

/** The stage that becomes the image: who it runs as, and what it starts. */
function finalStageRules(instructions: readonly Instruction[]): readonly LintFinding[] {
  const start = instructions.findLastIndex(({ name }) => name === "FROM");
  const last = instructions.slice(Math.max(start, 0));
  const line = last.at(-1)?.line ?? 1;
  const user = userOf(instructions, start);
  const [uid = ""] = withDefaults(user?.text ?? "", instructions).split(":");
  const isRoot = user === undefined || uid === "root" || uid === "0";
  return [
    ...(isRoot ? [{ code: "DL3002", line: user?.line ?? line, message: "the last USER is root" }] : []),
    ...(!isRoot && !/^\d+$/.test(uid)
      ? [{ code: "KM003", line: user.line, message: "name the user by number: Kubernetes cannot check a name" }]
      : []),
    ...(["ENTRYPOINT", "CMD"] as const)
      .filter((kind) => last.filter(({ name }) => name === kind).length > 1)
      .map((kind) => ({ code: kind === "CMD" ? "DL4003" : "DL4004", line, message: `${kind} stands there twice` })),
  ];
}

/** A text with each `${NAME}` replaced by the default of an ARG of that name. */
function withDefaults(text: string, instructions: readonly Instruction[]): string {
  const defaults = instructions
    .filter(({ name }) => name === "ARG")
    .map((argument) => /^(\w+)=(.*)$/.exec(argument.text) ?? []);
  return text.replaceAll(
    /\$\{(\w+)\}/g,
    (written: string, name: string) => defaults.find(([, own]) => own === name)?.[2] ?? written,
  );
}

/** The last USER of the stage that begins here, or of the stage that it is made from. */
function userOf(instructions: readonly Instruction[], start: number): Instruction | undefined {
  const [from, ...rest] = instructions.slice(Math.max(start, 0));
  const next = rest.findIndex(({ name }) => name === "FROM");
  const own = rest.slice(0, next === -1 ? rest.length : next).findLast(({ name }) => name === "USER");
  const base = /^(?:--\S+\s+)*(\S+)/.exec(from?.text ?? "")?.[1];
  if (own !== undefined || base === undefined) return own;
  const below = instructions
    .slice(0, Math.max(start, 0))
    .findLastIndex(({ name, text }) => name === "FROM" && /\sAS\s+(\S+)$/i.exec(text)?.[1] === base);
  return below === -1 ? undefined : userOf(instructions, below);
}

function frontendRules(text: string): readonly LintFinding[] {
  const index = text.split("\n").findIndex((line) => /^#\s*syntax\s*=/.test(line));
  return index === -1
    ? []
    : [{ code: "KM004", line: index + 1, message: "a frontend would be fetched for each build" }];
}
