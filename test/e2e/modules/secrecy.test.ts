import { spawn } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { engineEnvironment, type Engine } from "../../../toolchain/docker-engine.ts";
import { dockerAlone } from "../../support/docker-alone.ts";
import { moduleCommand } from "../../support/module-command.ts";
import { moduleEngine, moduleImage } from "../../support/module-images.ts";
import { ModuleRuns } from "../../support/module-runs.ts";
import { readTexts, spellings } from "../../support/spellings.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { unpackedImage, wordsIn } from "../../support/word-search.ts";
import { TELLING } from "./telling-modules.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await moduleEngine();
});

/** With what encoders change: quotes, signs of URLs, two lines, letters beyond ASCII. */
const SECRET = 'Zq7&"kä/ n+8?w=\\x\nSecond-Line-9f3';
/** As hard to find, and no secret: what the same search must find wherever a secret could stand. */
const CONTROL = 'Ct5&"mö/ p+4?v=\\y\nControl-Line-4d1';

/** What anybody may look at while a run is at it. */
async function lookAt(runs: ModuleRuns, name: string): Promise<Map<string, string>> {
  const docker = async (...args: readonly string[]) => {
    const { stdout, stderr } = await runs.docker(...args);
    return stdout + stderr;
  };
  return new Map([
    ["docker inspect", await docker("inspect", name)],
    ["docker top", await docker("top", name, "-eo", "pid,args")],
    ["docker logs", await docker("logs", name)],
    ["docker diff", await docker("diff", name)],
    ["request", await docker("exec", name, "cat", "/workspace/input.json")],
    ["command lines", await commandLines()],
  ]);
}

/** What everybody on this machine may read of its processes. */
async function commandLines(): Promise<string> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const texts = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""));
  return (await Promise.all(texts)).join("\n").replaceAll("\0", " ");
}

/** Every file below a state directory, by its name. */
async function stateFiles(directory: string): Promise<Map<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const read = async (file: string) => [path.basename(file), await readFile(file, "utf8")] as const;
  return new Map(await Promise.all(files.map(read)));
}

function expectNoSecret(places: ReadonlyMap<string, string>): void {
  for (const [place, text] of places) {
    const texts = readTexts(text);
    const found = spellings(SECRET).filter((spelling) => texts.includes(spelling));
    expect(found, place).toEqual([]);
  }
}

describe.each(["pulumi-nodejs", "opentofu"] as const)("a secret of %s", (example) => {
  it("is nowhere but in its channel and in the decrypted output", async () => {
    const { image } = await moduleImage(engine, example);
    const runs = new ModuleRuns(engine, image, await temporaryDirectory());
    let looked: Promise<Map<string, string>> | undefined;
    const look = async () => lookAt(runs, (await runs.containers(`secrecy-${example}`))[0] ?? "");
    // Long enough to look at the container while the tool is at it.
    const slow = example === "opentofu" ? { delay_seconds: 3 } : { delaySeconds: 3 };
    const applied = await runs.perform("apply", {
      network: "none",
      secrets: { inputs: { secret: SECRET } },
      fields: { run_id: `secrecy-${example}`, inputs: { ...slow, text: CONTROL } },
      onEvent: ({ kind, status }) => {
        if (kind === "resource" && status === "started") looked ??= look();
      },
    });
    expect(applied.response.error).toBeUndefined();
    expect(applied.outputs.secret).toEqual({ value: SECRET, sensitive: true });
    expect(applied.outputs.text).toEqual({ value: CONTROL, sensitive: false });
    const seen = (await looked) ?? new Map<string, string>();
    const kept = await stateFiles(runs.state);
    const said = new Map([
      ["response", JSON.stringify(applied.response)],
      ["events", JSON.stringify(runs.events)],
    ]);

    expect(seen.get("docker inspect")).toContain("KILN_SECRETS=stdin");
    expect(seen.get("docker top")).toContain("kiln-entrypoint");
    for (const text of [
      seen.get("request"),
      kept.get("request.json"),
      kept.get("response.json"),
      said.get("response"),
    ]) {
      expect(readTexts(text ?? "")).toContain("Control-Line-4d1");
    }
    expect([...kept.keys()]).toEqual(expect.arrayContaining(["state.json", "events.ndjson"]));
    expectNoSecret(new Map([...seen, ...kept, ...said]));
  });

  it("that the module prints in several spellings before it fails of it is in nothing that is left", async () => {
    const { file, program, forms } = TELLING[example];
    const runs = new ModuleRuns(engine, await tellingImage(example, file, program), await temporaryDirectory());
    const stack = `test-telling-${example}`;
    const input = path.join(await temporaryDirectory(), "inputs.json");
    await writeFile(input, JSON.stringify({ control: CONTROL }));
    const options = ["--stack-name", stack, "--state", runs.state, "--network", "none", "--input", input];
    const { PATH } = await dockerAlone(engine, runs.state);
    const running = moduleCommand(["apply", runs.image, ...options, "--secret", "secret=env:TOLD"], {
      ...engineEnvironment(engine),
      ...{ PATH, TOLD: SECRET },
    });
    await running.saying(/telling now/);
    const { stdout: name } = await runs.docker(
      "ps",
      "--filter",
      `label=dev.kiln.stack=${stack}`,
      "--format",
      "{{.Names}}",
    );
    const seen = await lookAt(runs, name.trim());
    expect(await running.ended, running.said()).toBe(1);
    const kept = await stateFiles(runs.state);
    const said = running.said();

    // The control was printed beside the secret, in the same spellings, and this search finds it everywhere.
    for (const [place, text] of [
      ["output", said],
      ["events.ndjson", kept.get("events.ndjson") ?? ""],
      ["response.json", kept.get("response.json") ?? ""],
    ] as const) {
      for (const form of forms(CONTROL)) expect(readTexts(text), place).toContain(form);
    }
    expect(readTexts(seen.get("request") ?? "")).toContain("Control-Line-4d1");
    expect(readTexts(kept.get("request.json") ?? "")).toContain("Control-Line-4d1");
    expect(seen.get("docker inspect")).toContain("KILN_SECRETS=stdin");
    expect(seen.get("command lines")).toContain("secret=env:TOLD");
    expect(JSON.parse(kept.get("response.json") ?? "")).toMatchObject({ success: false, phase: "done" });
    expectNoSecret(new Map([...seen, ...kept, ["output", said]]));

    // What the module knows of itself is in a layer; what it was told is in none.
    const words = [...spellings(SECRET), "a-word-of-the-module"];
    expect([...(await wordsInImage(runs.image, words))]).toEqual(["a-word-of-the-module"]);
  });
});

/** The image of an example with another program in it. */
async function tellingImage(example: keyof typeof TELLING, file: string, program: string): Promise<string> {
  const { image } = await moduleImage(engine, example);
  const context = await temporaryDirectory();
  const runs = new ModuleRuns(engine, image, context);
  await writeFile(path.join(context, file), program);
  const lines = [`FROM ${image}`, "USER 0", "RUN rm -f /app/*.tf", `COPY ${file} /app/`, "USER 65532:65532"];
  await writeFile(path.join(context, "Dockerfile"), `${lines.join("\n")}\n`);
  const tag = `kiln-test-module-telling-${example}:${process.pid}`;
  const built = await runs.docker("build", "--tag", tag, context);
  expect(built.code, built.stderr).toBe(0);
  onTestFinished(async () => {
    await runs.docker("image", "rm", tag);
  });
  return tag;
}

async function wordsInImage(image: string, words: readonly string[]): Promise<ReadonlySet<string>> {
  const save = spawn(engine.docker, ["save", image], {
    env: engineEnvironment(engine),
    stdio: ["ignore", "pipe", "inherit"],
  });
  return wordsIn(words, unpackedImage(save.stdout));
}
