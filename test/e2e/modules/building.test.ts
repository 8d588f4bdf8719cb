import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Builder } from "../../../execution/module/builder.ts";
import { engineEnvironment, type Engine } from "../../../toolchain/docker-engine.ts";
import { run } from "../../../toolchain/process.ts";
import { exampleDirectory, moduleEngine, moduleImage, RUNNABLE_EXAMPLES } from "../../support/module-images.ts";
import { ModuleWorkspace } from "../../support/module-workspace.ts";

let engine: Engine;
let scratch: string;

beforeAll(async () => {
  engine = await moduleEngine();
  scratch = await mkdtemp(path.join(tmpdir(), "kiln-building-"));
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

const docker = (...args: readonly string[]) =>
  run(engine.docker, args, { env: engineEnvironment(engine), allowFailure: true });

/** What an example calls its resource and gives back of what it was given; any JSON, and what looks like a flag. */
const ECHO = { deep: [1e6, 123456789012, -3.5, null, true, { "a b": "x y", "": [] }], "--flag": "-3" };
const INPUTS = { echo: ECHO, text: '--secret -3 "quoted" $HOME', secret: "pāss-word-of-the-test", content: "first" };
const FILES = {
  pulumi: { name: "greeting.json", drifted: '{"content":"by hand"}\n' },
  opentofu: { name: "greeting.txt", drifted: "by hand" },
} as const;

describe.each(RUNNABLE_EXAMPLES)("%s", (example) => {
  const file = example === "opentofu" ? FILES.opentofu : FILES.pulumi;
  let image: string;
  let workspace: ModuleWorkspace;

  beforeAll(async () => {
    ({ image } = await moduleImage(engine, example));
    workspace = await ModuleWorkspace.create(engine);
  });

  afterAll(() => workspace.remove());

  it("has an image that starts the entrypoint as a user who may write nothing of it", async () => {
    const { stdout } = await docker("image", "inspect", "--format", "{{json .Config}}", image);
    const config = JSON.parse(stdout) as { User: string; Entrypoint: string[]; Labels: Record<string, string> };
    expect(config.User).toBe("65532:65532");
    expect(config.Entrypoint).toEqual(["/usr/local/bin/kiln-entrypoint"]);
    const { source } = await new Builder().inspect(exampleDirectory(example));
    expect(config.Labels).toMatchObject({
      "dev.kiln.module.tool": example === "opentofu" ? "opentofu" : "pulumi",
      "dev.kiln.module.loopback-hosts": "true",
      "dev.kiln.module.source": source,
    });
    const touched = await docker(
      ...["run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c"],
      "for place in /app /opt/kiln /usr/local/bin; do touch $place/x 2>/dev/null && echo $place; done; find /app /opt/kiln -writable ! -type l",
    );
    expect(touched.stdout).toBe("");
  });

  it("previews, applies, applies again without a change, reports drift, mends it and destroys, offline", async () => {
    const preview = await workspace.perform(image, "preview", INPUTS);
    expect(preview.answer, preview.printed).toMatchObject({ success: true });
    expect(preview.answer.summary.create).toBeGreaterThan(0);
    expect(await readdir(workspace.directory)).not.toContain("notes");

    const apply = await workspace.perform(image, "apply", INPUTS);
    expect(apply.answer, apply.printed).toMatchObject({ success: true });
    const { outputs } = apply.answer;
    expect(outputs.echo?.value).toEqual(ECHO);
    expect(outputs.text?.value).toBe(INPUTS.text);
    expect([outputs.integer, outputs.fraction, outputs.flag].map((output) => output?.value)).toEqual([
      123456789012,
      0.125,
      true,
    ]);
    expect(outputs.list?.value).toEqual([1, "two", [3], { four: 4 }]);
    expect(outputs.object?.value).toEqual({ nested: { empty: {}, none: [] } });
    expect(outputs.secret).toMatchObject({ value: null, sensitive: true });
    expect(JSON.stringify(apply.answer) + apply.printed).not.toContain(INPUTS.secret);
    expect(await readFile(path.join(workspace.directory, "notes", file.name), "utf8")).toContain("first");

    const again = await workspace.perform(image, "apply", INPUTS);
    expect(again.answer.success, again.printed).toBe(true);
    expect(again.answer.summary).toMatchObject({ create: 0, update: 0, delete: 0, replace: 0 });

    await workspace.edit(file.name, file.drifted);
    const drifted = await workspace.perform(image, "refresh", INPUTS);
    expect(drifted.answer, drifted.printed).toMatchObject({ success: true, drift: true });
    expect(drifted.answer.changes.filter(({ action }) => action !== "no-op").length).toBeGreaterThan(0);

    const updated = await workspace.perform(image, "refresh", INPUTS, { refresh: { update: true } });
    expect(updated.answer, updated.printed).toMatchObject({ success: true, drift: true });
    const mended = await workspace.perform(image, "apply", INPUTS);
    expect(mended.answer, mended.printed).toMatchObject({ success: true });
    expect(mended.answer.summary.create + mended.answer.summary.update).toBe(1);
    expect(await readFile(path.join(workspace.directory, "notes", file.name), "utf8")).toContain("first");

    const destroy = await workspace.perform(image, "destroy", INPUTS);
    expect(destroy.answer, destroy.printed).toMatchObject({ success: true });
    expect(await readdir(path.join(workspace.directory, "notes"))).toEqual([]);
  });
});

describe("what builds must not do", () => {
  it("logins and certificates of a build are in no layer and no history", async () => {
    const marker = "s3cret-login-of-the-build";
    const netrc = path.join(scratch, "netrc");
    await writeFile(netrc, `machine nowhere.invalid login x password ${marker}\n`);
    const directory = path.join(scratch, "with-secret");
    await cp(exampleDirectory("opentofu"), directory, { recursive: true });
    const tag = "kiln-test-module-secret:1";
    await new Builder().build({ engine, tag, directory, loopbackHosts: true, secrets: { netrc } });
    try {
      const history = await docker("history", "--no-trunc", tag);
      expect(history.stdout).not.toContain(marker);
      const archive = path.join(scratch, "image.tar");
      await docker("save", "--output", archive, tag);
      const encoded = Buffer.from(marker).toString("base64").slice(0, 20);
      const found = await run("grep", ["-c", "-a", "-e", marker, "-e", encoded, archive], { allowFailure: true });
      expect(found.stdout.trim()).toBe("0");
    } finally {
      await docker("image", "rm", tag);
    }
  });

  it("a module's own Dockerfile is used only when asked for, and gets the entrypoint", async () => {
    const directory = path.join(scratch, "own");
    await cp(exampleDirectory("opentofu"), directory, { recursive: true });
    const { image: base } = await moduleImage(engine, "opentofu");
    await writeFile(path.join(directory, "Dockerfile"), `FROM ${base}\nLABEL made.by=me\nCOPY . /app\nUSER 1234\n`);
    const labels = async (tag: string) =>
      JSON.parse((await docker("image", "inspect", "--format", "{{json .Config.Labels}}", tag)).stdout) as object;
    const build = { engine, directory, loopbackHosts: true };
    await new Builder().build({ ...build, tag: "kiln-test-module-own:generated" });
    await new Builder().build({ ...build, tag: "kiln-test-module-own:own", dockerfile: "own" });
    try {
      expect(await labels("kiln-test-module-own:generated")).not.toHaveProperty("made.by");
      expect(await labels("kiln-test-module-own:own")).toMatchObject({
        ...{ "made.by": "me", "dev.kiln.module.dockerfile": "own" },
      });
      const config = await docker(
        "image",
        "inspect",
        "--format",
        "{{.Config.User}} {{.Config.Entrypoint}}",
        "kiln-test-module-own:own",
      );
      expect(config.stdout.trim()).toBe("1234 [/usr/local/bin/kiln-entrypoint]");
    } finally {
      const tags = ["generated", "own", "own-without-entrypoint"].map((tag) => `kiln-test-module-own:${tag}`);
      await docker("image", "rm", ...tags);
    }
  });
});
