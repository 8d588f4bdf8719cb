// Keeps the volume of a Go cache below a size budget. It runs in a CronJob, in the runner image, as the runner's user, and
// takes nothing away that a build may hold: Go writes the time of use to an entry once an hour, so one that is several hours
// old is in no build's hands, while `go clean -cache` would break those that run (golang/go#31948).
//
//   node collect-garbage.mjs --root DIR --keep go1.26.8-linux-amd64 --budget BYTES --minimum-age-hours N [--modules]
//
// In this order, the oldest of each first, until the volume is below its budget:
//   1. entries of the build caches of other Go versions and architectures;
//   2. archives of modules that are unpacked: builds read the unpacked files;
//   3. entries of the build cache that --keep names;
//   4. with --modules, whole modules. Go notes of none when it was used: the caller says that nobody else has the volume.
//
// Jobs write the volume, so it follows no symbolic link below the root: a link may be taken away, what it points to is not seen.
import { chmodSync, lstatSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, unlinkSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

/** The folder of one Go version and architecture. */
const CACHE_KEY = /^go\d[^/]*-linux-\w+$/;

const { root, keep, budget, minimumAgeHours, modules } = readArguments();
const newest = Date.now() - minimumAgeHours * 3_600_000;
const trash = path.join(root, ".kiln-trash");
const downloads = path.join(root, "go-mod", "cache", "download");

const removed = { otherVersions: 0, archives: 0, entries: 0, modules: 0 };
const report = { root, budget, before: 0, after: 0, removed, failed: 0 };
attempt(trash, () => removeTree(trash));
report.before = report.after = bytesBelow(root);
for (const [kind, candidates] of stages()) {
  if (report.after <= budget) break;
  for (const candidate of candidates()
    .filter(({ time }) => time < newest)
    .sort((a, b) => a.time - b.time)) {
    if (report.after <= budget) break;
    remove(kind, candidate);
  }
}
process.stdout.write(`${JSON.stringify({ ...report, overBudget: report.after > budget })}\n`);
process.exitCode = report.failed > 0 ? 1 : 0;

/** What may be removed, stage by stage. A stage is looked for only once those before it were not enough. */
function stages() {
  const caches = namesIn(root).filter((name) => CACHE_KEY.test(name));
  return [
    ["otherVersions", () => caches.filter((name) => name !== keep).flatMap(entriesOf)],
    ["archives", () => moduleVersions().flatMap(archiveOf)],
    ["entries", () => entriesOf(keep)],
    ...(modules ? [["modules", () => moduleVersions().flatMap(wholeModuleOf)]] : []),
  ];
}

/** Entries of a build cache: actions and outputs, and the folders in which Go keeps executables. */
function entriesOf(cache) {
  const folder = path.join(root, cache);
  return namesIn(folder)
    .filter((name) => /^[0-9a-f]{2}$/.test(name))
    .flatMap((prefix) => namesIn(path.join(folder, prefix)).map((name) => path.join(folder, prefix, name)))
    .filter((file) => /-[ad]$/.test(file))
    .flatMap((file) => candidateOf([file], file));
}

/** Every module version that was downloaded: where its files begin, and where it is unpacked. */
function moduleVersions(folder = downloads) {
  return namesIn(folder).flatMap((name) => {
    const inside = path.join(folder, name);
    if (name !== "@v") return moduleVersions(inside);
    const module = path.relative(downloads, folder);
    return namesIn(inside)
      .filter((file) => file.endsWith(".mod"))
      .map((file) => file.slice(0, -".mod".length))
      .map((version) => ({
        stem: `${inside}/${version}`,
        tree: path.join(root, "go-mod", `${module}@${version}`),
      }));
  });
}

/** An archive that nothing needs any more: it is unpacked, and whole (Go marks a tree that is not with a `.partial` file). */
function archiveOf({ stem, tree }) {
  const archive = `${stem}.zip`;
  return isFolder(tree) && !statOf(`${stem}.partial`) ? candidateOf([archive], archive) : [];
}

/** A module with all that Go knows of it, as old as the youngest of its files there: those say when it was fetched. */
function wholeModuleOf({ stem, tree }) {
  const files = ["mod", "info", "zip", "ziphash", "lock"].map((extension) => `${stem}.${extension}`).filter(statOf);
  const times = files.flatMap((file) => statOf(file)?.mtimeMs ?? []);
  const paths = statOf(tree) ? [tree, ...files] : files;
  return [{ paths, time: Math.max(...times), bytes: paths.reduce((sum, each) => sum + bytesBelow(each), 0) }];
}

function candidateOf(paths, dated) {
  const found = statOf(dated);
  return found === undefined ? [] : [{ paths, time: found.mtimeMs, bytes: bytesBelow(dated) }];
}

function remove(kind, { paths, bytes }) {
  attempt(paths[0], () => {
    paths.forEach(removePath);
    removed[kind] += 1;
    report.after -= bytes;
  });
}

/** What cannot be removed is counted and told of; the rest still has its turn. */
function attempt(file, action) {
  try {
    action();
  } catch (error) {
    report.failed += 1;
    if (report.failed <= 10) process.stderr.write(`${file}: ${error.message}\n`);
  }
}

/** A folder vanishes whole, by a rename: one that were removed file by file would be half a module to whoever looks. */
function removePath(file) {
  const found = statOf(file);
  if (found === undefined) return;
  if (!found.isDirectory()) {
    unlinkSync(file);
    return;
  }
  if (!isFolder(trash)) {
    removeTree(trash);
    mkdirSync(trash);
  }
  chmodSync(file, 0o755);
  const aside = path.join(trash, String(process.hrtime.bigint()));
  renameSync(file, aside);
  removeTree(aside);
}

/** Removes a tree in which folders are read-only, as those of modules are; or a file or link that stands in its place. */
function removeTree(folder) {
  const open = (inside) => {
    chmodSync(inside, 0o755);
    for (const entry of readdirSync(inside, { withFileTypes: true }))
      if (entry.isDirectory()) open(path.join(inside, entry.name));
  };
  if (isFolder(folder)) open(folder);
  rmSync(folder, { recursive: true, force: true });
}

/** The bytes that a file or tree takes on the disk; a file of several names counts where it is first met, and what one cannot look into not at all. */
function bytesBelow(file, seen = new Set()) {
  const found = statOf(file);
  if (found === undefined) return 0;
  if (found.isDirectory()) {
    return namesIn(file).reduce((sum, name) => sum + bytesBelow(path.join(file, name), seen), found.blocks * 512);
  }
  if (found.nlink > 1) {
    if (seen.has(found.ino)) return 0;
    seen.add(found.ino);
  }
  return found.blocks * 512;
}

/** None where it is no folder, or one that may not be read. */
function namesIn(folder) {
  try {
    return isFolder(folder) ? readdirSync(folder) : [];
  } catch {
    return [];
  }
}

function isFolder(file) {
  return statOf(file)?.isDirectory() ?? false;
}

/** What stands at a path, a link as itself. Nothing where a link is on the way there: what is behind it is not the volume's. */
function statOf(file) {
  const folder = path.dirname(file);
  try {
    return realpathSync.native(folder) === folder ? lstatSync(file, { throwIfNoEntry: false }) : undefined;
  } catch {
    return undefined;
  }
}

function readArguments() {
  const values = readOptions();
  const [budget, minimumAgeHours] = [numberOf(values.budget), numberOf(values["minimum-age-hours"])];
  if (!values.root || !values.keep || !(budget > 0)) refuse("give --root, --keep, and --budget in bytes");
  if (!CACHE_KEY.test(values.keep)) refuse("--keep names a folder such as go1.26.8-linux-amd64");
  // `kiln cache warm` makes entries two hours old to see which of them Go reads.
  if (!(minimumAgeHours >= 3)) refuse("--minimum-age-hours must be at least 3");
  return { root: realFolder(values.root), keep: values.keep, budget, minimumAgeHours, modules: values.modules };
}

function readOptions() {
  const string = { type: "string" };
  const modules = { type: "boolean", default: false };
  const options = { root: string, keep: string, budget: string, "minimum-age-hours": string, modules };
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(error.message.split("\n")[0]);
  }
}

/** A plain decimal number; NaN for all else that JavaScript takes for one, such as Infinity, 0x10 and nothing. */
function numberOf(text) {
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  return Number.isFinite(number) ? number : NaN;
}

/** The root may itself be reached through links: whoever starts this says where it is. */
function realFolder(file) {
  try {
    const real = realpathSync.native(file);
    if (lstatSync(real).isDirectory()) return real;
  } catch {
    // Said below.
  }
  return refuse(`there is no folder ${JSON.stringify(file)}: is the volume mounted?`);
}

function refuse(message) {
  process.stderr.write(`collect-garbage: ${message}\n`);
  process.exit(2);
}
