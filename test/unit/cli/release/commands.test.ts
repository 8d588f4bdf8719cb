import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Command, Invocation } from "../../../../cli/command.ts";
import { commentCommand } from "../../../../cli/release/comment.ts";
import { driftCommand, driftText } from "../../../../cli/release/drift.ts";
import { imageCommand } from "../../../../cli/release/image.ts";
import { touchedCommand, touchedText } from "../../../../cli/release/touched.ts";
import { silent } from "../../../../progress.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { FakeGithub, someUser, TOKEN } from "../../release/github/fake-github.ts";
import { GIT_ENV, gitRepository, type GitRepository } from "../../release/github/git-repository.ts";

const here = vi.hoisted(() => ({ project: "" }));
vi.mock("../../../../toolchain/places.ts", async (original) => ({
  ...(await original<object>()),
  places: () => ({ project: here.project, work: here.project, cache: here.project, state: here.project }),
}));

const run = (command: Command, values: Invocation["values"]) =>
  command.run({ values, positionals: [], progress: silent });

describe("kiln release touched", { timeout: 60_000 }, () => {
  let repository: GitRepository;

  beforeEach(async () => {
    for (const [name, value] of Object.entries(GIT_ENV)) vi.stubEnv(name, value);
    const config = "config:\n  kiln:registry: ghcr.io/acme/infra\n";
    repository = await gitRepository({
      "stacks/Pulumi.dev.yaml": config,
      "stacks/Pulumi.prod.yaml": config,
      "stacks/Pulumi.broken.yaml": "config: {kiln:registry: nowhere}\n",
      "index.ts": "1",
    });
    here.project = repository.checkout;
  });

  it("prints a table for people and a matrix for workflows", async () => {
    await repository.commit({ "stacks/Pulumi.dev.yaml": "config:\n  kiln:registry: ghcr.io/acme/other\n" });
    const touched = await run(touchedCommand, { base: "HEAD^" });
    expect(touched.text.split("\n")).toEqual([
      "broken  stacks/Pulumi.dev.yaml is in the context of its docker build",
      "dev     stacks/Pulumi.dev.yaml is its own file",
    ]);
    const matrix = await run(touchedCommand, { base: "HEAD^", matrix: true, follow: ["dev"] });
    expect(JSON.parse(matrix.text)).toEqual({
      include: [{ stack: "dev", reason: "stacks/Pulumi.dev.yaml is its own file" }],
    });
  });

  it("has the stacks whose own images a change is built into", async () => {
    const own = (image: string) => `config:\n  kiln:registry: ghcr.io/acme/infra\n  kiln:${image}\n`;
    await repository.commit({
      "stacks/Pulumi.dev.yaml": own("languageImages: { golang: {} }"),
      "stacks/Pulumi.prod.yaml": own("jobImages: { python: {} }"),
      "stacks/Pulumi.broken.yaml": "config:\n  kiln:registry: ghcr.io/acme/infra\n",
    });
    await repository.commit({ "images/pulumi-runner/Dockerfile": "1" });
    const built = "is in the context of its docker build";
    expect((await run(touchedCommand, { base: "HEAD^" })).text).toBe(`dev  images/pulumi-runner/Dockerfile ${built}`);
    await repository.commit({ "images/programs/main.go": "1" });
    expect((await run(touchedCommand, { base: "HEAD^" })).text).toBe(`prod  images/programs/main.go ${built}`);
  });

  it("follows the program with the stacks that are named, and refuses one that is none", async () => {
    await repository.commit({ "index.ts": "2" });
    const { json } = await run(touchedCommand, { base: "HEAD^", follow: ["dev"] });
    expect(json).toMatchObject({ stacks: [{ stack: "dev" }] });
    await expect(run(touchedCommand, { base: "HEAD^", follow: ["de"] })).rejects.toThrow(/no stacks\/Pulumi\.de\.yaml/);
    await expect(run(touchedCommand, {})).rejects.toThrow(/--base is missing/);
  });

  it("says what is deleted, and when nothing is touched", () => {
    expect(touchedText({ stacks: [], deleted: ["test"] })).toMatch(/^test {2}stacks\/Pulumi\.test\.yaml is deleted/);
    expect(touchedText({ stacks: [], deleted: [] })).toBe("no stack is touched");
  });

  it("has the image of a stack, or nothing", async () => {
    expect((await run(imageCommand, { stack: "dev" })).text).toBe("");
    const image = `ghcr.io/acme/infra/warm@sha256:${"1".repeat(64)}`;
    await repository.commit({
      "stacks/Pulumi.dev.yaml": `config:\n  kiln:registry: ghcr.io/acme/infra\n  kiln:warmImage: ${image}\n`,
    });
    expect(await run(imageCommand, { stack: "dev" })).toMatchObject({ text: image, json: { warmImage: image } });
  });

  it("has the image that a stack runs, or says that it runs none", async () => {
    const bin = await temporaryDirectory();
    const image = `ghcr.io/acme/infra/base-images/iac-runner@sha256:${"2".repeat(64)}`;
    const pulumi = (output: string) => `#!/bin/sh\nif [ "$1" = stack ]; then echo '{"image":"${output}"}'; fi\n`;
    vi.stubEnv("PATH", `${bin}:${process.env.PATH ?? ""}`);
    await writeFile(path.join(bin, "pulumi"), pulumi(image), { mode: 0o755 });
    expect((await run(imageCommand, { stack: "dev", deployed: true })).text).toBe(image);
    await writeFile(path.join(bin, "pulumi"), pulumi("ghcr.io/acme/infra:latest"), { mode: 0o755 });
    await expect(run(imageCommand, { stack: "dev", deployed: true })).rejects.toThrow(/runs none yet/);
  });
});

describe("kiln release comment", () => {
  let github: FakeGithub;

  beforeEach(async () => {
    here.project = await temporaryDirectory();
    await writeFile(path.join(here.project, "price.md"), "3 packages\n");
    github = await FakeGithub.start();
    vi.stubEnv("GITHUB_API_URL", github.address);
    vi.stubEnv("GITHUB_REPOSITORY", "acme/infra");
    vi.stubEnv("GITHUB_TOKEN", TOKEN);
    github.answer = ({ method, url }) => {
      if (url === "/user") return someUser;
      return { status: 200, body: method === "GET" ? [] : { html_url: "https://github.com/acme/infra/pull/7#1" } };
    };
  });

  const values = () => ({ "pull-request": "7", name: "bake", "body-file": path.join(here.project, "price.md") });

  it("writes what the file holds", async () => {
    const { text } = await run(commentCommand, values());
    expect(text).toBe("comment created: https://github.com/acme/infra/pull/7#1");
    expect(github.asked.at(-1)).toMatchObject({ body: { body: "<!-- kiln:bake -->\n3 packages" } });
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["no number", { "pull-request": "#7" }, /no number of a pull request/],
    ["no name", { name: "" }, /--name is missing/],
    ["a name that is none", { name: "a b" }, /cannot name a comment/],
    ["a file that is not there", { "body-file": "/nowhere" }, /cannot be read/],
  ])("refuses %s before it asks GitHub", async (_, wrong, message) => {
    await expect(run(commentCommand, { ...values(), ...wrong })).rejects.toThrow(message);
    expect(github.asked).toEqual([]);
  });

  it("refuses an empty text: the price was not worked out", async () => {
    await writeFile(values()["body-file"], "\n");
    await expect(run(commentCommand, values())).rejects.toThrow(/is empty/);
  });
});

describe("kiln release drift", { timeout: 60_000 }, () => {
  it("knows no stack without a file", async () => {
    const { checkout } = await gitRepository({ "stacks/Pulumi.dev.yaml": "config: {}\n" });
    here.project = checkout;
    await expect(run(driftCommand, { stack: ["de"] })).rejects.toThrow(/no stacks\/Pulumi\.de\.yaml/);
  });

  it("looks for the token before it looks at anything else", async () => {
    const { checkout } = await gitRepository({ "stacks/Pulumi.dev.yaml": "config: {}\n" });
    here.project = checkout;
    for (const name of ["GITHUB_TOKEN", "GH_TOKEN"]) vi.stubEnv(name, "");
    vi.stubEnv("GITHUB_REPOSITORY", "acme/infra");
    await expect(run(driftCommand, { issue: true })).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("prints a row a finding", () => {
    const image = (state: "sound" | "faulty", fault: string) => ({
      image: "r/a@sha256:1",
      namedBy: ["a"],
      state,
      fault,
    });
    const change = { operation: "update", type: "t", name: "n", properties: [] };
    const text = driftText([
      { stack: "dev", preview: { kind: "differs", changes: [change] }, images: [image("sound", "")] },
      { stack: "prod", preview: { kind: "unknown", reason: "x" }, images: [image("faulty", "is no longer there")] },
    ]);
    expect(text.split("\n")).toEqual([
      "dev   resources  update t n",
      "dev   a          r/a@sha256:1 is there",
      "prod  resources  no answer: x",
      "prod  a          r/a@sha256:1 is no longer there",
    ]);
    expect(driftText([])).toBe("no stack to compare");
  });
});
