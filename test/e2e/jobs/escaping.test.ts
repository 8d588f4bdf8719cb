import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guardMatch } from "../../../execution/job/metadata-guard.ts";
import { run } from "../../../toolchain/process.ts";
import { fileOf, jobEngine, jobImage, JobRuns, printed, type PythonJob } from "../../support/job-runs.ts";

let runs: JobRuns;
/** The test's own network, and a stand-in for a metadata service in it. */
let network: string;
let service: string;
/** A bridge whose rule of the packet filter was seen. */
let bridge: string | undefined;

beforeAll(async () => {
  const engine = await jobEngine();
  runs = new JobRuns(engine, await jobImage(engine), await mkdtemp(path.join(tmpdir(), "kiln-test-jobs-")));
  network = `kiln-test-jobs-${process.pid}`;
  expect((await runs.docker("network", "create", network)).code).toBe(0);
  service = await startServer(network);
});

afterAll(async () => {
  // The network that all jobs share stays, with one set of rules for its bridge.
  expect(await runs.leftovers()).toEqual([]);
  if (bridge !== undefined) {
    const { stdout } = await run("iptables", ["--table", "raw", "--list-rules", "PREROUTING"]);
    expect(
      stdout.split("\n").filter((rule) => rule.includes(`-d 169.254.169.254/32 -i ${bridge ?? ""} `)),
    ).toHaveLength(3);
  }
  await runs.docker("rm", "--force", "--volumes", `${network}-server`);
  await runs.docker("network", "rm", network);
  await rm(runs.folder, { recursive: true, force: true });
});

/** Starts a server of HTTP in a network, and gives its address there. */
async function startServer(where: string): Promise<string> {
  const name = `${network}-server`;
  const serve = ["--entrypoint", "python3", runs.image, "-m", "http.server", "8000", "--directory", "/usr/share"];
  expect((await runs.docker("run", "--detach", "--name", name, "--network", where, ...serve)).code).toBe(0);
  return addressOf(name);
}

async function addressOf(container: string): Promise<string> {
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  return (await runs.docker("inspect", "--format", format, container)).stdout.trim();
}

const reach = (address: string) => `
import socket
for attempt in range(20):
    try:
        socket.create_connection(("${address}", 8000), timeout=2).close()
        print("reached"); break
    except ConnectionRefusedError: __import__("time").sleep(0.2)
    except OSError as error: print("not reached:", error); break
`;

/** A fork bomb: every process makes others, and tries again where it is refused. The first one counts, and says so at the end. */
const bomb = (seconds: number) => `
import glob, os, time
first, end, most, refused = os.getpid(), time.monotonic() + ${seconds}, 0, False
while time.monotonic() < end:
    try: os.fork()
    except OSError as error:
        if os.getpid() == first and not refused: refused = True; print("refused:", error.errno, flush=True)
        time.sleep(0.05)
    if os.getpid() == first: most = max(most, len(glob.glob("/proc/[0-9]*")))
if os.getpid() == first: print("more than the limit" if most > 64 else "within the limit", flush=True)
os._exit(0)`;

/** What ends these jobs shall not be their memory: each process of Python takes some of it. */
const ROOMY = { memory: "1g", disk: "64m", pids: 64, cpus: 2 };

/** The output of a job, and that of the same script in a plain container. */
async function both(script: string, flags: readonly string[] = [], options: PythonJob = {}) {
  const [job, control] = await Promise.all([runs.python(script, options), runs.unprotected(script, ...flags)]);
  return { job, said: await fileOf(job, "stdout.log"), control: control.stdout };
}

describe.concurrent("a job that tries to get out", () => {
  it("cannot write to the image, and is told so", async () => {
    const { said, control } = await both(`
for place in ["/etc/owned", "/usr/bin/owned", "/owned", "/workspace/scripts/job.py", "/root/owned"]:
    try: open(place, "w").close(); print("wrote", place)
    except OSError as error: print("refused", place)`);
    expect(said).not.toContain("wrote");
    expect(said.match(/refused/g)).toHaveLength(5);
    expect(control).toContain("wrote /etc/owned");
  });

  it("has no capability, no way to another user, and no new privileges", async () => {
    const { said, control } = await both(`
import os
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
print("effective", int(status["CapEff"], 16), "bounding", int(status["CapBnd"], 16), "new", int(status["NoNewPrivs"]))
print("seccomp", int(status["Seccomp"]))
try: os.setuid(0); print("became root")
except OSError: print("stayed", os.getuid())`);
    expect(said).toBe("effective 0 bounding 0 new 1\nseccomp 2\nstayed 65532\n");
    expect(control).toContain("became root");
    expect(control).not.toContain("effective 0");
  });

  it("does not reach a metadata service in another network", async () => {
    const { said, control } = await both(reach(service), ["--network", network]);
    expect(said).toContain("not reached");
    expect(control).toContain("reached");
    // The network alone makes the difference: a person may name it.
    const named = await runs.python(reach(service), { fields: { network } });
    expect(await fileOf(named, "stdout.log")).toBe("reached\n");
    expect(named.sandbox.relaxations).toEqual([expect.stringContaining(network)]);
    const none = await runs.python(reach(service), { fields: { network: "none" } });
    expect(await fileOf(none, "stdout.log")).toContain("not reached");
  });

  it("has what it sends to a cloud's metadata address dropped, as the packet filter counts", async (context) => {
    const tried = printed("tried");
    const stop = new AbortController();
    const script = `
import socket, time
try: socket.create_connection(("169.254.169.254", 80), timeout=1).close()
except OSError: pass
# A cloud's resolver may be at the same address: what asks it gets through.
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"query", ("169.254.169.254", 53))
print("tried", flush=True); time.sleep(60)`;
    const running = runs.python(script, { onEvent: tried.onEvent, signal: stop.signal });
    await tried.said;
    const rules = await run("iptables", ["--table", "raw", "--list-rules", "PREROUTING", "--verbose"]);
    stop.abort();
    const ended = await running;
    const { relaxations } = ended.sandbox;
    context.skip(relaxations.length > 0, `kiln cannot change the packet filter here: ${relaxations.join()}`);
    const counted = rules.stdout.split("\n").find((line) => /-d 169\.254\.169\.254\/32 -i kj-\w+ -c [1-9]/.test(line));
    expect(counted, rules.stdout).toBeDefined();
    bridge = /kj-\w+/.exec(counted ?? "")?.[0];
    const query = new RegExp(
      `-d 169\\.254\\.169\\.254/32 -i ${bridge ?? ""} -p udp .*--dport 53 -c [1-9].*-j ACCEPT`,
      "m",
    );
    expect(rules.stdout).toMatch(query);
    expect(guardMatch("kj-1").join(" ")).toContain("168.63.129.16/32");
  });

  it("does not reach the container of another job, nor its secret", async () => {
    const listening = printed("listening");
    const stop = new AbortController();
    const secret = "the secret of the first job";
    const server = `
import http.server, threading
httpd = http.server.HTTPServer(("0.0.0.0", 8000), http.server.SimpleHTTPRequestHandler)
print("listening", flush=True); httpd.serve_forever()`;
    const first = runs.python(server, {
      ...{ onEvent: listening.onEvent, signal: stop.signal },
      fields: { job_id: "first", secrets: [{ name: "SECRET", as: "environment" }] },
      secrets: { SECRET: Buffer.from(secret) },
    });
    await listening.said;
    const names = await runs.docker("ps", "--filter", "label=dev.kiln.job=first", "--format", "{{.Names}}");
    const name = names.stdout.trim();
    const search = `
import glob, os
found = b""
for place in glob.glob("/proc/[0-9]*/environ") + glob.glob("/run/kiln/**", recursive=True) + glob.glob("/dev/shm/*"):
    try: found += open(place, "rb").read()
    except OSError: pass
print("found" if b"secret of the first" in found else "nothing")`;
    const [reached, searched, inspected, control] = await Promise.all([
      runs.python(reach(await addressOf(name))),
      both(search, ["--pid", "host", "--user", "65532:65532"]),
      runs.docker("inspect", name),
      runs.unprotected(reach(service), "--network", network),
    ]);
    stop.abort();
    await first;
    expect(await fileOf(reached, "stdout.log")).toContain("not reached");
    expect(control.stdout).toContain("reached");
    expect(searched.said).toBe("nothing\n");
    expect(searched.control).toBe("found\n");
    expect(inspected.stdout).toContain("KILN_SECRETS=stdin");
    expect(inspected.stdout).not.toContain(secret);
  });

  it("cannot start more processes than it may, however they multiply, and ends with all of them", async () => {
    // Long enough for the first of hundreds to have its turn on a busy machine.
    const fields = { limits: ROOMY };
    const { said, control } = await both(bomb(4), ["--pids-limit", "400"], { fields });
    expect(said).toBe("refused: 11\nwithin the limit\n");
    expect(control).toContain("more than the limit");
    // One that would go on for an hour.
    const timeouts = { job: 120, grace: 1, finish: 5, script: 4 };
    const ended = await runs.python(bomb(3600), { fields: { ...fields, timeouts } });
    expect(await fileOf(ended, "stdout.log")).toBe("refused: 11\n");
    expect(ended.result).toMatchObject({ status: "timed_out", error_detail: { code: "script_timeout" } });
  });

  it("cannot hold more data than it may", async () => {
    const { job, said, control } = await both(
      `
import os
for folder in ["/tmp", os.environ.get("ARTIFACTS_DIR", "/tmp"), "."]:
    try:
        with open(os.path.join(folder, "filler"), "wb") as file:
            for _ in range(100): file.write(b"x" * (1 << 20))
        print("wrote 100 MiB"); os.remove(os.path.join(folder, "filler"))
    except OSError as error: print("refused:", error.errno); os.remove(os.path.join(folder, "filler"))`,
      [],
      { fields: { limits: ROOMY } },
    );
    // No space left, or a file that is too large; or the job was ended while it held all that it may.
    expect(said).toMatch(/^(refused: (28|27)\n){0,3}$/);
    if (job.result.status !== "succeeded") expect(job.result.error_detail?.code).toBe("disk_limit");
    else expect(said.match(/refused/g)).toHaveLength(3);
    expect(control).toContain("wrote 100 MiB");
  });

  it("cannot fill the disk by the folder of its output, in many files and deaf to being told", async () => {
    const { job, said, control } = await both(`
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for number in range(16):
    with open(f"/workspace/output/filler-{number}", "wb") as file:
        file.write(b"x" * (32 << 20)); file.flush(); os.fsync(file.fileno())
print("wrote 512 MiB", flush=True)
if "JOB_ID" in os.environ: time.sleep(60)`);
    expect(said).toBe("");
    expect(job.result).toMatchObject({ status: "failed", error_detail: { code: "disk_limit" } });
    expect(job.result.notes?.join("\n")).not.toContain("terminated");
    expect(control).toContain("wrote 512 MiB");
  });
});
