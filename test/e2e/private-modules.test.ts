import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { places } from "../../toolchain/places.ts";
import { kiln, PROJECT } from "../support/checkout.ts";
import { engineOf } from "../support/engine.ts";
import { writeModuleVersion } from "../support/module-proxy.ts";

const checkout = inject("checkout");
const SECRET = "correct-horse-battery-staple";
const execute = promisify(execFile);
let root = "";
let server: Server;
/** How the private proxy answers: as it should, with a refusal, or with half of an archive. */
let mood: "well" | "broken off" = "well";
const at = (...parts: string[]) => path.join(root, ...parts);
const PATTERN = ["--source", "", "--modules", "{provider}/{module}", "--by", "provider"];

/** A module proxy behind TLS and a login, a Git repository, and a home that knows how to reach both. */
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "kiln-private-"));
  await writeModuleVersion(at("proxy"), "corp.example/lib", "v1.2.0", library("corp.example/lib"));

  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  await execute("openssl", [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    ...names,
    "-keyout",
    at("key.pem"),
    "-out",
    at("ca.pem"),
  ]);
  server = createServer(
    { key: await readFile(at("key.pem")), cert: await readFile(at("ca.pem")) },
    (request, response) => {
      const login = `Basic ${Buffer.from(`robot:${SECRET}`).toString("base64")}`;
      if (request.headers.authorization !== login) return response.writeHead(401).end("who are you?");
      if (mood === "broken off" && request.url?.endsWith(".zip") === true) {
        response.writeHead(200, { "content-length": 4096 }).write("PK");
        return setTimeout(() => response.destroy(), 20);
      }
      return void readFile(at("proxy", request.url ?? "")).then(
        (content) => response.end(content),
        () => response.writeHead(404).end("not found"),
      );
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  await mkdir(at("git/tool"), { recursive: true });
  for (const [name, text] of Object.entries(library("corp.example/tool.git")))
    await writeFile(at("git/tool", name), text);
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", ".");
  await git("commit", "--quiet", "-m", "First");
  await git("tag", "v0.3.0");
  await mkdir(at("home"));
  await writeFile(at("home/.netrc"), `machine ${host()} login robot password ${SECRET}\n`, { mode: 0o600 });
  await writeFile(at("home/.gitconfig"), `[url "file://${at("git/tool")}"]\n\tinsteadOf = https://corp.example/tool\n`);
  await program("by-proxy", "corp.example/lib v1.2.0", "corp.example/lib");
  await program("by-git", "corp.example/tool.git v0.3.0", "corp.example/tool.git");
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  // Go keeps its own counters in the home.
  await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

const git = (...args: readonly string[]) =>
  execute("git", ["-c", "user.name=kiln", "-c", "user.email=kiln@example.com", ...args], { cwd: at("git/tool") });

const library = (name: string) => ({
  "go.mod": `module ${name}\n\ngo 1.25\n`,
  "lib.go": "package lib\n\nfunc Answer() int { return 42 }\n",
});

async function program(provider: string, requirement: string, imported: string): Promise<void> {
  const directory = at(provider, provider, "one");
  await mkdir(directory, { recursive: true });
  const main = `package main\n\nimport lib "${imported}"\n\nfunc main() { println(lib.Answer()) }\n`;
  await writeFile(path.join(directory, "main.go"), main);
  await writeFile(at(provider, "go.mod"), `module example.com/${provider}\n\ngo 1.25\n\nrequire ${requirement}\n`);
  await execute("go", ["mod", "tidy"], {
    cwd: at(provider),
    env: {
      ...process.env,
      ...environment(),
      GOMODCACHE: at("tidy"),
      GOFLAGS: "-modcacherw",
      GONOPROXY: provider === "by-git" ? "corp.example" : "none",
    },
  });
}

/** Go compares the whole host of an address, its port included, with what ~/.netrc calls a machine. */
const host = () => `localhost:${(server.address() as AddressInfo).port}`;

function environment(): NodeJS.ProcessEnv {
  return {
    HOME: at("home"),
    SSL_CERT_FILE: at("ca.pem"),
    GOPROXY: `https://${host()}`,
    GONOSUMDB: "corp.example",
    GONOPROXY: "none",
  };
}

/** Simulates one of the repositories with an empty store; everything that kiln prints is in the result. */
async function simulate(name: string, out: string, env: NodeJS.ProcessEnv = {}) {
  const args = [
    "cache",
    "simulate",
    ...PATTERN.with(1, at(name)),
    "--store",
    at(`${out}-store`),
    "--out",
    at(out),
    "--debug",
  ];
  return kiln(checkout, args, { env: { ...environment(), KILN_CACHE_DIR: places().cache, ...env } });
}

describe("private modules", () => {
  it("come from a proxy with the login of ~/.netrc, which no file and no line of output repeats", async () => {
    const { code, stdout, stderr } = await simulate("by-proxy", "one");
    expect(code, stderr).toBe(0);
    expect(stdout + stderr).not.toContain(SECRET);
    const files = await readdir(root, { recursive: true, withFileTypes: true });
    const made = files.filter(
      (entry) => entry.isFile() && /\/(?:one|one-store|one\.shards)(?:\/|$)/.test(`${entry.parentPath}/`),
    );
    expect(made.length).toBeGreaterThan(100);
    for (const entry of made) {
      const text = await readFile(path.join(entry.parentPath, entry.name), "latin1");
      expect(text.includes(SECRET), entry.name).toBe(false);
    }
  });

  it("come from Git with the addresses and logins of ~/.gitconfig", async () => {
    const { code, stdout, stderr } = await simulate("by-git", "two", {
      GOPRIVATE: "corp.example",
      GONOPROXY: "corp.example",
    });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("no compile action");
  });

  it("that are refused are named, with their version and without the login", async () => {
    await writeFile(at("wrong"), `machine ${host()} login robot password wrong-${SECRET}\n`);
    const { code, stderr } = await simulate("by-proxy", "three", { NETRC: at("wrong") });
    expect(code).toBe(4);
    expect(stderr).toContain("corp.example/lib@v1.2.0");
    expect(stderr).toContain("401");
    expect(stderr).toContain("GOPRIVATE");
    expect(stderr).not.toContain(SECRET);
  });

  it("of which only half comes are asked for again, then named; the next run goes on", async () => {
    mood = "broken off";
    const broken = await simulate("by-proxy", "four");
    expect(broken.code).toBe(4);
    expect(broken.stderr).toMatch(/corp\.example\/lib@v1\.2\.0: .*unexpected EOF; trying again/);
    expect(broken.stderr).toContain("corp.example/lib@v1.2.0 cannot be fetched");
    mood = "well";
    const { code, stderr } = await simulate("by-proxy", "four");
    expect(code, stderr).toBe(0);
  });

  it("reach the standalone Dockerfile as secrets of the build, and no layer or line of output", async () => {
    const engine = await engineOf(checkout);
    const tools = await engine.toolsImage();
    const name = "kiln-e2e-private";
    onTestFinished(() => engine.remove(name));
    const built = await engine.docker([
      ...[
        "build",
        "--network",
        "host",
        "--file",
        path.join(PROJECT, "images/iac-runner/Dockerfile"),
        "--target",
        "standalone",
      ],
      ...["--build-arg", "BASE_IMAGE=kiln-base:bookworm", "--build-arg", `TOOLS_IMAGE=${tools}`, "--tag", name],
      ...["--build-arg", "MODULES={provider}/{module}", "--build-arg", `GOPROXY=https://${host()}`],
      ...["--build-arg", "GONOSUMDB=corp.example", "--secret", `id=netrc,src=${at("home/.netrc")}`],
      ...["--secret", `id=ca,src=${at("ca.pem")}`, "--progress", "plain", at("by-proxy")],
    ]);
    expect(built.stdout + built.stderr).not.toContain(SECRET);
    const search = `grep -rl ${SECRET} / --exclude-dir=proc --exclude-dir=sys 2>/dev/null || true; ls /var/cache/go-mod/corp.example`;
    const found = await engine.docker(["run", "--rm", "--user", "0", "--network", "none", name, "sh", "-c", search]);
    expect(found.stdout.trim()).toBe("lib@v1.2.0");
    const { stdout: history } = await engine.docker(["history", "--no-trunc", name]);
    expect(history).not.toContain(SECRET);
  });
});
