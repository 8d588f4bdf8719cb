import path from "node:path";
import { afterAll, describe, expect, inject, it } from "vitest";
import { buildCertificates, proxyFlags } from "../../execution/docker.ts";
import type { Finding } from "../../execution/language/structure.ts";
import type { PublishedRunner } from "../../release/runner-publish.ts";
import type { RunnerRecord } from "../../release/runner-record.ts";
import { pins } from "../../toolchain/pins.ts";
import { kiln, PROJECT } from "../support/checkout.ts";
import { engineOf } from "../support/engine.ts";
import { isExtended } from "../support/extended.ts";

const checkout = inject("checkout");
const VERSION = pins.pulumi.version;
const FOLDER = path.join(PROJECT, "images/pulumi-runner");
const REGISTRIES = [
  "--registry",
  `production=${checkout.registry}/kiln`,
  "--registry",
  `preproduction=${checkout.registry}/kiln-dev`,
];
const imageOf = (language: string, variant = "slim") => `kiln-e2e-language-${language}:${variant}`;
const made = new Set<string>();

afterAll(async () => {
  const engine = await engineOf(checkout);
  for (const image of made) await engine.remove(image);
});

async function language<Result>(args: readonly string[], code = 0): Promise<Result> {
  const ended = await kiln(checkout, ["language", ...args, "--json"]);
  expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(code);
  return JSON.parse(ended.stdout) as Result;
}

/** Options that name an image of the tests. */
function chosen(name: string, variant = "slim"): readonly string[] {
  const image = imageOf(name, variant);
  made.add(image);
  return ["--language", name, "--variant", variant, "--image", image];
}

/** Looks over an image that was built; gives what was found, none of it wrong. */
async function lookedOver(name: string, variant?: string): Promise<readonly Finding[]> {
  return (await language<{ readonly findings: readonly Finding[] }>(["check", ...chosen(name, variant)])).findings;
}

/** Builds an image and looks it over. */
async function checked(name: string, variant?: string): Promise<readonly Finding[]> {
  await language(["build", ...chosen(name, variant), "--loopback-hosts"]);
  return lookedOver(name, variant);
}

/** The docker build of a language, as a person would repeat it by hand. */
const plan = (name: string) =>
  language<{ readonly target: string; readonly args: Readonly<Record<string, string>> }>([
    ...["build", "--language", name, "--image", "unused", "--loopback-hosts", "--dry-run"],
  ]);

function buildFlags(args: Readonly<Record<string, string>>): readonly string[] {
  const certificates = buildCertificates();
  return [
    ...proxyFlags(process.env),
    ...Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...(certificates === undefined ? [] : ["--secret", `id=ca,src=${certificates}`]),
  ];
}

/** The users as whom a program of the language was previewed, of four. */
const previews = (findings: readonly Finding[]) =>
  findings.filter(({ what, status }) => what.startsWith("preview as ") && status === "ok").map(({ what }) => what);

/** What was left out of looking an image over, which a run of the tests says. */
function leftOut(name: string, findings: readonly Finding[]): readonly string[] {
  const skipped = findings.filter(({ status }) => status === "skipped");
  for (const { what, detail } of skipped) console.info(`skipped: ${what} of ${name}: ${detail}`);
  return skipped.map(({ what }) => what);
}

describe("the JavaScript runner", () => {
  it("previews a program as its user, as root and as users that it does not know", async () => {
    const findings = await checked("javascript");
    expect(previews(findings)).toHaveLength(4);
    expect(previews(findings)).toEqual(expect.arrayContaining(["preview as 1983:1983", "preview as 0:0"]));
    expect(findings.filter(({ what }) => what.startsWith("plugins as "))).toHaveLength(4);
  });

  it.runIf(isExtended)(
    "is released to the registry by its tag, once more without a change, and anew with what it replaces",
    async () => {
      const image = imageOf("javascript");
      const release = async (tag: string, from = image) => {
        const of = ["--tag", tag, "--language", "javascript", ...REGISTRIES];
        const pushed = await language<{ repository: string; digest: string }>(["push", ...of, "--image", from]);
        const by = `${pushed.repository}@${pushed.digest}`;
        return language<PublishedRunner>(["publish", ...of, "--image", by]);
      };
      const repository = `${checkout.registry}/kiln/runner-pulumi-javascript`;
      const first = await release(`v${VERSION}`);
      expect(first.moves[repository]?.kind).toBe("new");
      expect(first.buildTag).toBe(`v${VERSION}-${first.digest.slice(7, 19)}`);
      const again = await release(`v${VERSION}`);
      expect([again.digest, again.moves[repository]?.kind]).toEqual([first.digest, "unchanged"]);

      const engine = await engineOf(checkout);
      const anew = await engine.build(`FROM ${image}\nLABEL dev.kiln.test=anew\n`, "kiln-e2e-language-javascript:anew");
      const second = await release(`v${VERSION}`, anew);
      expect(second.moves[repository]).toEqual({ kind: "replaced", digest: second.digest, replaces: first.digest });
      const history = ["history", "--tag", `v${VERSION}`, "--language", "javascript", ...REGISTRIES];
      const { records } = await language<{ readonly records: readonly RunnerRecord[] }>(history);
      expect(records.map(({ move, digest, replaces }) => [move, digest, replaces])).toEqual([
        ["replaced", second.digest, first.digest],
        ["new", first.digest, undefined],
      ]);
    },
  );

  it.runIf(isExtended)("is not built where a download is another than the pinned one", async () => {
    const { args } = await plan("python");
    const wrong = (args.LANGUAGE_DOWNLOADS ?? "").replace(/\|[0-9a-f]{64}\|/, `|${"0".repeat(64)}|`);
    const engine = await engineOf(checkout);
    const flags = buildFlags({ ...args, LANGUAGE_DOWNLOADS: wrong });
    const ended = await engine.shell("docker", ["build", "--target", "language", ...flags, FOLDER]);
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toContain(`pinned is ${"0".repeat(64)}`);
  });
});

describe.runIf(isExtended)("all language runners", () => {
  it.each(["golang", "python"])("%s previews a program as every kind of user", async (name) => {
    expect(previews(await checked(name))).toHaveLength(4);
  });

  it("have tools where they are asked for", async () => {
    const findings = await checked("python", "tools");
    expect(previews(findings)).toHaveLength(4);
    expect(findings.filter(({ what, status }) => what.startsWith("ssh as ") && status === "ok")).toHaveLength(4);
    for (const name of ["git", "ssh", "kubectl"]) {
      expect(findings.find(({ what }) => what.startsWith(`${name} `))?.status, name).toBe("ok");
    }
  });

  it.each(["java", "yaml"])("%s is built and looked over, but for a preview", async (name) => {
    expect(leftOut(name, await checked(name))).toEqual(["preview"]);
  });

  it("dotnet is built and looked over as far as its vendor can be reached", async () => {
    const ended = await kiln(checkout, ["language", "build", ...chosen("dotnet"), "--loopback-hosts"]);
    if (ended.code === 0) {
      const findings = await lookedOver("dotnet");
      // With the official language host every user previews; without it the check says that none could.
      expect(leftOut("dotnet", findings)).toEqual(previews(findings).length === 4 ? [] : ["preview"]);
      return;
    }
    expect(ended.code, ended.stderr).toBe(4);
    expect(ended.stderr).toMatch(/https:\/\/builds\.dotnet\.microsoft\.com\/\S+ cannot be fetched/);
    console.info(`skipped: the check of dotnet: ${/kiln: (.*)/.exec(ended.stderr)?.[1] ?? ""}`);
  });

  it("two builds that share nothing have the same layers", async () => {
    const engine = await engineOf(checkout);
    const layersOf = async (image: string) =>
      (await engine.docker(["image", "inspect", "--format", "{{json .RootFS.Layers}}", image])).stdout;
    await checked("yaml");
    const { target, args } = await plan("yaml");
    const again = imageOf("yaml", "again");
    made.add(again);
    await engine.docker(["build", "--no-cache", "--target", target, "--tag", again, ...buildFlags(args), FOLDER]);
    expect(await layersOf(again)).toBe(await layersOf(imageOf("yaml")));
  });
});
