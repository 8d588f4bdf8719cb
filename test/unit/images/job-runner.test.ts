import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { JOB_IMAGES, readJobVersions, versionArguments } from "../../../execution/job/image-versions.ts";
import { ENTRYPOINT_PATH } from "../../../execution/module/dockerfile.ts";
import { DEFAULT_BASE_IMAGE, toolVersions } from "../../../toolchain/pins.ts";

const PROJECT = path.join(import.meta.dirname, "../../..");
const FOLDER = path.join(PROJECT, "images/job-runner");
const dockerfile = await readFile(path.join(FOLDER, "Dockerfile"), "utf8");
const versions = await readJobVersions(PROJECT);

const argument = (name: string) => new RegExp(`^ARG ${name}="?(.*?)"?$`, "m").exec(dockerfile)?.[1];
const stageOf = (name: string) =>
  dockerfile.split(/^(?=FROM )/m).find((stage) => new RegExp(`^FROM \\S+ AS ${name}$`, "m").test(stage)) ?? "";

describe("images/job-runner/Dockerfile", () => {
  it("has the versions and checksums of versions.json", () => {
    const args = { ...versionArguments(versions), IMAGE_VERSION: "" };
    for (const [name, value] of Object.entries(args)) expect(argument(name), name).toBe(value);
    expect(argument("BASE_IMAGE")).toBe(`${versions.base.image}:${versions.base.tag}`);
    expect(argument("BASE_IMAGE")).toBe(DEFAULT_BASE_IMAGE);
    expect(argument("GO_IMAGE")).toBe(`docker.io/library/golang:${versions.go}-bookworm`);
    expect(versions.go).toBe(toolVersions.go);
  });

  it("has a stage for every image, which ends as the job's user", () => {
    for (const image of JOB_IMAGES) {
      const stage = stageOf(image);
      expect(stage, image).not.toBe("");
      expect(stage, image).toMatch(image === "base" ? /^FROM os AS base/ : /^FROM base AS /);
      expect([...stage.matchAll(/^USER (.*)$/gm)].map(([, user]) => user)).toEqual(
        image === "base" ? ["65532:65532"] : [],
      );
    }
  });

  it("starts the entrypoint where modules have it, as a job", () => {
    expect(stageOf("base")).toContain(`ENTRYPOINT ["${ENTRYPOINT_PATH}", "job"]`);
    expect(stageOf("entrypoint")).toContain("FROM ${ENTRYPOINT_IMAGE}");
  });

  it("installs no recommended packages, and leaves no lists and no certificates of a proxy behind", () => {
    const installs = [...dockerfile.matchAll(/apt-get install .*/g)].map(([line]) => line);
    expect(installs.length).toBeGreaterThan(0);
    for (const line of installs) expect(line).toContain("--no-install-recommends");
    expect(stageOf("installed")).toMatch(/rm -rf \/var\/lib\/apt\/lists\/\* \/etc\/apt\/apt\.conf\.d\/99build-ca/);
    // What else is installed stays in a stage from which one folder is taken.
    expect(stageOf("python")).not.toContain("apt-get");
  });

  it("has no layer that a step left: trees of one date are copied onto the base, by the script of the language runners", async () => {
    const steps = ["os", ...JOB_IMAGES].flatMap((name) => stageOf(name).match(/^(RUN|ADD|COPY .*)/gm) ?? []);
    expect(steps).toEqual([
      "COPY --from=packages /added/ /",
      "COPY --from=added /added/ /",
      "COPY --from=build-python /added/ /",
      "COPY --from=pester-files /pester/ /",
      "COPY --from=kubernetes-files /kubernetes/ /",
    ]);
    for (const stage of ["added", "build-python", "download-powershell", "download-pester", "download-kubernetes"]) {
      expect(stageOf(stage), stage).toContain("-exec touch -h -d @315532800 {} +");
    }
    const shared = "images/pulumi-runner/build";
    expect(stageOf("packages")).toContain(`source=${shared},target=/run/build`);
    expect(await readFile(path.join(PROJECT, shared, "difference"), "utf8")).toContain("touch -h -d @315532800");
    expect(await readFile(path.join(FOLDER, "Dockerfile.dockerignore"), "utf8")).toContain(`!${shared}\n`);
  });

  it("downloads nothing without a checksum", () => {
    const lines = dockerfile.split("\n").filter((line) => /\b(curl|wget) -f/.test(line));
    expect(lines).toHaveLength(1);
    const fetches = dockerfile.replaceAll(/\\\n\s*/g, "").match(/sh \/usr\/local\/lib\/kiln\/fetch [^;]*/g) ?? [];
    expect(fetches).toHaveLength(4);
    for (const fetch of fetches) expect(fetch.trim()).toMatch(/"\$(sum|oc|kubectl|PESTER_SHA256)"$/);
    expect(dockerfile).toContain("--require-hashes --only-binary :all:");
  });

  it("has a changelog for every image, with the version that is released next", async () => {
    for (const image of JOB_IMAGES) {
      const text = await readFile(path.join(FOLDER, image, "CHANGELOG.md"), "utf8");
      expect(text, image).toContain(`## ${versions.version}`);
    }
  });

  it("has hashes for all Python packages that are asked for", async () => {
    const wanted = await readFile(path.join(FOLDER, "python/requirements.in"), "utf8");
    const locked = await readFile(path.join(FOLDER, "python/requirements.txt"), "utf8");
    for (const name of wanted.split("\n").filter((line) => /^[a-z]/.test(line))) {
      expect(locked, name).toMatch(new RegExp(`^${name}==\\S+ \\\\\\n {4}--hash=sha256:`, "m"));
    }
    expect(locked).not.toMatch(/^[a-z][^\n]*[^\\\n]$/m);
  });
});

describe("images/job-runner/docker-compose.yml", () => {
  interface Service extends Readonly<Record<string, unknown>> {
    readonly environment: Readonly<Record<string, unknown>>;
    readonly volumes: readonly string[];
    readonly tmpfs: readonly string[];
  }

  async function composed(): Promise<{ readonly text: string; readonly service: Service }> {
    const text = await readFile(path.join(FOLDER, "docker-compose.yml"), "utf8");
    const { services } = parse(text) as { readonly services: Readonly<Record<string, Service>> };
    expect(Object.keys(services)).toEqual(["job"]);
    const service = services.job;
    if (service === undefined) throw new Error("there is no job");
    return { text, service };
  }

  it("locks its container as `kiln job run` does", async () => {
    const { service } = await composed();
    expect(service).toMatchObject({
      ...{ read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"], pids_limit: 256 },
      user: expect.stringContaining("65532:65532") as string,
    });
    // Memory without swap; nothing else of the machine than scripts, read-only, and the output.
    expect(service.memswap_limit).toBe(service.mem_limit);
    expect(service.volumes).toEqual([
      expect.stringMatching(/:\/workspace\/scripts:ro$/),
      expect.stringMatching(/:\/workspace\/output$/),
    ]);
    expect(service.tmpfs.map((mount) => mount.split(":")[0])).toEqual(["/workspace", "/tmp", "/run/kiln"]);
    for (const mount of service.tmpfs) expect(mount).toContain("size=");
    // The script's HOME is there: what tools install into it is run.
    expect(service.tmpfs[0]).toContain(",exec");
    for (const name of ["privileged", "cap_add", "devices", "network_mode", "pid", "ipc"]) {
      expect(service).not.toHaveProperty(name);
    }
  });

  it("has the command for secrets in both files that a person looks at, with a channel that the entrypoint knows", async () => {
    const { text } = await composed();
    const example = await readFile(path.join(FOLDER, ".env.example"), "utf8");
    const page = await readFile(path.join(FOLDER, "../../docs/job-runners.md"), "utf8");
    for (const file of [text, example, page]) {
      expect(file).toContain("docker compose run --rm -T -e KILN_SECRETS=stdin job < secrets.json");
    }
  });

  it("asks for no variable that .env.example does not name, and for the image first of all", async () => {
    const { text, service } = await composed();
    const example = await readFile(path.join(FOLDER, ".env.example"), "utf8");
    const named = new Set([...example.matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name]) => name));
    const asked = [...text.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name);
    const passed = Object.keys(service.environment).filter((name) => service.environment[name] === null);
    for (const name of [...asked, ...passed]) expect([...named], name).toContain(name);
    expect(service.image).toMatch(/^\$\{RUNNER_IMAGE:\?/);
  });
});
