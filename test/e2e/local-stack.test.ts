import { mkdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, inject, it } from "vitest";
import { toolVersions } from "../../toolchain/pins.ts";
import type { CacheReport } from "../../cache/report.ts";
import type { UpReport } from "../support/local-stack.ts";
import { readPrograms } from "../../cache/programs.ts";
import { kiln, PROJECT, type KilnResult } from "../support/checkout.ts";
import { engineOf, imageConfig, imageLayers } from "../support/engine.ts";

const checkout = inject("checkout");
const first = inject("up");
const PATTERN = "examples/modules/{provider}/{module}";
const { programs } = await readPrograms(PROJECT, PATTERN);
const providers = [...new Set(programs.map(({ provider }) => provider))].sort();

/** The document that a command printed; checked by what the tests expect of it. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
const json = <T>(result: KilnResult): T => {
  expect(result.stderr.includes("Error:") ? result.stderr : "").toBe("");
  return JSON.parse(result.stdout) as T;
};

describe("the first up", () => {
  it("gives an image by digest, made of a warm image", () => {
    expect(first.changes).toBe("4 created");
    expect(first.image).toMatch(new RegExp(`^${checkout.registry}/kiln/base-images/iac-runner@sha256:[0-9a-f]{64}$`));
    expect(first.warmImage).toMatch(/iac-runner-warm@sha256:[0-9a-f]{64}$/);
    expect(first.layers.map(({ name }) => name)).toEqual(["common", ...providers]);
    expect(providers).toHaveLength(11);
    expect(programs.length).toBeGreaterThanOrEqual(24);
  });

  it("writes the warm image into the stack's file and nothing else", async () => {
    const text = await readFile(path.join(checkout.directory, "stacks/Pulumi.local.yaml"), "utf8");
    expect(text).toContain(`  kiln:warmImage: ${first.warmImage}\n`);
  });

  it("pushes a runner image with the very layers of the warm image", async () => {
    const [runner, warm] = await Promise.all([imageLayers(first.image), imageLayers(first.warmImage)]);
    expect(runner).toEqual(warm);
    expect(warm.slice(-1 - providers.length)).toEqual(first.layers.map(({ digest }) => digest));
  });

  it("connects containers by a bridge that keeps its address while they come and go", async () => {
    const name = '{{index .Options "com.docker.network.bridge.name"}}';
    const { stdout: bridge } = await (
      await engineOf(checkout)
    ).docker(["network", "inspect", "bridge", "--format", name]);
    // The kernel's word for an address that was set, and is not taken from a port.
    expect(await readFile(`/sys/class/net/${bridge.trim()}/addr_assign_type`, "utf8")).toBe("3\n");
  });

  it("gives the image a user without rights, the cache paths and labels, and no secret-like variable", async () => {
    const { User, Env, Labels } = await imageConfig(first.image);
    expect(User).toBe("1001:1001");
    expect(Env).toEqual(
      expect.arrayContaining([
        "CGO_ENABLED=0",
        "GOTOOLCHAIN=local",
        "GOMODCACHE=/var/cache/go-mod",
        "GOCACHE=/var/cache/go-build",
      ]),
    );
    expect(Env.filter((entry) => /token|secret|password|key/i.test(entry))).toEqual([]);
    expect(Labels["org.opencontainers.image.base.name"]).toBe(first.warmImage);
    expect(Labels["dev.kiln.modules"]?.split(",")).toHaveLength(programs.length);
  });
});

describe("a second up", () => {
  it("changes nothing, also after the work folder was deleted", async () => {
    const again = json<UpReport>(await kiln(checkout, ["up", "--json"]));
    expect(again).toMatchObject({ changes: "none", reused: true, image: first.image, warmImage: first.warmImage });
    await rm(path.join(checkout.directory, ".kiln/bake"), { recursive: true, force: true });
    const store = path.join(checkout.directory, ".kiln/store");
    const kept = await readlink(store);
    await rm(store);
    const afterwards = await kiln(checkout, ["up"]);
    expect(afterwards.stdout).toContain("no changes");
    expect(afterwards.stdout).toContain("nothing to bake");
    expect(afterwards.code).toBe(0);
    await mkdir(path.dirname(store), { recursive: true });
    await rm(store, { recursive: true, force: true });
    await symlink(kept, store);
  });

  it("is the same by hand, with plain pulumi", async () => {
    const engine = await engineOf(checkout);
    const preview = await engine.shell("pulumi", [
      "preview",
      "-s",
      "local",
      "--expect-no-changes",
      "--non-interactive",
    ]);
    expect(preview.code).toBe(0);
    const up = await engine.shell("pulumi", ["up", "-s", "local", "--yes", "--non-interactive"]);
    expect(up.stdout).toContain("4 unchanged");
    const dev = await engine.shell("pulumi", ["preview", "-s", "dev", "--non-interactive", "--color", "never"]);
    expect(dev.code).not.toBe(0);
    expect(dev.stdout).toContain("no warm image is set for stack dev");
  });
});

describe("verify", () => {
  it("finds the image warm: every program builds offline without a compile action", async () => {
    const result = await kiln(checkout, ["cache", "verify", "--image", first.image, "--modules", PATTERN, "--json"]);
    const report = json<{ passed: boolean; compileActions: number; programs: { directory: string }[] }>(result);
    expect(report).toMatchObject({ passed: true, compileActions: 0 });
    expect(report.programs.map(({ directory }) => directory)).toEqual(programs.map(({ directory }) => directory));
  });

  it("leaves its record and the list of packages beside the warm image", async () => {
    const engine = await engineOf(checkout);
    const { stdout } = await engine.shell("regctl", [
      ...["artifact", "list", "--host", `reg=${checkout.registry},tls=disabled`],
      ...["--format", "{{ range .Descriptors }}{{ println .ArtifactType }}{{ end }}", first.warmImage],
    ]);
    expect(stdout.trim().split("\n").sort()).toEqual(
      ["packages", "verification"].map((name) => `application/vnd.kiln.${name}.v1+json`),
    );
  });

  it("exits with 3 and names the packages when a provider's pack is missing", async () => {
    const engine = await engineOf(checkout);
    const dockerfile = `FROM ${first.image}\nUSER root\nRUN rm /usr/local/lib/kiln/packs/civo.pack\nUSER 1001:1001\n`;
    const damaged = await engine.build(dockerfile, "kiln-e2e-damaged");
    const result = await kiln(checkout, [
      "cache",
      "verify",
      "--image",
      damaged,
      "--modules",
      PATTERN,
      "--provider",
      "civo",
    ]);
    expect(result.stdout).toContain("github.com/pulumi/pulumi-civo/sdk/v2/go/civo");
    expect(result.stdout).toContain("is not warm");
    expect(result.code).toBe(3);
  });
});

describe("verify of an image that it cannot hold for", () => {
  it("exits with 3 and says in which input a cache of another Go version or flags differs", async () => {
    const engine = await engineOf(checkout);
    const { Labels } = await imageConfig(first.image);
    const contract = (Labels["dev.kiln.contract"] ?? "")
      .replace(/go1\.\d+\.\d+/, "go1.25.0")
      .replace('"-trimpath",', "");
    const other = await engine.build(
      `FROM ${first.image}\nLABEL dev.kiln.contract='${contract}'\n`,
      "kiln-e2e-other-go",
    );
    const result = await kiln(checkout, ["cache", "verify", "--image", other, "--modules", PATTERN]);
    expect(result.code).toBe(3);
    expect(result.stderr).toContain('Go version: "go1.25.0"');
    expect(result.stderr).toContain("build flags: ");
  });

  it("exits with 4 where the image is not to be had", async () => {
    const missing = `${checkout.registry}/kiln/nothing:here`;
    const result = await kiln(checkout, ["cache", "verify", "--image", missing, "--modules", PATTERN]);
    expect(result.code).toBe(4);
    expect(result.stderr).toContain(`${missing} cannot be pulled`);
  });
});

describe("the image as a base", () => {
  it("keeps all hits under another user and entrypoint", async () => {
    const engine = await engineOf(checkout);
    const derived = await engine.build(
      `FROM ${first.image}\nUSER 54321:54321\nENTRYPOINT ["/bin/false"]\n`,
      "kiln-e2e-derived",
    );
    const result = await kiln(checkout, [
      "cache",
      "verify",
      "--image",
      derived,
      "--modules",
      PATTERN,
      "--provider",
      "azure",
    ]);
    expect(result.stdout).toContain("no compile action");
    expect(result.code).toBe(0);
  });

  it.each(["1001:1001", "54321:54321"])("lets user %s extend the caches, and not take away", async (user) => {
    const engine = await engineOf(checkout);
    const program = 'package main\n\nimport "image/png"\n\nfunc main() { _ = png.NoCompression }\n';
    const script = [
      "mkdir -p /tmp/new && cd /tmp/new && go mod init example.com/new",
      `printf '%s' '${program}' > main.go`,
      "go build -o one . && go build -x -o two . 2>&1 | grep -c '/compile ' || true",
      "mkdir -p /var/cache/go-mod/example.com /var/cache/go-mod/cache/download/example.com",
      "rm -rf /usr/local/lib/kiln/packs/* /var/cache/go-mod/github.com/* 2>/dev/null || echo kept",
    ].join("\n");
    const { stdout } = await engine.docker([
      "run",
      "--rm",
      "--network",
      "none",
      "--user",
      user,
      first.image,
      "sh",
      "-c",
      script,
    ]);
    expect(stdout.trim().split("\n")).toEqual(["0", "kept"]);
  });

  it("keeps the contract where a program starts Go with an empty environment", async () => {
    const engine = await engineOf(checkout);
    const { stdout } = await engine.docker([
      ...["run", "--rm", "--network", "none", first.image],
      ...[
        "env",
        "-i",
        "HOME=/tmp",
        "/usr/local/go/bin/go",
        "env",
        "GOCACHE",
        "GOMODCACHE",
        "CGO_ENABLED",
        "GOTOOLCHAIN",
      ],
    ]);
    expect(stdout.trim().split("\n")).toEqual(["/var/cache/go-build", "/var/cache/go-mod", "0", "local"]);
  });

  it("has the tools of its labels' versions", async () => {
    const engine = await engineOf(checkout);
    const script = "go version; pulumi version; tofu version | head -n 1; git --version | cut -d' ' -f1,2";
    const { stdout } = await engine.docker(["run", "--rm", "--network", "none", first.image, "sh", "-c", script]);
    expect(stdout.trim().split("\n")).toEqual([
      expect.stringContaining(`go version go${toolVersions.go} linux/`),
      `v${toolVersions.pulumi}`,
      `OpenTofu v${toolVersions.opentofu}`,
      "git version",
    ]);
  });
});

describe("an edit of one program", () => {
  it("changes only its provider's layer, and the file is as before when the edit is taken back", async () => {
    const file = path.join(checkout.directory, "examples/modules/aws/sns-topic/main.go");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("alias/aws/sns", "alias/aws/sns-2"));
    const edited = json<UpReport>(await kiln(checkout, ["cache", "bake", "--json"]));
    const changed = edited.layers.filter(
      ({ name, digest }) => first.layers.find((one) => one.name === name)?.digest !== digest,
    );
    expect(changed.map(({ name }) => name)).toEqual(["aws"]);
    expect(edited.warmImage).not.toBe(first.warmImage);

    const report = await kiln(checkout, [
      "cache",
      "report",
      "--image",
      edited.warmImage,
      "--against",
      first.warmImage,
      "--json",
    ]);
    const { layers: reported } = json<CacheReport>(report);
    expect(reported.filter(({ shared }) => shared !== true).map(({ name }) => name)).toEqual(["aws"]);

    await writeFile(file, text);
    const restored = json<UpReport>(await kiln(checkout, ["cache", "bake", "--json"]));
    expect(restored).toMatchObject({ reused: true, warmImage: first.warmImage });
  });
});
