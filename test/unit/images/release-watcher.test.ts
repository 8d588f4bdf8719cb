import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { RUNNER_GID, RUNNER_UID } from "../../../runners/runner-user.ts";
import pinned from "../../../toolchain/pins.json" with { type: "json" };
import { parseDockerIgnore } from "../../../toolchain/plugins/docker-provider/docker-ignore.ts";
import { run } from "../../../toolchain/process.ts";

const PROJECT = path.join(import.meta.dirname, "../../..");
const FOLDER = path.join(PROJECT, "images/release-watcher");

/** Refuses the packages that the image leaves out. */
const HOOK = `import { registerHooks } from "node:module";
registerHooks({ resolve(name, context, next) {
  if (name.startsWith("@pulumi/")) throw new Error(name + " is not in the image");
  return next(name, context);
} });`;

describe("images/release-watcher/Dockerfile", { timeout: 60_000 }, () => {
  it("stands on the pinned Node, and runs as the user of the pod", async () => {
    const dockerfile = await readFile(path.join(FOLDER, "Dockerfile"), "utf8");
    expect(dockerfile).toContain(`ARG BASE_IMAGE=docker.io/library/node:${pinned.node.version}-bookworm-slim`);
    expect(dockerfile).toContain(`USER ${RUNNER_UID}:${RUNNER_GID}`);
    expect(dockerfile).toMatch(/npm ci --omit=dev --ignore-scripts/);
  });

  it("holds neither stacks nor history, and no key that lies in the checkout", async () => {
    const ignored = (await readFile(path.join(FOLDER, "Dockerfile.dockerignore"), "utf8")).split("\n");
    expect(ignored).toEqual(expect.arrayContaining([".git", "stacks", "**/node_modules", "**/*.pem", "**/*.key"]));
  });

  it("holds no login: npm's settings are a secret of the build", async () => {
    const ignored = parseDockerIgnore(await readFile(path.join(FOLDER, "Dockerfile.dockerignore"), "utf8"));
    for (const file of [".npmrc", ".netrc", "images/programs/.netrc", ".git-credentials", ".env.local"]) {
      expect(ignored.ignores(file), file).toBe(true);
    }
    expect(["cli/kiln.mjs", "package-lock.json"].filter((file) => ignored.ignores(file))).toEqual([]);
    const dockerfile = await readFile(path.join(FOLDER, "Dockerfile"), "utf8");
    expect(dockerfile).toMatch(
      /--mount=type=secret,id=npmrc[\s\S]*NPM_CONFIG_USERCONFIG=\/run\/secrets\/npmrc[\s\S]*npm ci/,
    );
  });

  it("needs no package that it leaves out", async () => {
    const hook = `data:text/javascript,${encodeURIComponent(HOOK)}`;
    const args = ["--import", hook, path.join(PROJECT, "cli/kiln.mjs"), "watch", "--help"];
    const { code, stdout, stderr } = await run(process.execPath, args, { allowFailure: true });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("npx kiln watch");
  });
});
