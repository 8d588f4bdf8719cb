import { spawn } from "node:child_process";
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Builder } from "../../../execution/module/builder.ts";
import { engineEnvironment, type Engine } from "../../../toolchain/docker-engine.ts";
import { run } from "../../../toolchain/process.ts";
import {
  exampleDirectory,
  moduleEngine,
  moduleImage,
  RUNNABLE_EXAMPLES,
  type RunnableExample,
} from "../../support/module-images.ts";
import { ModuleWorkspace, type Answer } from "../../support/module-workspace.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { unpackedImage, wordsIn } from "../../support/word-search.ts";

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

  // The others go the whole way in executing.test.ts.
  const whole = example === "pulumi-nodejs" || example === "opentofu";
  const way = whole ? "applies again without a change, reports drift, mends it" : "gives every type of JSON";

  it(`previews, applies, ${way} and destroys, offline`, async () => {
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
    // Pulumi's SDKs for Python and Go export nothing where they are given nothing.
    if (!["pulumi-python", "pulumi-go"].includes(example)) expect(outputs.nothing).toEqual({ value: null });
    expect(outputs.secret).toMatchObject({ value: null, sensitive: true });
    expect(JSON.stringify(apply.answer) + apply.printed).not.toContain(INPUTS.secret);
    expect(await readFile(path.join(workspace.directory, "notes", file.name), "utf8")).toContain("first");

    if (whole) await changeByHand();

    const destroy = await workspace.perform(image, "destroy", INPUTS);
    expect(destroy.answer, destroy.printed).toMatchObject({ success: true });
    expect(await readdir(path.join(workspace.directory, "notes"))).toEqual([]);
  });

  async function changeByHand(): Promise<void> {
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
  }
});

describe("a person with Docker and no more", () => {
  /** `docker run -v DIR:/workspace IMAGE`, to the letter. */
  async function dockerRun(example: RunnableExample, folder: string, ...flags: readonly string[]) {
    const { image } = await moduleImage(engine, example);
    const request = { action: "apply", inputs: { text: "by hand" }, stack_name: "test" };
    await writeFile(path.join(folder, "input.json"), JSON.stringify(request));
    const ended = await docker("run", "--rm", ...flags, "-v", `${folder}:/workspace`, image);
    const text = await readFile(path.join(folder, "output.json"), "utf8").catch(() => "null");
    return { ...ended, printed: ended.stdout + ended.stderr, answer: JSON.parse(text) as Answer | null };
  }

  async function folderOf(mode: number, owner: number): Promise<string> {
    const folder = path.join(await temporaryDirectory(), "run");
    await mkdir(folder);
    // Whatever umask this has.
    await chmod(folder, mode);
    await chown(folder, owner, owner);
    return folder;
  }

  it.each(["pulumi-nodejs", "opentofu"] as const)(
    "completes a request to %s in a folder for everybody",
    async (example) => {
      const folder = await folderOf(0o777, process.getuid?.() ?? 0);
      const { code, answer, printed } = await dockerRun(example, folder);
      expect(code, printed).toBe(0);
      expect(answer).toMatchObject({ success: true, outputs: { text: { value: "by hand" } } });
      expect((await stat(path.join(folder, "state.key"))).mode & 0o777).toBe(0o600);
      // There is no tmpfs: it says where secrets were meanwhile.
      expect(printed).toContain("secrets are in /dev/shm/");
    },
  );

  it("of a folder that is hers alone is told what to add, and that serves", async () => {
    // To root every folder is open; the container's user is another one.
    const uid = process.getuid?.() ?? 0;
    const owner = uid === 0 ? 4321 : uid;
    const folder = await folderOf(0o755, owner);
    const refused = await dockerRun("opentofu", folder);
    expect(refused.code).not.toBe(0);
    expect(refused.answer).toBeNull();
    expect(refused.printed).toMatch(/\/workspace/);
    expect(refused.printed).toContain("--user");
    const { code, answer, printed } = await dockerRun("opentofu", folder, "--user", `${owner}:${owner}`);
    expect(code, printed).toBe(0);
    expect(answer).toMatchObject({ success: true });
    expect((await stat(path.join(folder, "output.json"))).uid).toBe(owner);
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
      expect(history.stdout).toContain("kiln-entrypoint");
      const encoded = Buffer.from(marker).toString("base64").slice(0, 20);
      const words = [marker, encoded, "filesystem_mirror"];
      const save = spawn(engine.docker, ["save", tag], {
        env: engineEnvironment(engine),
        stdio: ["ignore", "pipe", "inherit"],
      });
      // The step that could read the login wrote the mirror's settings into its layer.
      expect([...(await wordsIn(words, unpackedImage(save.stdout)))]).toEqual(["filesystem_mirror"]);
      for (const word of [marker, encoded]) expect(history.stdout).not.toContain(word);
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
    const own = await new Builder().build({ ...build, tag: "kiln-test-module-own:own", dockerfile: "own" });
    try {
      // Where its state is depends on the tool, and its own Dockerfile does not say it.
      expect(own.labels).toMatchObject({ "dev.kiln.module.tool": "opentofu" });
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
      const names = await docker("image", "ls", "--format", "{{.Tag}}", "kiln-test-module-own");
      expect(names.stdout.trim().split("\n").sort()).toEqual(["generated", "own"]);
    } finally {
      await docker("image", "rm", "kiln-test-module-own:generated", "kiln-test-module-own:own");
    }
  });
});
