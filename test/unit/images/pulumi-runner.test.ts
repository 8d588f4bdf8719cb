import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { run } from "../../../toolchain/process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const FOLDER = path.join(import.meta.dirname, "../../../images/pulumi-runner");
const script = (name: string) => path.join(FOLDER, "build", name);
const dockerfile = await readFile(path.join(FOLDER, "Dockerfile"), "utf8");
const steps = dockerfile.replaceAll("\\\n", "");

let root = "";
const at = (...parts: string[]) => path.join(root, ...parts);

beforeEach(async () => {
  root = await temporaryDirectory();
});

/** An archive with one folder, `package`, with a program in it; and what pins it. */
async function archive(): Promise<{ readonly url: string; readonly sum: string }> {
  await mkdir(at("package/bin"), { recursive: true });
  await mkdir(at("bin"));
  await writeFile(at("bin/another"), "");
  await writeFile(at("package/bin/tool"), "#!/bin/sh\necho tool\n");
  await run("tar", ["-czf", at("tool.tgz"), "-C", root, "package"]);
  const sum = createHash("sha512")
    .update(await readFile(at("tool.tgz")))
    .digest("hex");
  return { url: pathToFileURL(at("tool.tgz")).href, sum };
}

const downloads = (list: string, env: Readonly<Record<string, string>> = {}) =>
  // In a folder with names that patterns of a list would match.
  run("sh", [script("downloads"), at("added"), list], {
    cwd: root,
    env: { ...process.env, PROVIDED: at("provided"), ...env },
    allowFailure: true,
  });

describe("the downloads of a language runner", () => {
  it("are checked, unpacked, linked and dated", async () => {
    const { url, sum } = await archive();
    const result = await downloads(
      `tool|${url}|sha512|${sum}|tar.gz|1|/usr/local/tool||/usr/local/bin/tool=../tool/bin/tool|bin/*`,
    );
    expect(result.stderr).toBe("");
    expect(result.code).toBe(0);
    const { mode, mtimeMs } = await stat(at("added/usr/local/tool/bin/tool"));
    expect(mode & 0o777).toBe(0o755);
    expect(await readlink(at("added/usr/local/bin/tool"))).toBe("../tool/bin/tool");
    expect(mtimeMs).toBe(Date.UTC(1980, 0, 1));
    expect((await lstat(at("added/usr/local/bin/tool"))).mtimeMs).toBe(Date.UTC(1980, 0, 1));
  });

  it("fail the build by a wrong checksum, and leave nothing of the file", async () => {
    const { url, sum } = await archive();
    const wrong = sum.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
    const { code, stderr } = await downloads(`tool|${url}|sha512|${wrong}|tar.gz|1|/usr/local/tool|||`);
    expect(code).not.toBe(0);
    expect(stderr).toContain(`the sha512 is ${sum}, pinned is ${wrong}`);
    await expect(stat(at("added/usr/local"))).rejects.toThrow("ENOENT");
  });

  it.each([
    ["no checksum at all", (url: string) => `tool|${url}|sha512||tar.gz|1|/usr/local/tool|||`],
    ["an unknown algorithm", (url: string, sum: string) => `tool|${url}|crc|${sum}|tar.gz|1|/usr/local/tool|||`],
    ["an unknown format", (url: string, sum: string) => `tool|${url}|sha512|${sum}|rar|1|/usr/local/tool|||`],
    ["a file that is not there", () => `tool|file:///nowhere/x|sha512|00|tar.gz|1|/usr/local/tool|||`],
    [
      "a program that the archive lacks",
      (url: string, sum: string) => `tool|${url}|sha512|${sum}|tar.gz|1||bin/other=/usr/local/bin/other||`,
    ],
  ])("fail the build by %s", async (_, line) => {
    const { url, sum } = await archive();
    expect((await downloads(line(url, sum))).code).not.toBe(0);
  });

  it("take single programs, and do without one that not every release has", async () => {
    const { url, sum } = await archive();
    const line = `tool|${url}|sha512|${sum}|tar.gz|1||bin/tool=/usr/local/bin/tool bin/other?=/usr/local/bin/other||`;
    expect((await downloads(line)).code).toBe(0);
    expect((await run(at("added/usr/local/bin/tool"), [])).stdout).toBe("tool\n");
    await expect(stat(at("added/usr/local/bin/other"))).rejects.toThrow("ENOENT");
  });

  it("are not fetched where an image provides them", async () => {
    await mkdir(at("provided/tool/bin"), { recursive: true });
    await writeFile(at("provided/tool/bin/tool"), "#!/bin/sh\necho provided\n");
    const line = "tool|https://unreachable.invalid/x|sha512|00|tar.gz|1||bin/tool=/usr/local/bin/tool||";
    expect((await downloads(line)).code).toBe(0);
    expect((await run(at("added/usr/local/bin/tool"), [])).stdout).toBe("provided\n");
  });
});

describe("the budget of a language runner", () => {
  const measure = (budget: string) =>
    run("sh", [script("measure"), at("added"), budget, "{}"], {
      env: { ...process.env, LAYERS: at("layers") },
      allowFailure: true,
    });

  it("counts what is added, not the base", async () => {
    for (const layer of ["base", "language", "pulumi"]) {
      await mkdir(at("layers", layer), { recursive: true });
      await writeFile(at("layers", layer, "file"), Buffer.alloc(layer === "base" ? 9_000_000 : 1_000_000));
    }
    const kept = await measure("2");
    expect([kept.code, kept.stderr]).toEqual([0, ""]);
    await writeFile(at("layers/pulumi/file"), Buffer.alloc(1_000_001));
    const passed = await measure("2");
    expect(passed.code).not.toBe(0);
    expect(passed.stderr).toContain("its budget is 2 MB");
    expect((await measure("")).code).not.toBe(0);
  });
});

describe("Pulumi with plugins of its image", () => {
  /** The command, with plugins of the test's folder, in front of an echo. */
  async function command(): Promise<string> {
    const text = (await readFile(script("pulumi-with-plugins"), "utf8"))
      .replace("/usr/local/lib/pulumi/plugins", at("shipped"))
      .replace("exec /usr/local/bin/pulumi", "exec echo");
    await writeFile(at("pulumi"), text);
    await chmod(at("pulumi"), 0o755);
    return text;
  }

  it("finds them wherever PULUMI_HOME is, beside those that are there", async () => {
    await command();
    for (const plugin of ["resource-a-v1.0.0", "resource-b-v2.0.0"]) {
      await mkdir(at("shipped", plugin), { recursive: true });
      await writeFile(at("shipped", plugin, "program"), plugin);
    }
    await mkdir(at("home/plugins/resource-a-v1.0.0"), { recursive: true });
    await writeFile(at("home/plugins/resource-a-v1.0.0/program"), "its own");
    const env = { ...process.env, PULUMI_HOME: at("home") };
    for (let time = 0; time < 2; time++)
      expect((await run(at("pulumi"), ["up", "a b"], { env })).stdout).toBe("up a b\n");
    expect(await readFile(at("home/plugins/resource-a-v1.0.0/program"), "utf8")).toBe("its own");
    expect((await lstat(at("home/plugins/resource-b-v2.0.0"))).isDirectory()).toBe(true);
    expect(await readFile(at("home/plugins/resource-b-v2.0.0/program"), "utf8")).toBe("resource-b-v2.0.0");
  });

  it("begins although a container with its process id was killed half-way, and lets other users read", async () => {
    const text = await command();
    await mkdir(at("shipped/resource-a-v1.0.0"), { recursive: true });
    await writeFile(at("shipped/resource-a-v1.0.0/program"), "shipped");
    // What a killed run leaves: a folder with its process id and a link in it.
    const left = `mkdir -p "$PULUMI_HOME/plugins/.resource-a-v1.0.0.$$"
ln -s "${at("shipped/resource-a-v1.0.0/program")}" "$PULUMI_HOME/plugins/.resource-a-v1.0.0.$$/program"\n`;
    await writeFile(
      at("pulumi"),
      text.replace("#!/bin/sh\n", (first) => first + left),
    );
    const env = { ...process.env, PULUMI_HOME: at("home") };
    const { code, stdout, stderr } = await run(at("pulumi"), ["up"], { env, allowFailure: true });
    expect([code, stdout, stderr]).toEqual([0, "up\n", ""]);
    expect((await stat(at("home/plugins/resource-a-v1.0.0"))).mode & 0o777).toBe(0o755);
    expect(await readFile(at("home/plugins/resource-a-v1.0.0/program"), "utf8")).toBe("shipped");
  });
});

describe("images/pulumi-runner/Dockerfile", () => {
  it("adds to the base by steps that run nothing, so that its layers have no date of today", () => {
    const final = steps.slice(steps.indexOf("\nFROM ${BASE_IMAGE} AS runner"));
    expect(final).not.toMatch(/^(RUN|ADD) /m);
    expect(final.match(/^COPY /gm)).toHaveLength(5);
    for (const copy of final.match(/^COPY .*$/gm) ?? []) expect(copy).toMatch(/^COPY --from=\w+ \/added\/ \/$/);
  });

  it("ends as a user by number", () => {
    expect(steps.match(/^USER .*$/gm)?.at(-1)).toBe("USER ${RUNNER_UID}:${RUNNER_GID}");
  });

  it("installs no package that is only recommended, and pipes no download into a shell", async () => {
    const texts = await Promise.all(["packages", "downloads", "user"].map((name) => readFile(script(name), "utf8")));
    for (const text of [dockerfile, ...texts]) {
      expect(text).not.toMatch(/curl[^\n]*\|\s*(ba)?sh/);
      expect(text).not.toMatch(/sum[^\n]*-(c|-check)[^\n]*;/);
      for (const install of text.match(/apt-get install[^\n]*/g) ?? [])
        expect(install).toContain("--no-install-recommends");
    }
  });

  it("hides no failure of a command behind the next one", () => {
    for (const [, command = ""] of steps.matchAll(/^RUN (?:--\S+ +)*(.*)$/gm)) {
      expect(command).not.toMatch(/;|\|/);
      expect(command).toMatch(/^sh \/run\/build\//);
    }
  });

  it("needs no frontend from a registry", () => {
    expect(dockerfile).not.toMatch(/^# *syntax=|<<-?EOF|COPY --link/m);
  });
});
