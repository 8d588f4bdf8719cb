import { randomInt } from "node:crypto";
import type { Progress } from "../../progress.ts";
import type { RunnerLanguage, RunnerVariant } from "../../release/runner-image.ts";
import { lastLines } from "../../toolchain/process.ts";
import type { ContainerEngine } from "../offline-container.ts";
import { catalogue } from "./catalogue.ts";
import { withContainer, withVolume, type RunningContainer } from "./container.ts";
import { contentFacts, contentScript, readImageFacts } from "./image-facts.ts";
import { prepareProgram, previewFinding } from "./preview.ts";
import { structureFindings, type Expected, type Finding } from "./structure.ts";

export interface LanguageCheck {
  readonly image: string;
  readonly language: RunnerLanguage;
  readonly variant: RunnerVariant;
  readonly expected: Expected;
  /** The checkout. */
  readonly project: string;
  readonly progress: Progress;
}

/** How a platform may start the image: its own user, root, any uid in group 0 as OpenShift does, and any uid at all. */
export function checkedUsers({ uid, gid }: Pick<Expected, "uid" | "gid">, any: number): readonly string[] {
  return [`${uid}:${gid}`, "0:0", `${any}:0`, `${any + 1}:${any + 1}`];
}

/**
 * Looks an image of the engine over: what it says of itself, what is in it, and whether it previews a program of its language
 * without a network, as every kind of user. Gives all findings; one that failed does not stop the next.
 */
export async function checkLanguageImage(engine: ContainerEngine, check: LanguageCheck): Promise<readonly Finding[]> {
  const { image, language, expected, project, progress } = check;
  const { runtime } = catalogue.languages[language];
  const facts = await readImageFacts(engine, image);
  // Above what the image or the system may have, and another one every time.
  const users = checkedUsers(expected, randomInt(100_000, 1_000_000_000));
  const stranger = users.at(-1) ?? "";
  progress.step(`looking over ${image}`);
  const content = await withContainer(engine, { image, user: stranger }, async ({ sh }) => {
    const { stdout } = await sh(contentScript(expected.programs));
    return { ...contentFacts(stdout), hasHost: (await sh(`command -v pulumi-language-${runtime}`)).code === 0 };
  });
  const structure = structureFindings(expected, facts, content);
  if (!content.hasHost) {
    const detail = `the image has no pulumi-language-${runtime}`;
    const isTest = facts.labels["dev.kiln.language.loopback-hosts"] === "true";
    const host: Finding = isTest
      ? {
          what: "preview",
          status: "skipped",
          detail: `${detail}: kiln has no loopback host for it, and the official one was not fetched`,
        }
      : { what: "preview", status: "failed", detail };
    return [...structure, ...(await Promise.all(users.map((user) => homeOf(engine, image, user)))), host];
  }
  progress.step(`previewing a program of ${language} as ${users.length} users`);
  const runs = await withVolume(engine, async (volume) => {
    const prepared = await prepareProgram(engine, { image, language, user: stranger, volume, project });
    if (prepared.status === "failed") return [prepared];
    const findings: Finding[] = [prepared];
    for (const user of users) {
      findings.push(
        ...(await withContainer(engine, { image, user, volume }, async (container) => [
          ...(await writableFindings(container, user)),
          await previewFinding(container, user),
        ])),
      );
    }
    return findings;
  });
  return [...structure, ...runs];
}

async function homeOf(engine: ContainerEngine, image: string, user: string): Promise<Finding> {
  const [finding] = await withContainer(engine, { image, user }, (container) => writableFindings(container, user));
  return finding ?? { what: `home of ${user}`, status: "failed", detail: "not looked at" };
}

/** HOME is where it should be and can be written to; plugins of the image are found also where PULUMI_HOME is another one. */
async function writableFindings({ sh }: RunningContainer, user: string): Promise<readonly Finding[]> {
  const write =
    'set -eu; test "$HOME" = /home/runner; mkdir -p "$HOME/.cache/check" "$HOME/.pulumi"; touch "$HOME/.cache/check/file"; touch /tmp/file';
  const home = await sh(write);
  const written: Finding = {
    what: `home of ${user}`,
    status: home.code === 0 ? "ok" : "failed",
    detail: home.code === 0 ? "/home/runner can be written" : lastLines(home.stderr, 2),
  };
  const findings = [written, ...(await sshFindings(sh, user))];
  const shipped = await sh("ls /usr/local/lib/pulumi/plugins 2>/dev/null");
  const names = shipped.stdout.split("\n").filter((name) => name !== "");
  if (names.length === 0) return findings;
  const listed = await sh("PULUMI_HOME=/tmp/another pulumi plugin ls --json");
  const missing = names.filter((name) => !listed.stdout.includes(`"name": "${pluginName(name)}"`));
  return [
    ...findings,
    {
      what: `plugins as ${user}`,
      status: missing.length === 0 ? "ok" : "failed",
      detail: missing.length === 0 ? `${names.join(" ")}, with another PULUMI_HOME` : `not found: ${missing.join(" ")}`,
    },
  ];
}

/** Where there is OpenSSH, it works for a uid that it finds among no users: left to itself it would end at once. */
async function sshFindings(sh: RunningContainer["sh"], user: string): Promise<readonly Finding[]> {
  if ((await sh("command -v ssh")).code !== 0) return [];
  const { code, stderr } = await sh("ssh -G example.org > /dev/null");
  const detail = code === 0 ? "reads its settings" : lastLines(stderr, 1);
  return [{ what: `ssh as ${user}`, status: code === 0 ? "ok" : "failed", detail }];
}

/** `notes` of `resource-notes-v0.1.0`. */
function pluginName(folder: string): string {
  return folder.replace(/^resource-/, "").replace(/-v\d[\w.+-]*$/, "");
}
