import { stripVTControlCharacters } from "node:util";
import type { LanguageProgram } from "./catalogue.ts";

/** One thing that was looked at. */
export interface Finding {
  readonly what: string;
  readonly status: "ok" | "failed" | "skipped";
  /** What was seen, or why it was not looked at. */
  readonly detail: string;
}

/** What an engine says of an image. */
export interface ImageFacts {
  /** `uid:gid` */
  readonly user: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What was found inside. */
export interface ContentFacts {
  /** What each program answers when it is asked for its version. */
  readonly answers: Readonly<Record<string, string>>;
  /** Files and folders that anybody may change: the latter without a sticky bit. */
  readonly open: readonly string[];
  /** Programs that run as somebody else (setuid, setgid). */
  readonly privileged: readonly string[];
  /** What installations leave behind. */
  readonly leftovers: readonly string[];
  /** Of the files that the image adds to its base, as they are when unpacked. */
  readonly bytes: number;
}

/** What an image must be. */
export interface Expected {
  readonly language: string;
  readonly variant: string;
  readonly uid: number;
  readonly gid: number;
  /** Megabytes that it may add to its base, by powers of ten. */
  readonly budget: number;
  readonly programs: Readonly<Record<string, LanguageProgram>>;
}

const ENVIRONMENT = { HOME: "/home/runner", USER: "runner", PULUMI_SKIP_UPDATE_CHECK: "true" } as const;

/** Compares an image with what it must be, thing by thing. Pure. */
export function structureFindings(expected: Expected, image: ImageFacts, content: ContentFacts): readonly Finding[] {
  const { labels, environment } = image;
  const pulumi = expected.programs.pulumi?.version ?? "";
  const wanted: Readonly<Record<string, string>> = {
    "org.opencontainers.image.title": `runner-pulumi-${expected.language}`,
    "org.opencontainers.image.version": pulumi,
    "dev.kiln.language.name": expected.language,
    "dev.kiln.language.variant": expected.variant,
  };
  const megabytes = content.bytes / 1e6;
  return [
    equal("user", `${expected.uid}:${expected.gid}`, image.user),
    equal("working directory", "/workspace", image.workingDirectory),
    ...Object.entries(ENVIRONMENT).map(([name, value]) => equal(`variable ${name}`, value, environment[name])),
    found("variables without a login", secretFree(environment), Object.keys(environment).join(" ")),
    ...Object.entries(wanted).map(([name, value]) => equal(`label ${name}`, value, labels[name])),
    ...["description", "licenses", "base.name"].map((name) => said(name, labels, "missing")),
    // What tests build leaves no machine: it need not say of what.
    ...(labels["dev.kiln.language.loopback-hosts"] === "true" ? [] : ["source", "revision"]).map((name) =>
      said(name, labels, `missing: name it by --${name} when you build`),
    ),
    found("size above the base", megabytes <= expected.budget, `${megabytes.toFixed(0)} MB of ${expected.budget} MB`),
    ...Object.entries(expected.programs).map(([name, program]) => answered(name, program, content.answers[name])),
    none("files that anybody may change", content.open),
    none("programs that run as another user", content.privileged),
    none("leftovers of the installation", content.leftovers),
  ];
}

/** The version in what a program printed: the first that is `wanted`, or begins with its numbers. */
export function saysVersion(answer: string, wanted: string): boolean {
  const escaped = wanted.replaceAll(".", String.raw`\.`);
  return new RegExp(String.raw`(?<![\d.])${escaped}(?![\w-])(\.\d|[^\w.]|\.?$)`, "m").test(answer);
}

/** A label of Open Containers that says something: the Dockerfile sets each, to nothing where nobody named it. */
function said(name: string, labels: ImageFacts["labels"], otherwise: string): Finding {
  const text = labels[`org.opencontainers.image.${name}`] ?? "";
  return found(`label ${name}`, text !== "", text === "" ? otherwise : text);
}

function answered(name: string, { version }: LanguageProgram, said = ""): Finding {
  const answer = stripVTControlCharacters(said);
  const [line = "no answer"] = answer.split("\n").filter((text) => /\d+\.\d+/.test(text));
  return found(`${name} ${version}`, saysVersion(answer, version), line.trim().slice(0, 80));
}

function equal(what: string, wanted: string, seen: string | undefined): Finding {
  return found(what, wanted === seen, seen === wanted ? wanted : `${seen ?? "missing"}, and must be ${wanted}`);
}

function found(what: string, isRight: boolean, detail: string): Finding {
  return { what, status: isRight ? "ok" : "failed", detail };
}

function none(what: string, seen: readonly string[]): Finding {
  const more = seen.length > 5 ? ` and ${seen.length - 5} more` : "";
  return found(what, seen.length === 0, seen.length === 0 ? "none" : `${seen.slice(0, 5).join(" ")}${more}`);
}

/** Whether no name of a variable tells of a login. */
function secretFree(environment: Readonly<Record<string, string>>): boolean {
  return (
    environment.PATH !== undefined && !Object.keys(environment).some((name) => /TOKEN|SECRET|PASSW|_KEY/i.test(name))
  );
}
