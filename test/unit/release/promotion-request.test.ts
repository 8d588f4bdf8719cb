import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { requestText } from "../../../cli/release/promotion-request.ts";
import { writePullRequest } from "../../../release/github/pull-request.ts";
import type { Promotion } from "../../../release/promote.ts";
import { promotionText, requestPromotion } from "../../../release/promotion-request.ts";
import { FakeGithub } from "./github/fake-github.ts";
import { GIT_ENV, gitRepository, type GitRepository } from "./github/git-repository.ts";

const WARM = "ghcr.io/acme/infra/base-images/iac-runner-warm";
const [OLD, NEW] = ["1", "2"].map((digit) => `${WARM}@sha256:${digit.repeat(64)}`) as [string, string];
const FILE = "stacks/Pulumi.staging.yaml";
const STAGING = `# staging\nconfig:\n  kiln:registry: ghcr.io/acme/infra # here\n  kiln:warmImage: ${OLD}\n`;
const BRANCH = "kiln/promote-staging";

const promotion: Promotion = {
  ...{ from: "dev", to: "staging", warmImage: NEW, before: OLD, dryRun: false, unchanged: false },
  verification: { record: "sha256:r", programs: ["m/aws/vpc"], compileActions: 0 },
  signedBy: undefined,
  copied: { blobs: 0, bytes: 0, attached: [] },
  fileSystem: { count: 1, digest: "sha256:list", diffIds: [] },
  change: { layers: { added: [], removed: [] }, bytesToPull: 0, programs: { added: [], removed: [] }, contract: [] },
};

let repository: GitRepository;
let github: FakeGithub;
let pulls: object[];

beforeEach(async () => {
  for (const [name, value] of Object.entries(GIT_ENV)) vi.stubEnv(name, value);
  repository = await gitRepository({ [FILE]: STAGING, "index.ts": "1" });
  github = await FakeGithub.start();
  pulls = [];
  github.answer = ({ method, url, body }) => {
    if (url === "/repos/acme/infra") return { status: 200, body: { default_branch: "main" } };
    if (method === "GET") return { status: 200, body: pulls };
    const { title, body: text } = body as { title: string; body: string };
    const pull = { number: 12, title, body: text, html_url: "https://github.com/acme/infra/pull/12", user: null };
    pulls = [pull];
    return { status: 201, body: pull };
  };
});

const request = (changed: Partial<Promotion> = {}, report = "warm image  it") =>
  requestPromotion(github.connection, repository.checkout, { ...promotion, ...changed }, report);
const remote = async (...args: string[]) => (await repository.git("--git-dir", repository.bare, ...args)).trim();

// Each starts Git some dozen times.
describe("requestPromotion", { timeout: 60_000 }, () => {
  it("opens a pull request of one commit that changes one line of one file, and leaves the checkout alone", async () => {
    await writeFile(path.join(repository.checkout, FILE), "# being edited\n");
    await writeFile(path.join(repository.checkout, "index.ts"), "2");
    const status = await repository.git("status", "--porcelain", "--branch");
    expect(await request()).toEqual({
      outcome: "opened",
      address: "https://github.com/acme/infra/pull/12",
      startsNoWorkflow: false,
    });
    expect(await remote("diff", "--name-only", "main", BRANCH)).toBe(FILE);
    expect(await remote("show", `${BRANCH}:${FILE}`)).toBe(STAGING.replace(OLD, NEW).trim());
    expect(await remote("rev-list", "--count", `main..${BRANCH}`)).toBe("1");
    expect(await remote("log", "-1", "--format=%s", BRANCH)).toBe("Promote 222222222222 from dev to staging");
    expect(await repository.git("status", "--porcelain", "--branch")).toBe(status);
    expect(await readFile(path.join(repository.checkout, FILE), "utf8")).toBe("# being edited\n");
    expect(github.asked.at(-1)).toMatchObject({
      ...{ method: "POST", url: "/repos/acme/infra/pulls" },
      body: { head: BRANCH, base: "main", title: "Promote 222222222222 from dev to staging" },
    });
  });

  it("changes nothing the second time", async () => {
    await request();
    const commit = await remote("rev-parse", BRANCH);
    github.asked.length = 0;
    expect(await request()).toMatchObject({ outcome: "unchanged" });
    expect(await remote("rev-parse", BRANCH)).toBe(commit);
    expect(github.writes).toEqual([]);
  });

  it("takes the place of an earlier promotion that nobody merged", async () => {
    await request();
    const newer = `${WARM}@sha256:${"3".repeat(64)}`;
    expect(await request({ warmImage: newer })).toMatchObject({ outcome: "updated" });
    expect(github.writes).toEqual(["POST /repos/acme/infra/pulls", "PATCH /repos/acme/infra/pulls/12"]);
    expect(await remote("show", `${BRANCH}:${FILE}`)).toContain(newer);
    expect(await remote("rev-list", "--count", `main..${BRANCH}`)).toBe("1");
  });

  it("makes the branch one commit again where somebody added to it what changes nothing", async () => {
    await request();
    await repository.git("fetch", "--quiet", "origin", BRANCH);
    await repository.git("switch", "--quiet", "--detach", "FETCH_HEAD");
    await repository.git("commit", "--quiet", "--allow-empty", "--message", "empty");
    await repository.git("push", "--quiet", "origin", `HEAD:${BRANCH}`);
    expect(await request()).toMatchObject({ outcome: "updated" });
    expect(await remote("rev-list", "--count", `main..${BRANCH}`)).toBe("1");
  });

  it("does not write over what somebody pushes at the same moment", async () => {
    await request();
    await repository.commit({ "theirs.ts": "1" });
    const racing = writePullRequest(github.connection, {
      ...promotionText(promotion, ""),
      project: repository.checkout,
      file: FILE,
      edit: (content) => {
        execFileSync("git", ["push", "--quiet", "--force", "origin", `HEAD:${BRANCH}`], { cwd: repository.checkout });
        return `${content}  kiln:buildOnPreview: true\n`;
      },
    });
    await expect(racing).rejects.toMatchObject({ kind: "failed", message: /somebody else pushed/ });
    expect(await remote("show", `${BRANCH}:theirs.ts`)).toBe("1");
  });

  it("follows the default branch, and its other changes of the file", async () => {
    await request();
    await repository.commit({ [FILE]: `${STAGING}  kiln:buildOnPreview: true\n` });
    await repository.git("push", "--quiet", "origin", "main");
    expect(await request()).toMatchObject({ outcome: "updated" });
    expect(await remote("show", `${BRANCH}:${FILE}`)).toMatch(/kiln:buildOnPreview: true$/);
    expect(await remote("merge-base", "main", BRANCH)).toBe(await remote("rev-parse", "main"));
  });

  it("opens none where the default branch names the image already", async () => {
    await repository.commit({ [FILE]: STAGING.replace(OLD, NEW) });
    await repository.git("push", "--quiet", "origin", "main");
    const asked = await request();
    expect(asked).toEqual({ outcome: "already merged", address: undefined, startsNoWorkflow: false });
    expect(requestText(asked, promotion.to)).toBe(
      "no pull request: the default branch names this image for staging already",
    );
    expect(await remote("branch", "--list", BRANCH)).toBe("");
    expect(github.writes).toEqual([]);
  });

  it("says that a workflow's own token starts no workflow", async () => {
    const usual = github.answer;
    github.answer = (asked) => {
      const answer = usual(asked);
      if (asked.method !== "POST") return answer;
      return { ...answer, body: { ...(answer.body as object), user: { login: "github-actions[bot]" } } };
    };
    const asked = await request();
    expect(asked.startsNoWorkflow).toBe(true);
    expect(requestText(asked, promotion.to)).toMatch(/^pull request opened: \S+\/12\nGitHub starts no workflow/);
  });

  it("says what is missing where nothing can be pushed", async () => {
    await repository.git("remote", "set-url", "origin", "/nowhere/at/all.git");
    await expect(request()).rejects.toMatchObject({ kind: "unreachable" });
    await repository.git("remote", "remove", "origin");
    await expect(request()).rejects.toMatchObject({ kind: "usage", message: /no remote origin/ });
  });
});

describe("promotionText", () => {
  it("says what merging does, what was promoted, and how it is undone", () => {
    expect(promotionText(promotion, "warm image  it\n").text.split("\n")).toEqual([
      "Merging this makes `staging` run the warm image of `dev`. It is in the registry of `staging` already, with its record.",
      "",
      "```text",
      "warm image  it",
      "```",
      "",
      `A rollback is a revert of the merge: \`${FILE}\` then names \`sha256:${"1".repeat(64)}\` again.`,
    ]);
    expect(promotionText({ ...promotion, before: undefined }, "").text).toMatch(/has had no warm image so far\.$/);
  });
});
