import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { buildCertificates, proxyFlags } from "../../execution/docker.ts";
import type { Watch } from "../../release/watch/watch.ts";
import { engineOf, type TestEngine } from "../support/engine.ts";
import { isExtended } from "../support/extended.ts";
import { ReleaseFeed, watchFile } from "../support/release-feed.ts";
import { writeRunnerTools } from "../support/stand-in-runner.ts";
import { FakeGithub } from "../unit/release/github/fake-github.ts";

const checkout = inject("checkout");
const [BASE, IMAGE] = ["kiln-e2e-node:bookworm", "kiln-e2e-release-watcher"];

let engine: TestEngine;
let folder = "";

describe.runIf(isExtended)("the image of the release watcher", () => {
  beforeAll(async () => {
    engine = await engineOf(checkout);
    folder = await mkdtemp(path.join(tmpdir(), "kiln-release-watcher-"));
    // Debian and this machine's Node and npm, in place of the public image with both.
    await writeRunnerTools("kiln-base:bookworm", folder);
    await rm(path.join(folder, "bin/regctl"));
    await engine.docker(["build", "--tag", BASE, folder]);
    const certificates = buildCertificates();
    await engine.docker([
      ...["build", "--file", path.join(checkout.directory, "images/release-watcher/Dockerfile"), "--tag", IMAGE],
      ...["--build-arg", `BASE_IMAGE=${BASE}`, ...proxyFlags(process.env)],
      ...(certificates === undefined ? [] : ["--secret", `id=ca,src=${certificates}`]),
      checkout.directory,
    ]);
  });

  afterAll(async () => {
    for (const image of [IMAGE, BASE]) await engine.remove(image);
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs the command of the pod as the pod does: no rights, nothing to write to but /tmp. */
  const watch = async (feed: ReleaseFeed, github: FakeGithub, ...flags: readonly string[]) => {
    const config = path.join(folder, "watch.yaml");
    await writeFile(config, watchFile(feed), { mode: 0o644 });
    const env = { GITHUB_REPOSITORY: "acme/infra", GITHUB_API_URL: github.address, KILN_APP_TOKEN: "ghs_of_the_test" };
    return engine.shell("docker", [
      ...["run", "--rm", "--network", "host", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"],
      ...["--security-opt", "no-new-privileges", "--volume", `${config}:/etc/kiln/watch.yaml:ro`],
      ...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...[IMAGE, "watch", "--once", "--via", "api", "--config", "/etc/kiln/watch.yaml"],
      ...["--registry", `preproduction=${feed.host}/kiln`, "--registry", `production=${feed.host}/released`, ...flags],
    ]);
  };

  it("looks without rights and without a file that it could write, and pushes tags by GitHub's API", async () => {
    const [feed, github] = await Promise.all([ReleaseFeed.start(), FakeGithub.start()]);
    feed.releases = [
      { version: "3.254.0-alpha.1", hoursAgo: 90, prerelease: true },
      { version: "3.253.1", hoursAgo: 30, deprecated: "broken" },
      { version: "3.253.0", hoursAgo: 50 },
      { version: "nightly", hoursAgo: 60, on: ["github"] },
    ];
    const root = "/repos/acme/infra/git";
    github.answer = ({ method, url }) => {
      if (method === "POST") return { status: 201, body: { sha: "tag" } };
      if (url.startsWith(`${root}/matching-refs/`)) return { status: 200, body: [] };
      return { status: 200, body: { ref: "refs/heads/main", object: { sha: "head", type: "commit" } } };
    };
    const dry = await watch(feed, github, "--dry-run");
    expect(dry.code, dry.stderr).toBe(0);
    expect(dry.stdout).toBe(
      [
        "3.253.1  withdrawn  npm: deprecated: broken",
        "3.253.0  release    new: known to github and npm; dev-v3.253.0 dry run",
        "pre-releases and drafts left out: 1",
        '"nightly" of github is no version',
        "dry run: 1 tag would be pushed to acme/infra",
        "",
      ].join("\n"),
    );
    expect(github.writes).toEqual([]);

    const pushed = await watch(feed, github, "--json");
    expect(pushed.code, pushed.stderr).toBe(0);
    expect((JSON.parse(pushed.stdout) as Watch).tags).toEqual([{ tag: "dev-v3.253.0", outcome: "pushed" }]);
    expect(github.writes).toEqual([`POST ${root}/tags`, `POST ${root}/refs`]);
    expect(new Set(github.asked.map(({ authorization }) => authorization))).toEqual(
      new Set(["Bearer ghs_of_the_test"]),
    );
  });

  it("holds neither stacks nor tests nor history, no package of the program, and belongs to root", async () => {
    const script = [
      "cd /opt/kiln",
      "ls -d .git .kiln stacks test docs bench examples node_modules/@pulumi node_modules/vitest 2>/dev/null || true",
      `find . \\( -writable -o -name '*.pem' -o -name '*.key' \\) ! -type l -print`,
      "id -u",
    ];
    const { stdout, stderr } = await engine.docker([
      ...["run", "--rm", "--network", "none", "--entrypoint", "sh", IMAGE, "-euc", script.join("\n")],
    ]);
    expect(stdout, stderr).toBe("1001\n");
  });
});
