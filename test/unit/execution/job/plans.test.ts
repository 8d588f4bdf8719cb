import { readFileSync } from "node:fs";
import path from "node:path";
import type { V1PodSpec } from "@kubernetes/client-node";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createArguments, type ContainerPlan } from "../../../../execution/container-plan.ts";
import { dockerPlan } from "../../../../execution/job/docker-plan.ts";
import { readInput } from "../../../../execution/job/input-folder.ts";
import { jobNetworkPolicy } from "../../../../execution/job/job-network-policy.ts";
import { bytesOf } from "../../../../execution/job/limits.ts";
import { jobManifest, manifestName } from "../../../../execution/job/manifest.ts";
import { guardMetadata, guardRules } from "../../../../execution/job/metadata-guard.ts";
import { outerSeconds } from "../../../../execution/job/timeouts.ts";
import { sandboxTmpfs } from "../../../../execution/sandbox.ts";
import { addressBlock, contains } from "../../../../runners/namespace/address-block.ts";
import { METADATA_NETWORKS } from "../../../../runners/namespace/forbidden-networks.ts";
import { aJob, jobs } from "./job-values.ts";

const PLACING = { imageId: "sha256:0", network: "kiln-job-x", inputFolder: "/in", owner: "me", historyFolder: "/h" };
const SECRET_CHANNEL = ["KILN_SECRETS", "KILN_SECRETS_FILE"];

/** The variables that say what the job is, not how its secrets come. */
function ofJob(environment: readonly (readonly [string, string | undefined])[]) {
  return Object.fromEntries(environment.filter(([name]) => !SECRET_CHANNEL.includes(name)));
}

/** Where the entrypoint has the script's HOME, of which no plan says anything else; images/programs/jobrun tests that. */
const HOME = "/workspace/.kiln-job/home";

function emptyDirOf(folder: string, pod: V1PodSpec | undefined) {
  const mounts = pod?.containers[0]?.volumeMounts ?? [];
  const mount = mounts.find(({ mountPath }) => folder.startsWith(`${mountPath}/`));
  return pod?.volumes?.find(({ name }) => name === mount?.name)?.emptyDir;
}

function tmpfsOf(folder: string, { sandbox, tmpfs = [] }: ContainerPlan) {
  return [...sandboxTmpfs(sandbox), ...tmpfs].find((one) => folder.startsWith(`${one.split(":")[0] ?? ""}/`));
}

/** What a kubelet makes of them: `$$` is one `$`, and `$(NAME)` the variable of that name that stands before. */
function expanded(env: readonly { readonly name: string; readonly value?: string | undefined }[]) {
  const values = new Map<string, string>();
  for (const { name, value = "" } of env) {
    const reference = /\$(?:\$|\(([^)]*)\))/g;
    values.set(
      name,
      value.replaceAll(reference, (found, of: string | undefined) =>
        of === undefined ? "$" : (values.get(of) ?? found),
      ),
    );
  }
  return [...values];
}

describe("the container and the Kubernetes Job of one description", () => {
  it("agree on limits, user, variables and times", () => {
    fc.assert(
      fc.property(jobs, (job) => {
        const plan = dockerPlan(job, PLACING);
        const pod = jobManifest(job, { namespace: "jobs", files: {} }).spec?.template.spec;
        const container = pod?.containers[0];
        const limits = container?.resources?.limits ?? {};
        expect(limits.memory).toBe(plan.sandbox.memory);
        expect(Number(limits.cpu?.replace("m", "")) / 1000).toBeCloseTo(Number(plan.sandbox.cpus), 3);
        expect(container?.resources?.requests).toEqual(limits);
        const { runAsUser, runAsGroup, runAsNonRoot } = pod?.securityContext ?? {};
        expect(`${runAsUser ?? ""}:${runAsGroup ?? ""}`).toBe(plan.sandbox.user);
        expect(runAsNonRoot).toBe(true);
        const variables = expanded(container?.env ?? []);
        expect(ofJob(variables)).toEqual(ofJob(Object.entries(plan.environment)));
        // The script's folder and its HOME; in Kubernetes not of the memory, of which secrets take a little.
        const disk = bytesOf(job.limits.disk);
        for (const folder of ["/workspace/.kiln-job/work", HOME, "/tmp/x"]) {
          const volume = emptyDirOf(folder, pod);
          expect([volume?.medium, Number(volume?.sizeLimit)]).toEqual([undefined, disk]);
          expect(tmpfsOf(folder, plan)).toMatch(new RegExp(`:exec,.*size=${disk}$`));
        }
        expect(emptyDirOf("/run/kiln/secret", pod)?.medium).toBe("Memory");
        expect([variables, Object.entries(plan.environment)].flat().map(([name]) => name)).not.toContain("HOME");
        expect(plan.environment.KILN_JOB_TIMEOUT).toBe(String(job.timeouts.job));
      }),
      { numRuns: 60 },
    );
  });

  it("have no root, no privilege, no token, no second try", () => {
    fc.assert(
      fc.property(jobs, (job) => {
        const { spec } = jobManifest(job, { namespace: "jobs", files: { "input-0": { path: "scripts/a.py" } } });
        const pod = spec?.template.spec;
        expect(spec).toMatchObject({ backoffLimit: 0, completions: 1, parallelism: 1 });
        expect(spec?.activeDeadlineSeconds).toBeGreaterThan(outerSeconds(job.timeouts));
        expect(spec?.ttlSecondsAfterFinished).toBeGreaterThan(0);
        // A suspended Job has no deadline: one whose maker is killed would stay. What comes last keeps the pod back instead.
        expect(spec?.suspend).toBeUndefined();
        const own = pod?.volumes?.filter(
          ({ secret }) => secret?.secretName === spec?.template.metadata?.labels?.["dev.kiln/job"],
        );
        expect(own?.some(({ secret }) => secret?.optional !== true)).toBe(true);
        expect(pod).toMatchObject({ restartPolicy: "Never", automountServiceAccountToken: false });
        expect(pod?.containers[0]?.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          privileged: false,
          capabilities: { drop: ["ALL"] },
        });
        const args = createArguments(dockerPlan(job, PLACING));
        for (const flag of ["--read-only", "no-new-privileges", "--pids-limit", "--memory-swap"]) {
          expect(args).toContain(flag);
        }
        expect(args.join(" ")).toContain("--cap-drop ALL");
      }),
      { numRuns: 20 },
    );
  });

  it("have names that Kubernetes takes, and no two jobs the same", () => {
    fc.assert(
      fc.property(jobs, jobs, (one, other) => {
        expect(manifestName(one)).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
        const same = one.job_id === other.job_id && one.attempt === other.attempt;
        expect(manifestName(one) === manifestName(other)).toBe(same);
      }),
    );
  });

  it("give a text that looks like a variable as it is", () => {
    const parameters = { word: "$(JOB_ID) $$ $", more: "$$(SCRIPT_ID)" };
    const job = jobManifest(aJob({ parameters }), { namespace: "jobs", files: {} });
    const env = expanded(job.spec?.template.spec?.containers[0]?.env ?? []);
    expect(JSON.parse(new Map(env).get("PARAMETERS") ?? "")).toEqual(parameters);
  });

  it("say to Vault's entrypoint where the pod's token is", () => {
    const vault = { address: "https://vault.example", auth: "kubernetes", role: "r", secrets: {} };
    const { spec } = jobManifest(aJob({ vault }), { namespace: "jobs", files: {} });
    const container = spec?.template.spec?.containers[0];
    const settings = new Map(expanded(container?.env ?? [])).get("KILN_VAULT") ?? "";
    const { jwt_file: file } = JSON.parse(settings) as { readonly jwt_file: string };
    const mounted = container?.volumeMounts?.find(({ name }) => name === "once")?.mountPath ?? "none";
    expect(file).toBe(`${mounted}/token`);
    const own = jobManifest(aJob({ vault: { ...vault, jwt_file: "/own" } }), { namespace: "jobs", files: {} });
    expect(JSON.stringify(own)).toContain('\\"/own\\"');
    expect(JSON.stringify(own)).not.toContain("serviceAccountToken");
    const secrets = [{ name: "VAULT_JWT", as: "environment" }];
    const given = jobManifest(aJob({ vault, secrets }), { namespace: "jobs", files: {} });
    expect(JSON.stringify(given)).not.toContain("serviceAccountToken");
  });

  it("give the container of the script no mount that keeps a secret", () => {
    const secrets = [{ name: "TOKEN", as: "environment" }];
    const vault = { address: "https://vault.example", auth: "kubernetes", role: "r", secrets: {} };
    for (const job of [aJob({ secrets }), aJob({ vault }), aJob({ secrets, vault })]) {
      const pod = jobManifest(job, { namespace: "jobs", files: {} }).spec?.template.spec;
      const [before] = pod?.initContainers ?? [];
      const [own] = pod?.containers ?? [];
      const kept = pod?.volumes?.filter(({ secret, projected }) => (secret ?? projected) !== undefined) ?? [];
      const namesOf = (mounts: typeof own) => mounts?.volumeMounts?.map(({ name }) => name) ?? [];
      expect(kept.length).toBeGreaterThan(0);
      for (const { name } of kept) expect(namesOf(own)).not.toContain(name);
      expect(namesOf(before).sort()).toEqual([...kept.map(({ name }) => name), "once"].sort());
      expect(pod?.volumes?.find(({ name }) => name === "once")?.emptyDir?.medium).toBe("Memory");
      // Each file that is handed over is where the entrypoint takes it from.
      const [, ...files] = before?.args ?? [];
      const to = files.pop() ?? "none";
      const taken = JSON.stringify(expanded(own?.env ?? []));
      expect(taken).toContain('["KILN_SECRETS","once"]');
      for (const file of files) expect(taken).toContain(`${to}/${path.basename(file)}`);
      expect(before).toMatchObject({ image: own?.image, securityContext: own?.securityContext, env: [] });
      expect(before?.resources).toEqual(own?.resources);
    }
    const plain = jobManifest(aJob(), { namespace: "jobs", files: {} }).spec?.template.spec;
    expect(plain?.initContainers).toBeUndefined();
    expect(JSON.stringify(plain)).not.toContain("KILN_SECRETS");
    // Empty, and waited for: what is made before it stands when the pod starts.
    expect(plain?.containers[0]?.volumeMounts?.map(({ name }) => name)).toContain("secrets");
  });

  it("say where Vault is, in its own variables, and bring the certificates that it is checked by", async () => {
    const certificate = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
    const settings = { auth: "approle", secrets: {} };
    const where = { address: "https://vault.example", namespace: "team/a", ca_cert: certificate };
    const source = { kind: "repository", url: "https://git.example/scripts.git", commit: "a".repeat(40) };
    const job = aJob({ source, vault: { ...settings, ...where } });
    expect(dockerPlan(job, PLACING).environment).toMatchObject({
      VAULT_ADDR: where.address,
      VAULT_NAMESPACE: where.namespace,
      VAULT_CACERT: "/workspace/vault/ca.pem",
      KILN_VAULT: JSON.stringify(settings),
    });
    const { files } = await readInput(job);
    expect(files.map(({ name, content }) => [name, content.toString()])).toEqual([["vault/ca.pem", certificate]]);
    const bare = dockerPlan(aJob({ vault: settings }), PLACING).environment;
    expect(Object.keys(bare).filter((name) => name.startsWith("VAULT_"))).toEqual([]);
  });

  it("say where the result is posted, and only where a person said so", () => {
    const posting = aJob({ result_url: "https://results.example/" });
    const { env } = jobManifest(posting, { namespace: "jobs", files: {} }).spec?.template.spec?.containers[0] ?? {};
    expect(new Map(expanded(env ?? [])).get("RESULT_URL")).toBe("https://results.example/");
    expect(dockerPlan(posting, PLACING).environment.RESULT_URL).toBe("https://results.example/");
    expect(dockerPlan(aJob(), PLACING).environment).not.toHaveProperty("RESULT_URL");
  });

  it("mount a folder whatever is in its name", () => {
    const plan = dockerPlan(aJob(), { ...PLACING, inputFolder: '/in,readonly=false"' });
    expect(createArguments(plan)).toContain(
      'type=bind,"src=/in,readonly=false""/scripts",dst=/workspace/scripts,readonly',
    );
  });

  it("have scripts where people who run the image by hand mount them, and parameters beside where they are large", () => {
    const source = { kind: "repository", url: "https://git.example/x", commit: "0".repeat(40) };
    const large = { large: "x".repeat(200 * 1024) };
    const cases = [
      [aJob(), ["scripts"]],
      [aJob({ parameters: large }), ["scripts", "parameters"]],
      [aJob({ source }), []],
      [aJob({ source, parameters: large }), ["parameters"]],
    ] as const;
    for (const [job, folders] of cases) {
      const places = folders.map((name) => `/workspace/${name}`);
      const here = dockerPlan(job, PLACING);
      expect(here.readOnlyMounts).toEqual(folders.map((name, at) => ({ from: `/in/${name}`, to: places[at] })));
      const far = dockerPlan(job, { ...PLACING, inputFolder: undefined });
      expect(far.volumes).toEqual(["/workspace/output", ...places]);
      const pod = jobManifest(job, { namespace: "jobs", files: { "input-0": { path: "scripts/a.py" } } }).spec?.template
        .spec;
      const mounts = pod?.containers[0]?.volumeMounts?.filter(({ name }) => name === "input") ?? [];
      expect(mounts.map(({ mountPath, subPath, readOnly }) => [mountPath, subPath, readOnly])).toEqual(
        folders.map((name, at) => [places[at], name, true]),
      );
      // The entrypoint's own default: nothing else is told where they are.
      expect(here.environment).not.toHaveProperty("KILN_SCRIPTS_DIR");
    }
  });

  it("give large parameters as a file", () => {
    const job = aJob({ parameters: { large: "x".repeat(200 * 1024) } });
    const { environment } = dockerPlan(job, PLACING);
    expect(environment).toMatchObject({ PARAMETERS_FILE: "/workspace/parameters/parameters.json" });
    expect(environment.PARAMETERS).toBeUndefined();
  });
});

describe("the rules for a bridge of jobs", () => {
  it("drop all that goes to a metadata service but to its resolver, and are taken away as they were made", () => {
    const lines = guardRules("append", "kj-1").split("\n");
    expect(lines[0]).toBe("*raw");
    expect(lines.slice(-2)).toEqual(["COMMIT", ""]);
    const rules = lines.slice(1, -2);
    expect(rules.map((rule) => rule.replace(/^.* --destination \S+ /, ""))).toEqual([
      ...["-p udp --dport 53 -j ACCEPT", "-p tcp --dport 53 -j ACCEPT", "-j DROP"],
    ]);
    for (const rule of rules) expect(rule).toMatch(/^-A PREROUTING --in-interface kj-1 .*\b169\.254\.169\.254\/32,/);
    expect(guardRules("delete", "kj-1").replaceAll("-D ", "-A ")).toBe(lines.join("\n"));
  });

  it("are those that the documentation has for machines where kiln may not make them", () => {
    const page = readFileSync("docs/jobs.md", "utf8");
    const [, named = ""] = /^metadata=(\S+)$/m.exec(page) ?? [];
    const closed = named.split(",").map((block) => addressBlock(block));
    const open = METADATA_NETWORKS.filter((network) => !network.includes(":")).filter((network) => {
      return !closed.some((block) => contains(block, addressBlock(network)));
    });
    expect(open).toEqual([]);
    const written = [...page.matchAll(/^iptables -t raw (.*)$/gm)].map(([, rule = ""]) => rule);
    const made = guardRules("append", "kj-+").split("\n").slice(1, -2);
    const short = (rule: string) => rule.replace("--in-interface", "-i").replace(/--destination \S+/, '-d "$metadata"');
    expect(written).toEqual(made.map(short));
  });

  it("are not made where the bridge is not, such as that of a rootless engine: they would guard nothing", async () => {
    expect(await guardMetadata("kj-elsewhere")).toBe(false);
  });
});

describe("the policy of a job's pod", () => {
  it("lets nothing in, and nothing out to a cloud's metadata service", () => {
    const { spec } = jobNetworkPolicy(aJob(), { namespace: "jobs", open: ["10.0.0.0/8", "169.254.0.0/16"] });
    expect(spec.policyTypes).toEqual(["Ingress", "Egress"]);
    expect(spec.ingress).toBeUndefined();
    const text = JSON.stringify(spec.egress);
    for (const address of METADATA_NETWORKS.filter((one) => one.startsWith("169.254.") || one.startsWith("fd00:ec2"))) {
      // Named among the exceptions, or inside of a network that is one.
      expect(text.includes(`"${address}"`) || text.includes('"169.254.0.0/16"') || text.includes('"fc00::/7"')).toBe(
        true,
      );
    }
    const rules = spec.egress as readonly { readonly to: readonly object[]; readonly ports?: readonly object[] }[];
    const toMetadata = rules.filter(({ to }) =>
      METADATA_NETWORKS.some((one) => JSON.stringify(to).includes(`"cidr":"${one}"`)),
    );
    // A resolver of its own is there, and nothing else by that way.
    expect(toMetadata.map(({ ports }) => ports)).toEqual([
      [
        { protocol: "UDP", port: 53 },
        { protocol: "TCP", port: 53 },
      ],
    ]);
    expect(text).toContain('"cidr":"169.254.0.0/16","except":["169.254.169.254/32"');
  });

  it("is none of a network that Docker has", () => {
    expect(() => jobNetworkPolicy(aJob({ network: "company" }), { namespace: "jobs" })).toThrow("is one of Docker");
  });

  it("lets nothing out where the job has no network", () => {
    expect(jobNetworkPolicy(aJob({ network: "none" }), { namespace: "jobs" }).spec.egress).toEqual([]);
  });
});
