import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { readEntries } from "../../cache/closure.ts";
import type { CacheManifest } from "../../cache/manifest.ts";
import type { Verification } from "../../cache/verify.ts";
import { FIXTURE, FIXTURE_PATTERN, freePort, kiln, PROJECT, type KilnResult } from "../support/checkout.ts";
import { engineOf } from "../support/engine.ts";

const checkout = inject("checkout");
const store = path.join(PROJECT, ".kiln/test-store-fixture");
let root = "";
const at = (...parts: string[]) => path.join(root, ...parts);
const select = (source: string) => ["--source", source, "--modules", FIXTURE_PATTERN];
const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => kiln(checkout, args, { env });

const expectEnd = (result: KilnResult, code: number) => {
  expect({ code: result.code, stderr: code === 0 ? result.stderr : "" }).toEqual({
    code,
    stderr: code === 0 ? result.stderr : "",
  });
};

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "kiln-fixture-"));
  await cp(FIXTURE, at("source"), { recursive: true });
});

afterAll(() => rm(root, { recursive: true, force: true }));

describe("simulate: plan, shards, merge and verify on this machine", () => {
  it("warms by provider, with what both share in a base shard", async () => {
    const args = [...select(at("source")), "--by", "provider", "--store", store, "--out", at("by-provider")];
    const result = await run(["cache", "simulate", ...args]);
    expectEnd(result, 0);
    expect(result.stdout).toContain("no compile action");
    const plan = JSON.parse(await readFile(at("by-provider.plan.json"), "utf8")) as {
      shards: { id: string; packages: Record<string, number> }[];
    };
    expect(plan.shards.map(({ id }) => id)).toEqual(["base", "alpha", "beta"]);
    expect(Object.keys(plan.shards[0]?.packages ?? {})).toContain("example.com/fixture/shared");
    expect(Object.keys(plan.shards[1]?.packages ?? {})).toContain("github.com/google/uuid");
    expect(Object.keys(plan.shards[2]?.packages ?? {})).toContain("text/template");
  });

  it("gives the same cache, to the entry, however the programs are divided", async () => {
    const args = [...select(at("source")), "--shards", "3", "--store", store, "--out", at("by-count")];
    expectEnd(await run(["cache", "simulate", ...args]), 0);
    const [left, right] = await Promise.all(
      ["by-provider", "by-count"].map((name) => readEntries(at(name, "go-build"))),
    );
    expect(left?.length).toBeGreaterThan(100);
    expect(left).toEqual(right);
  });

  it("ships nothing of the store's history", async () => {
    const used = await readEntries(at("by-provider/go-build"));
    const png = at("other");
    await mkdir(path.join(png, "gamma/one"), { recursive: true });
    await writeFile(path.join(png, "go.mod"), "module example.com/other\n\ngo 1.26\n");
    await writeFile(path.join(png, "gamma/one/main.go"), 'package main\n\nimport _ "image/png"\n\nfunc main() {}\n');
    expectEnd(
      await run(["cache", "simulate", ...select(png), "--by", "provider", "--store", store, "--out", at("png")]),
      0,
    );
    const args = [...select(at("source")), "--by", "provider", "--store", store, "--out", at("again")];
    expectEnd(await run(["cache", "simulate", ...args]), 0);
    expect(await readEntries(at("again/go-build"))).toEqual(used);
    expect((await readEntries(path.join(store, "go-build"))).length).toBeGreaterThan(used.length);
  });

  it("warm, merge and verify by hand do the same, and a lost entry is named", async () => {
    const plan = at("plan.json");
    expectEnd(
      await run(["cache", "plan", ...select(at("source")), "--by", "provider", "--store", store, "--out", plan]),
      0,
    );
    for (const shard of ["alpha", "beta"]) {
      const args = [
        "--plan",
        plan,
        "--source",
        at("source"),
        "--shard",
        shard,
        "--store",
        store,
        "--out",
        at("hand", shard),
      ];
      expectEnd(await run(["cache", "warm", ...args]), 0);
    }
    expectEnd(await run(["cache", "merge", "--out", at("hand/merged"), at("hand/alpha"), at("hand/beta")]), 0);
    const verify = ["cache", "verify", "--plan", plan, "--source", at("source"), "--cache", at("hand/merged")];
    expectEnd(await run(verify), 0);

    const manifest = JSON.parse(await readFile(at("hand/merged/manifest.json"), "utf8")) as CacheManifest;
    const [alpha, beta] = [manifest.closures.alpha?.goBuild ?? [], new Set(manifest.closures.beta?.goBuild)];
    const own = alpha.filter((name) => name.endsWith("-a") && !beta.has(name));
    expect(own.length).toBeGreaterThan(0);
    for (const name of own) await rm(at("hand/merged/go-build", name));
    const damaged = await run([...verify, "--json"]);
    expectEnd(damaged, 3);
    const { programs } = JSON.parse(damaged.stdout) as Verification;
    const compiled = Object.fromEntries(programs.map((program) => [program.directory, program.compiled]));
    expect(compiled["alpha/one"]).toEqual(expect.arrayContaining(["github.com/google/uuid", "main of alpha/one"]));
    expect(compiled["alpha/two"]).toEqual(["main of alpha/two"]);
    expect(compiled["beta/one"]).toEqual([]);
  });

  it("prints a matrix that GitHub Actions reads", async () => {
    const args = [
      ...select(at("source")),
      "--by",
      "provider",
      "--store",
      store,
      "--out",
      at("matrix.json"),
      "--matrix",
    ];
    const result = await run(["cache", "plan", ...args]);
    expect(JSON.parse(result.stdout)).toEqual({
      include: [
        { shard: "alpha", runs_on: "ubuntu-latest" },
        { shard: "beta", runs_on: "ubuntu-latest" },
      ],
    });
  });
});

describe("a program that does not compile", () => {
  const broken = () => at("broken");

  beforeAll(async () => {
    await cp(FIXTURE, broken(), { recursive: true });
    await writeFile(path.join(broken(), "alpha/two/main.go"), "package main\n\nfunc main() { undefinedName() }\n");
    await mkdir(path.join(broken(), "beta/lost"));
    await writeFile(
      path.join(broken(), "beta/lost/main.go"),
      'package main\n\nimport _ "example.com/nowhere/else"\n\nfunc main() {}\n',
    );
  });

  it("is named with the first error, the others are warm, and the command fails at the end", async () => {
    const args = [...select(broken()), "--by", "provider", "--store", store, "--out", at("partly")];
    const result = await run(["cache", "simulate", ...args]);
    expectEnd(result, 1);
    expect(result.stderr).toContain("alpha/two/main.go:3:15: undefined: undefinedName");
    expect(result.stderr).toMatch(/beta\/lost: .*example\.com\/nowhere\/else/);
    const manifest = JSON.parse(await readFile(at("partly/manifest.json"), "utf8")) as CacheManifest;
    expect(manifest.modules).toEqual(["alpha/one", "beta/one"]);
  });

  it("is no failure where it was allowed for", async () => {
    const allowed = ["--allow-failed", "alpha/two", "--allow-failed", "beta/lost"];
    const args = [...select(broken()), ...allowed, "--by", "provider", "--store", store, "--out", at("allowed")];
    expectEnd(await run(["cache", "simulate", ...args]), 0);
  });
});

describe("bad input", () => {
  it("a pattern that matches nothing, a missing option and a wrong one exit with 2 and say what to do", async () => {
    const nothing = await run([
      "cache",
      "plan",
      "--source",
      at("source"),
      "--modules",
      "{provider}/{module}/deep",
      "--by",
      "provider",
      "--out",
      at("x"),
    ]);
    expectEnd(nothing, 2);
    expect(nothing.stderr).toContain('no Go program matches "{provider}/{module}/deep"');
    const neither = await run(["cache", "plan", ...select(at("source")), "--out", at("x")]);
    expectEnd(neither, 2);
    expect(neither.stderr).toContain("either --shards N or --by provider");
    const misspelt = await run(["cache", "plan", "--sorce", "."]);
    expectEnd(misspelt, 2);
    expect(misspelt.stderr).toContain("--sorce");
    await expect(stat(at("x"))).rejects.toThrow();
  });

  it("a nearly full disk is found before the work, and nothing is left", async () => {
    const plan = at("disk.json");
    expectEnd(
      await run(["cache", "plan", ...select(at("source")), "--by", "provider", "--store", store, "--out", plan]),
      0,
    );
    const args = ["--plan", plan, "--source", at("source"), "--shard", "alpha", "--store", store, "--out", at("disk")];
    const result = await run(["cache", "warm", ...args], { KILN_MIN_FREE_GB: "1000000" });
    expectEnd(result, 1);
    expect(result.stderr).toMatch(/GB free; warming wants 1000000\.0 GB/);
    await expect(stat(at("disk"))).rejects.toThrow();
  });

  it("a cache baked with another Go version or flags is refused, with the difference", async () => {
    await cp(at("by-provider"), at("other-go"), { recursive: true });
    const file = at("other-go/manifest.json");
    const text = await readFile(file, "utf8");
    await writeFile(
      file,
      text.replace(/"goVersion": "go[\d.]+"/, '"goVersion": "go1.25.0"').replace('"-trimpath",', ""),
    );
    const merged = await run(["cache", "merge", "--out", at("mixed"), at("by-provider"), at("other-go")]);
    expectEnd(merged, 2);
    expect(merged.stderr).toContain("Go version: ");
    expect(merged.stderr).toContain("build flags: ");
    expect(merged.stderr).toContain(at("other-go"));
    const verified = await run(["cache", "verify", ...select(at("source")), "--cache", at("other-go")]);
    expectEnd(verified, 3);
    expect(verified.stderr).toContain('"go1.25.0"');
    await expect(stat(at("mixed"))).rejects.toThrow();
  });

  it("two different contents under one name name both sources, and nothing is written", async () => {
    await cp(at("by-provider"), at("forged"), { recursive: true });
    const name = (await readEntries(at("forged/go-build"))).find((entry) => entry.endsWith("-d")) ?? "";
    const content = await readFile(at("forged/go-build", name));
    content[0] = (content[0] ?? 0) ^ 1;
    await writeFile(at("forged/go-build", name), content);
    const result = await run(["cache", "merge", "--out", at("conflict"), at("by-provider"), at("forged")]);
    expectEnd(result, 1);
    for (const part of [name, at("by-provider"), at("forged")]) expect(result.stderr).toContain(part);
    expect((await readdir(root)).filter((entry) => entry.startsWith("conflict"))).toEqual([]);
  });

  it("an engine that does not answer is exit 4 with the mend", async () => {
    const result = await run(["cache", "bake"], { DOCKER_HOST: `tcp://127.0.0.1:${await freePort()}` });
    expectEnd(result, 4);
    expect(result.stderr).toContain("DOCKER_HOST");
  });

  it("a registry that is down during a push is exit 4, and the next run goes on", async () => {
    const push = ["cache", "layers", "--cache", at("by-provider"), "--plan", at("by-provider.plan.json"), "--push"];
    const result = await run([...push, `localhost:${await freePort()}/kiln/layers`]);
    expectEnd(result, 4);
    expect(result.stderr).toContain("does not answer");
    expectEnd(await run([...push, `${checkout.registry}/kiln/layers`]), 0);
  });

  it("a misspelt key of the stack's file is named with the right one", async () => {
    const file = path.join(checkout.directory, "stacks/Pulumi.local.yaml");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("kiln:registry", "kiln:registri"));
    const result = await run(["up"]);
    await writeFile(file, text);
    expectEnd(result, 2);
    expect(result.stderr).toContain("kiln:registri");
    expect(result.stderr).toContain("kiln:registry");
  });
});

describe("Ctrl-C", () => {
  it.each([
    ["reading the build graph", "reading the build graph"],
    ["compiling", "compiling"],
  ])("while %s exits with 130, leaves nothing half-written, and the next run goes on", async (_, said) => {
    const [cold, out] = [at(`cold-${said.length}`), at(`interrupted-${said.length}`)];
    const args = ["cache", "simulate", ...select(at("source")), "--by", "provider", "--store", cold, "--out", out];
    let sent = false;
    const result = await kiln(checkout, args, {
      onStderr: (text, pid) => {
        if (sent || !text.includes(said)) return;
        sent = true;
        process.kill(pid, "SIGINT");
      },
    });
    expectEnd(result, 130);
    expect((await readdir(root)).filter((entry) => entry.endsWith(".partial"))).toEqual([]);
    await expect(stat(out)).rejects.toThrow();
    expectEnd(await run(args), 0);
  });
});

describe("layers", () => {
  it("are the same bytes from two machines' caches, and compose without moving any", async () => {
    const lists: string[] = [];
    for (const [index, cache] of ["by-provider", "again"].entries()) {
      const out = at(`layout-${index}`);
      const args = ["--cache", at(cache), "--plan", at("by-provider.plan.json"), "--out", out, "--json"];
      const result = await run(["cache", "layers", ...args]);
      expectEnd(result, 0);
      lists.push(result.stdout);
      expect(JSON.parse(await readFile(path.join(out, "oci-layout"), "utf8"))).toEqual({ imageLayoutVersion: "1.0.0" });
    }
    expect(lists[0]).toBe(lists[1]);

    const push = ["cache", "layers", "--cache", at("by-provider"), "--plan", at("by-provider.plan.json")];
    const pushed = await run([...push, "--push", `${checkout.registry}/kiln/fixture`, "--json"]);
    const digests = (JSON.parse(pushed.stdout) as { digest: string }[]).map(({ digest }) => digest);
    expect(digests).toHaveLength(3);
    const engine = await engineOf(checkout);
    const base = `${checkout.registry}/kiln/fixture:base`;
    const { stdout } = await engine.docker(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
    const warmBase =
      stdout.split("\n").find((name) => name.startsWith(`${checkout.registry}/`) && name.includes(":base-")) ?? "";
    await engine.docker(["tag", warmBase, base]);
    await engine.docker(["push", base]);
    const composed = await run([
      "cache",
      "compose",
      "--base",
      base,
      "--layers",
      ...digests,
      "--to",
      `${checkout.registry}/kiln/fixture:warm`,
    ]);
    expectEnd(composed, 0);
    const verified = await run(["cache", "verify", ...select(at("source")), "--image", composed.stdout.trim()]);
    expectEnd(verified, 0);
    expect(verified.stdout).toContain("no compile action");
  });
});

describe("the standalone Dockerfile", () => {
  it("warms inside the docker build, without a trace of the certificates that it was built with", async () => {
    const engine = await engineOf(checkout);
    const tools = await engine.toolsImage();
    const certificates = at("build-ca.crt");
    const system = await readFile("/etc/ssl/certs/ca-certificates.crt", "utf8");
    await writeFile(certificates, `# kiln-test-marker\n${system}`);
    const dockerfile = path.join(PROJECT, "images/iac-runner/Dockerfile");
    onTestFinished(() => engine.remove("kiln-e2e-standalone"));
    await engine.docker([
      ...["build", "--file", dockerfile, "--target", "standalone", "--tag", "kiln-e2e-standalone"],
      ...["--build-arg", "BASE_IMAGE=kiln-base:bookworm", "--build-arg", `TOOLS_IMAGE=${tools}`],
      ...["--build-arg", `MODULES=${FIXTURE_PATTERN}`, "--secret", `id=ca,src=${certificates}`, at("source")],
    ]);
    const verified = await run(["cache", "verify", ...select(at("source")), "--image", "kiln-e2e-standalone"]);
    expectEnd(verified, 0);
    expect(verified.stdout).toContain("no compile action");
    const search = "grep -rl kiln-test-marker / --exclude-dir=proc --exclude-dir=sys 2>/dev/null || true";
    const traces = await engine.docker([
      "run",
      "--rm",
      "--user",
      "0",
      "--network",
      "none",
      "kiln-e2e-standalone",
      "sh",
      "-c",
      search,
    ]);
    expect(traces.stdout.trim()).toBe("");
  });

  it("names each program that does not compile, with the compiler's error, and makes no image", async () => {
    const engine = await engineOf(checkout);
    const tools = await engine.toolsImage();
    await cp(FIXTURE, at("broken"), { recursive: true });
    await writeFile(at("broken/beta/one/main.go"), 'package main\n\nfunc main() { var n int = "text"; _ = n }\n');
    const built = await engine.shell("docker", [
      ...["build", "--file", path.join(PROJECT, "images/iac-runner/Dockerfile"), "--target", "standalone"],
      ...["--build-arg", "BASE_IMAGE=kiln-base:bookworm", "--build-arg", `TOOLS_IMAGE=${tools}`],
      ...["--build-arg", `MODULES=${FIXTURE_PATTERN}`],
      ...["--secret", "id=ca,src=/etc/ssl/certs/ca-certificates.crt", at("broken")],
    ]);
    expect(built.code).not.toBe(0);
    const said = built.stdout + built.stderr;
    expect(said).toContain('cannot use "text"');
    expect(said).toMatch(/these programs do not compile[^]*beta\/one/);
  });
});
