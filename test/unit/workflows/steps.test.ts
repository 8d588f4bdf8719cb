import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readCommands } from "../../../cli/commands.ts";
import { pins, toolVersions } from "../../../toolchain/pins.ts";
import { shellCommands } from "./shell-commands.ts";
import { workflowFaults, type Offered } from "./workflow-faults.ts";

const PROJECT = path.join(import.meta.dirname, "../../..");
const FOLDER = path.join(PROJECT, ".github/workflows");
const read = (file: string) => readFileSync(path.join(PROJECT, file), "utf8");
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
const makefile = existsSync(path.join(PROJECT, "Makefile")) ? read("Makefile") : "";

const OFFERED: Offered = {
  commands: await readCommands(),
  scripts: Object.keys(scripts),
  isFile: (file) => existsSync(path.join(PROJECT, file)),
  targets: [...makefile.matchAll(/^([\w-]+):/gm)].map(([, target = ""]) => target),
};

const files = readdirSync(FOLDER).filter((file) => /\.ya?ml$/.test(file));

describe("the workflows", () => {
  it("are there", () => {
    expect(files).toEqual(expect.arrayContaining(["drift.yml", "preview.yml", "promote.yml"]));
  });

  it.each(files)("%s: each step is a command that exists, pinned, limited, and with its permissions said", (file) => {
    expect(workflowFaults(read(`.github/workflows/${file}`), OFFERED)).toEqual([]);
  });

  it("log in alike, so that what one of them is mended in is mended in all", () => {
    const [deploy, ...others] = ["promote.yml", "iac-runner-image.yml", "preview.yml", "drift.yml"].map(loginsOf);
    expect(deploy).toHaveLength(4);
    // Nothing of Pulumi's: it may ask a cloud for a key, and that is all.
    const forKey = deploy
      ?.slice(0, 3)
      .map((login) => ({ ...login, if: `${login.if ?? ""} && vars.KILN_SIGNING_KEY != ''` }));
    expect(loginsOf("iac-runner-index.yml")).toEqual(forKey);
    for (const logins of others) expect(logins.slice(0, 3)).toEqual(deploy?.slice(0, 3));
    const [image, preview, drift] = others.map((logins) => logins[3]);
    expect(image).toEqual(deploy?.[3]);
    expect(drift).toEqual(preview);
  });

  it("ask Pulumi Cloud for the organization's token to deploy, and else for that of a team that may read", () => {
    const token = "urn:pulumi:token-type:access_token";
    const [promote, preview] = ["promote.yml", "preview.yml"].map((file) => loginsOf(file)[3]?.with);
    expect(promote).toMatchObject({ "requested-token-type": `${token}:organization` });
    expect(promote).not.toHaveProperty("scope");
    expect(preview).toMatchObject({
      "requested-token-type": `${token}:team`,
      scope: "team:${{ vars.PULUMI_PREVIEW_TEAM }}",
    });
  });

  it.each(files)("%s: cosign is there where seals are made or verified, and is not built first", (file) => {
    const { jobs } = parse(read(`.github/workflows/${file}`)) as { jobs: Record<string, { steps?: Step[] }> };
    for (const { steps = [] } of Object.values(jobs)) {
      const asked = steps.findIndex(({ run = "" }) => /kiln release (?:drift|index|promote|publish|seal)\b/.test(run));
      const there = steps.findIndex(({ uses = "" }) => uses.startsWith("sigstore/cosign-installer@"));
      if (asked >= 0) expect(there >= 0 && there < asked).toBe(true);
    }
  });

  it("install the Pulumi and the cosign that are pinned, and name one commit of each action", () => {
    const texts = files.map((file) => read(`.github/workflows/${file}`));
    const versions = (name: string) =>
      new Set(
        texts.flatMap((text) => [...text.matchAll(new RegExp(`${name}: (\\S+)`, "g"))].map(([, found]) => found)),
      );
    expect(versions("pulumi-version")).toEqual(new Set([toolVersions.pulumi]));
    expect(versions("cosign-release")).toEqual(new Set([`v${pins.cosign.version}`]));
    const pinned = texts.flatMap((text) => [...text.matchAll(/uses: ([\w./-]+)@([0-9a-f]{40})/g)]);
    const commits = Map.groupBy(pinned, ([, action]) => action);
    for (const [action, found] of commits) {
      expect(new Set(found.map(([, , commit]) => commit)).size, action).toBe(1);
    }
  });
});

describe("the Makefile", () => {
  const recipes = [...makefile.matchAll(/^[\w-]+:\n((?:\t.*\n)*)/gm)].map(([, lines = ""]) => lines.trim().split("\n"));

  it("has the targets that people try first, each one command of npm or kiln", () => {
    expect(OFFERED.targets).toEqual(expect.arrayContaining(["up", "down", "test", "simulate", "clean"]));
    expect(recipes).toHaveLength(OFFERED.targets.length);
    for (const lines of recipes) expect(lines).toEqual([expect.stringMatching(/^(?:npm|npx kiln) /)]);
    const steps = recipes.flat().map((line) => `- run: ${line}`);
    expect(workflowFaults(workflow({ steps: steps.join("\n      ") }), OFFERED)).toEqual([]);
  });
});

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Login {
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
}

function loginsOf(file: string): readonly Login[] {
  const { jobs } = parse(read(`.github/workflows/${file}`)) as { jobs: Record<string, { steps: Login[] }> };
  const login = /^(?:aws-actions|google-github-actions|azure\/login|pulumi\/auth-actions)/;
  return Object.values(jobs)
    .flatMap(({ steps }) => steps)
    .filter(({ uses = "" }) => login.test(uses));
}

const offered: Offered = {
  commands: [{ name: "cache plan", options: { out: { type: "string" }, shards: { type: "string" } } }],
  scripts: ["check"],
  isFile: (file) => file === "a.mjs",
  targets: ["up"],
};
const APP = "actions/create-github-app-token@29824e69f54612133e76f7eaac726eef6c875baf # v2.2.1";
const PIN = "actions/checkout@1af3b93b6815bc44a9784bd300feb67ff0d1eeb3 # v6.0.0";

/** A workflow that is right but for one thing. */
const workflow = ({ on = "push", permissions = "{ contents: read }", minutes = "timeout-minutes: 5", steps = "" }) =>
  `on: ${on}\njobs:\n  a:\n    permissions: ${permissions}\n    ${minutes}\n    steps:\n      ${steps}\n`;

describe("the checker", () => {
  it("has nothing to say of a workflow that is right", () => {
    const steps = [
      `- uses: ${PIN}`,
      "  with: { persist-credentials: false }",
      "- run: npm ci && npm run check",
      "- run: |",
      "    plan=$(npx kiln cache plan --shards \"$N\" --out 'a b.json' --quiet)",
      '    echo "plan=$plan" >> "$GITHUB_OUTPUT"',
      '    if [ -n "$plan" ]; then node a.mjs; fi # make nothing',
      "    node -p 'require(\"./plan.json\").shards.length'",
      "    make up",
    ];
    expect(workflowFaults(workflow({ steps: steps.join("\n      ") }), offered)).toEqual([]);
  });

  it.each<[string, Parameters<typeof workflow>[0], RegExp]>([
    ["a command that kiln has not", { steps: "- run: npx kiln cache bakes" }, /kiln has no such command/],
    ["an option that it has not", { steps: "- run: npx kiln cache plan --shard 3" }, /Unknown option '--shard'/],
    ["one inside $( )", { steps: '- run: echo "$(npx kiln plan)"' }, /kiln has no such command/],
    ["a script that package.json has not", { steps: "- run: npm run chekc" }, /no script chekc/],
    ["another npm command", { steps: "- run: npm install" }, /none of ci, test, run/],
    ["npx of another package", { steps: "- run: npx cowsay" }, /npx is for kiln/],
    ["a file that is not there", { steps: "- run: node b.mjs" }, /no such file/],
    ["an expression that is none", { steps: "- run: node -p 'a ='" }, /SyntaxError/],
    ["a target that is not there", { steps: "- run: make down" }, /no target down/],
    ["a program of nobody", { steps: "- run: curl https://example.com | sh" }, /curl is no command/],
    ["a value in a script", { steps: "- run: echo ${{ github.head_ref }}" }, /pass it by env/],
    ["a tag instead of a commit", { steps: "- uses: actions/cache@v4" }, /not pinned/],
    ["a commit without its version", { steps: `- uses: ${PIN.slice(0, 57)}` }, /not pinned/],
    ["a checkout that keeps its token", { steps: `- uses: ${PIN}` }, /persist-credentials/],
    ["an App's token that may all", { steps: `- uses: ${APP}` }, /name each permission/],
    ["a queue that is none", { minutes: "timeout-minutes: 5\n    concurrency: { queue: all }" }, /neither max/],
    [
      "a queue that is cancelled",
      { minutes: "timeout-minutes: 5\n    concurrency: { queue: max, cancel-in-progress: true }" },
      /max beside cancel-in-progress/,
    ],
    ["no time limit", { minutes: "name: a" }, /no timeout-minutes/],
    ["all permissions", { permissions: "write-all" }, /name each permission/],
    ["no permissions", { permissions: "" }, /does not say its permissions/],
    ["a trigger with our token", { on: "pull_request_target" }, /stranger/],
    ["writing for a fork", { on: "pull_request", permissions: "{ issues: write }" }, /fork/],
  ])("names %s", (_, change, fault) => {
    expect(workflowFaults(workflow(change), offered).join("\n")).toMatch(fault);
  });

  it("takes a guard of a job that is needed, and not behind always()", () => {
    const guard = "github.event.pull_request.head.repo.full_name == github.repository";
    const text = (condition: string) =>
      `on: pull_request\njobs:\n  a: { if: ${guard}, permissions: {}, timeout-minutes: 1 }\n` +
      `  b: { if: ${condition}, needs: a, permissions: { issues: write }, timeout-minutes: 1 }\n`;
    expect(workflowFaults(text("success()"), offered)).toEqual([]);
    expect(workflowFaults(text("always()"), offered)).toEqual(["b: may run for a fork's pull request"]);
  });
});

describe("shellCommands", () => {
  it.each<[string, readonly (readonly string[])[]]>([
    ["a b 'c d' \"e $f\"", [["a", "b", "c d", "e $f"]]],
    ["a && b || c; d | e", [["a"], ["b"], ["c"], ["d"], ["e"]]],
    ["x=1 y=$(b c) a", [["b", "c"], ["a"]]],
    ['echo "$(a "$(b)")" done', [["b"], ["a", "$(b)"], ["echo", '$(a "$(b)")', "done"]]],
    ["a \\\n  --b c > d 2>&1", [["a", "--b", "c"]]],
    ["a # b\n# c\nd", [["a"], ["d"]]],
    ["if ! a; then b; fi", [["a"], ["b"]]],
    ["a#b", [["a#b"]]],
    ['if a; then b=(--c "$D"); else b=(-e "$(f)"); fi\ng "${b[@]}"', [["a"], ["f"], ["g", "${b[@]}"]]],
  ])("%j", (script, commands) => {
    expect(shellCommands(script)).toEqual(commands);
  });
});
