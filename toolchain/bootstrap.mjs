// What must run before anything else can: plain JavaScript for Node 18 and later, without packages.
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { constants, homedir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { networkMend, withoutProxySecrets } from "./network.mjs";

const PROJECT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** A failure that a person can act on; the caller prints it and exits with 4: something outside could not be reached. */
export class BootstrapError extends Error {}

/** Whether version `left` is older than `right`; both `major.minor.patch`, a leading `v` and what follows a dash ignored. */
export function isOlder(left, right) {
  const [a, b] = [left, right].map((version) => version.replace(/^v/, "").split("-")[0].split(".").map(Number));
  for (let place = 0; place < 3; place++) {
    const difference = (a[place] ?? 0) - (b[place] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** The pinned Node: its version, the oldest that will do, and the npm packages that carry it by platform. */
export function nodePin() {
  return JSON.parse(readFileSync(path.join(PROJECT, "toolchain/pins.json"), "utf8")).node;
}

/**
 * The directory of the pinned Node's binary, installed from npm (checked against the pinned hash) where it is missing.
 * `why` says what is wrong with the Node that runs, such as `is older than 22.18.0`.
 */
export async function readyNode(say, why) {
  const pin = nodePin();
  const platform = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  const carrier = pin.packages[platform];
  if (carrier === undefined) {
    throw new BootstrapError(`Node ${process.versions.node} ${why}.\nInstall Node ${pin.version}.`);
  }
  const home = path.join(cacheDirectory(), `node-${pin.version}`);
  const bin = path.join(home, "node_modules", carrier.name, "bin");
  if (existsSync(path.join(bin, "node"))) return bin;
  await locked(`${home}.lock`, say, async () => {
    if (existsSync(path.join(bin, "node"))) return;
    say(`Node ${process.versions.node} ${why}: getting Node ${pin.version} from npm`);
    const fresh = `${home}.${randomUUID()}.part`;
    const wanted = { [carrier.name]: pin.version };
    const entry = { version: pin.version, integrity: carrier.integrity };
    const packages = { "": { dependencies: wanted }, [`node_modules/${carrier.name}`]: entry };
    try {
      mkdirSync(fresh, { recursive: true });
      writeJson(path.join(fresh, "package.json"), { private: true, dependencies: wanted });
      writeJson(path.join(fresh, "package-lock.json"), { lockfileVersion: 3, requires: true, packages });
      npm(["ci", "--no-audit", "--no-fund", "--ignore-scripts"], fresh);
      rmSync(home, { recursive: true, force: true });
      renameSync(fresh, home);
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  });
  return bin;
}

/** Installs the project's npm packages where they are missing or older than package-lock.json. */
export async function readyPackages(say, project = PROJECT) {
  if (packagesAreCurrent(project)) return;
  await locked(path.join(cacheDirectory(), `npm-${digest(project).slice(0, 16)}.lock`), say, async () => {
    if (packagesAreCurrent(project)) return;
    say("installing npm packages (npm ci)");
    npm(["ci", "--no-audit", "--no-fund"], project);
    writeFileSync(path.join(project, "node_modules", ".kiln-lock"), digest(readFileSync(lockFile(project))));
  });
}

/**
 * Whether node_modules was installed from this package-lock.json, by kiln (its hash) or by npm itself (its time). A linked
 * node_modules is another checkout's, which npm would empty: it is taken as it is.
 */
export function packagesAreCurrent(project) {
  if (lstatSync(path.join(project, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink()) return true;
  const stamp = path.join(project, "node_modules", ".kiln-lock");
  const byNpm = path.join(project, "node_modules", ".package-lock.json");
  if (!existsSync(byNpm)) return false;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest(readFileSync(lockFile(project)))) return true;
  return statSync(byNpm).mtimeMs >= statSync(lockFile(project)).mtimeMs;
}

/** Runs a script again under another Node, first on PATH for its children too; ends as the child ends. */
export function runAgain(bin, script, argv) {
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ""}` };
  const child = spawn(path.join(bin, "node"), [script, ...argv], { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    // A terminal sends Ctrl-C to the whole group already; the child must not get it twice.
    process.on(signal, () => {
      if (!(signal === "SIGINT" && process.stdin.isTTY)) child.kill(signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

function cacheDirectory() {
  const base = process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache");
  return process.env.KILN_CACHE_DIR ?? path.join(base, "kiln");
}

function npm(args, cwd) {
  const done = spawnSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  if (done.error) throw new BootstrapError(`cannot run npm: ${done.error.message}\nInstall npm (it comes with Node).`);
  if (done.status === 0) return;
  if (done.signal === "SIGINT") process.exit(130);
  const said = withoutProxySecrets(`${done.stdout}${done.stderr}`, process.env);
  const mend = networkMend(said) ?? "check that this machine reaches its npm registry";
  throw new BootstrapError(`npm ${args[0]} failed:\n${said}\n${mend[0].toUpperCase()}${mend.slice(1)}.`);
}

/** One at a time by an exclusive file that names its owner; a dead owner's file is removed. */
async function locked(file, say, work) {
  mkdirSync(path.dirname(file), { recursive: true });
  for (let said = false; !acquired(file); said = true) {
    if (!said) say(`waiting for another kiln that is installing (it holds ${file})`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  try {
    await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function acquired(file) {
  // Linked into place, so that nobody sees a lock without its owner.
  const mine = `${file}.${randomUUID()}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  } finally {
    rmSync(mine, { force: true });
  }
  try {
    process.kill(Number(readFileSync(file, "utf8")), 0);
  } catch (error) {
    if (error.code === "ESRCH") rmSync(file, { force: true });
  }
  return false;
}

function lockFile(project) {
  return path.join(project, "package-lock.json");
}

function digest(data) {
  return createHash("sha256").update(data).digest("hex");
}

function writeJson(file, value) {
  writeFileSync(file, JSON.stringify(value, null, 2));
}
