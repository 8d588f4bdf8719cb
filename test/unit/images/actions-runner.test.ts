import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { IMAGE_PATHS } from "../../../cache/contract.ts";
import { RELEASE_LABELS } from "../../../runners/upkeep/freshness.ts";
import { runnerImageArguments } from "../../../runners/upkeep/runner-image-source.ts";
import { RUNNER_UID } from "../../../runners/runner-user.ts";
import pinned from "../../../toolchain/pins.json" with { type: "json" };
import { pins } from "../../../toolchain/pins.ts";
import { run } from "../../../toolchain/process.ts";

const FOLDER = path.join(import.meta.dirname, "../../../images/actions-runner");
const dockerfile = await readFile(path.join(FOLDER, "Dockerfile"), "utf8");
const argument = (name: string) => new RegExp(`^ARG ${name}="?(.*?)"?$`, "m").exec(dockerfile)?.[1];
const steps = dockerfile.replaceAll("\\\n", "");

describe("images/actions-runner/Dockerfile", () => {
  it.each(["go", "pulumi", "opentofu", "regctl"] as const)(
    "downloads the pinned %s, by its pinned checksum",
    (tool) => {
      const [name, version] = [tool.toUpperCase(), pins[tool].version];
      expect(argument(`${name}_VERSION`)).toBe(version);
      expect(argument(`${name}_SHA256`)).toBe(pins[tool].downloads["linux-amd64"]?.sha256);
      const addresses = [...steps.matchAll(/fetch \S+ "(\S+)"/g)].map(([, url = ""]) =>
        url.replaceAll(`\${${name}_VERSION}`, version),
      );
      expect(addresses).toContain(pins[tool].downloads["linux-amd64"]?.url);
    },
  );

  it("downloads the pinned Node as npm carries it, by its pinned hash", () => {
    const { version, packages } = pinned.node;
    expect(argument("NODE_VERSION")).toBe(version);
    const hash = Buffer.from(packages["linux-amd64"].integrity.replace("sha512-", ""), "base64").toString("hex");
    expect(argument("NODE_SHA512")).toBe(hash);
    expect(argument("NPM_SHA512")).toMatch(/^[0-9a-f]{128}$/);
  });

  it.each([
    ["amd64", 0, ""],
    ["", 1, "build with BuildKit"],
    ["arm64", 1, "TOOLS_IMAGE"],
  ])("downloads for %j as BuildKit says, and refuses what its checksums are not of", async (arch, code, said) => {
    expect(dockerfile).toMatch(/^ARG TARGETARCH$/m);
    const [check = ""] = /case "\$TARGETARCH" in .*?esac;/.exec(steps) ?? [];
    const result = await run("sh", ["-euc", check], { env: { ...process.env, TARGETARCH: arch }, allowFailure: true });
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(said);
  });

  it("has the caches and Go where they are warmed for, as folders of the runner's user", () => {
    const { goModCache, goBuildCache, goRoot } = IMAGE_PATHS;
    expect(dockerfile).toMatch(new RegExp(`^ +GOMODCACHE=${goModCache} \\\\\n +GOCACHE=${goBuildCache} \\\\$`, "m"));
    expect(dockerfile).toContain(`/added${goRoot}/go.env`);
    expect(dockerfile).toContain(
      `install -d -o ${RUNNER_UID} -g ${RUNNER_UID} -m 0755 /added${goModCache} /added${goBuildCache}`,
    );
  });

  it("records its release under the labels that are read again", () => {
    expect(dockerfile).toContain(`${RELEASE_LABELS.version}="\${RUNNER_VERSION}"`);
    expect(dockerfile).toContain(`${RELEASE_LABELS.released}="\${RUNNER_RELEASED}"`);
  });

  it("takes every argument that it is built with", () => {
    const given = runnerImageArguments({
      release: { version: "2.337.0", released: "2026-09-15" },
      tools: "tools:1",
      certificates: "ca:1",
    });
    for (const name of Object.keys(given)) expect(dockerfile).toMatch(new RegExp(`^ARG ${name}=`, "m"));
  });

  it("starts the runner as a user whose number pods can be told apart from root by", () => {
    expect(dockerfile).toMatch(new RegExp(`^USER ${RUNNER_UID}\nCMD \\["/home/runner/run.sh"\\]\n$`, "m"));
  });

  it("adds to the release in one step that runs nothing, so that its layers have no date of today", () => {
    const last = steps.slice(steps.lastIndexOf("\nFROM ")).trim().split("\n");
    const instructions = last.map((line) => line.split(" ", 1)[0]).filter((word) => !["#", ""].includes(word ?? ""));
    expect([...new Set(instructions)].sort()).toEqual([
      "ARG",
      "CMD",
      "COPY",
      "ENV",
      "FROM",
      "LABEL",
      "USER",
      "WORKDIR",
    ]);
    expect(instructions.filter((word) => word === "COPY")).toHaveLength(1);
  });

  it("needs no frontend from a registry", () => {
    expect(dockerfile).not.toMatch(/^# *syntax=|<<-?EOF|COPY --link/m);
  });
});

it("the build sees kiln's programs and nothing else", async () => {
  expect((await readFile(path.join(FOLDER, ".dockerignore"), "utf8")).trim().split("\n")).toEqual(["*", "!*.mjs"]);
  const programs = (await readdir(FOLDER)).filter((name) => name.endsWith(".mjs"));
  expect(programs).toContain("check-freshness.mjs");
});
