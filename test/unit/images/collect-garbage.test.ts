import { execFileSync, spawnSync } from "node:child_process";
import { chmod, copyFile, link, lstat, lutimes, mkdir, readdir, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const PROGRAM = path.join(import.meta.dirname, "../../../images/actions-runner/collect-garbage.mjs");
const KEEP = "go1.26.8-linux-amd64";
const OLD = "go1.26.7-linux-amd64";
const KIB = 1024;
const HOUR = 3_600;

interface Report {
  readonly before: number;
  readonly after: number;
  readonly removed: Readonly<Record<"otherVersions" | "archives" | "entries" | "modules", number>>;
  readonly failed: number;
  readonly overBudget: boolean;
}

/** The user of the runner image where this test may take its part; its own otherwise. */
const runner =
  process.getuid?.() === 0 && spawnSync(process.execPath, ["-v"], { uid: 1001, gid: 1001 }).status === 0
    ? 1001
    : undefined;

/** A volume whose files have an age in hours. Names that begin with `../` are of what is next to it. */
async function volume(files: Readonly<Record<string, { readonly hours: number; readonly kib?: number }>>) {
  const directory = await temporaryDirectory();
  await chmod(directory, 0o755);
  const [root, program] = [path.join(directory, "volume"), path.join(directory, "collect-garbage.mjs")];
  await mkdir(root);
  await copyFile(PROGRAM, program);
  for (const [name, { kib = 4 }] of Object.entries(files)) {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, Buffer.alloc(kib * KIB, 1));
  }
  if (runner !== undefined) execFileSync("chown", ["-R", `${runner}:${runner}`, directory]);
  for (const [name, { hours }] of Object.entries(files)) {
    const seconds = Date.now() / 1000 - hours * HOUR;
    await utimes(path.join(root, name), seconds, seconds);
  }
  return { root, program, outside: path.join(directory, "outside") };
}

function collect(
  { root, program }: { readonly root: string; readonly program: string },
  budgetKib: number,
  ...more: readonly string[]
): Report {
  const args = [
    program,
    "--root",
    root,
    "--keep",
    KEEP,
    "--budget",
    String(budgetKib * KIB),
    "--minimum-age-hours",
    "6",
  ];
  const user = runner === undefined ? {} : { uid: runner, gid: runner };
  const { stdout, stderr, status } = spawnSync(process.execPath, [...args, ...more], { encoding: "utf8", ...user });
  expect([status, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Report;
}

/** Files that are left, sorted. */
async function filesIn(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}

const entry = (cache: string, letter: string, kind = "d") =>
  `${cache}/${letter.repeat(2)}/${letter.repeat(64)}-${kind}`;
const MODULE = "go-mod/example.com/!acme/lib@v1.0.0";
const DOWNLOAD = "go-mod/cache/download/example.com/!acme/lib/@v/v1.0.0";
const unpacked = (hours: number) => ({
  [`${MODULE}/lib.go`]: { hours, kib: 40 },
  [`${MODULE}/inner/deep.go`]: { hours, kib: 40 },
  ...Object.fromEntries(["mod", "info", "ziphash", "lock"].map((end) => [`${DOWNLOAD}.${end}`, { hours }])),
  [`${DOWNLOAD}.zip`]: { hours, kib: 40 },
});

describe("below its budget", () => {
  it("a volume is left as it is", async () => {
    const made = await volume({ [entry(KEEP, "a")]: { hours: 900 }, [entry(OLD, "b")]: { hours: 900 } });
    const before = await filesIn(made.root);
    expect(collect(made, 10_000)).toMatchObject({ overBudget: false, failed: 0 });
    expect(await filesIn(made.root)).toEqual(before);
  });
});

describe("above its budget", () => {
  it("other Go versions go first, however young the entries of this one are old", async () => {
    const made = await volume({
      [entry(KEEP, "a")]: { hours: 900, kib: 100 },
      [entry(OLD, "b")]: { hours: 7, kib: 100 },
      [entry("go1.26.8-linux-arm64", "c")]: { hours: 8, kib: 100 },
      ...unpacked(900),
    });
    const report = collect(made, 400);
    expect(report.removed).toEqual({ otherVersions: 2, archives: 0, entries: 0, modules: 0 });
    expect(await filesIn(made.root)).toContain(entry(KEEP, "a"));
  });

  it("then archives of unpacked modules, of which builds need nothing", async () => {
    const made = await volume({
      [entry(KEEP, "a")]: { hours: 900, kib: 100 },
      ...unpacked(900),
      "go-mod/cache/download/example.com/other/@v/v2.0.0.mod": { hours: 900 },
      "go-mod/cache/download/example.com/other/@v/v2.0.0.zip": { hours: 900, kib: 40 },
    });
    const report = collect(made, collect(made, 10_000).before / KIB - 20);
    expect(report.removed).toEqual({ otherVersions: 0, archives: 1, entries: 0, modules: 0 });
    const left = await filesIn(made.root);
    expect(left).not.toContain(`${DOWNLOAD}.zip`);
    // The other is not unpacked: Go will want it.
    expect(left).toContain("go-mod/cache/download/example.com/other/@v/v2.0.0.zip");
  });

  it("keeps the archive of a module that is being unpacked", async () => {
    const made = await volume({ ...unpacked(900), [`${DOWNLOAD}.partial`]: { hours: 900 } });
    collect(made, 1);
    expect(await filesIn(made.root)).toContain(`${DOWNLOAD}.zip`);
  });

  it("then entries of this version, the oldest first, folders of executables among them", async () => {
    const made = await volume({
      [entry(KEEP, "a")]: { hours: 10, kib: 100 },
      [entry(KEEP, "b", "a")]: { hours: 20, kib: 100 },
      [`${entry(KEEP, "c")}/program`]: { hours: 30, kib: 100 },
      [`${KEEP}/trim.txt`]: { hours: 900 },
      [`${KEEP}/lock`]: { hours: 900 },
    });
    await utimes(path.join(made.root, entry(KEEP, "c")), 0, 0);
    expect(collect(made, 170).removed.entries).toBe(2);
    expect(await filesIn(made.root)).toEqual([entry(KEEP, "a"), `${KEEP}/lock`, `${KEEP}/trim.txt`].sort());
    expect(await readdir(path.join(made.root, KEEP))).toEqual(["aa", "bb", "cc", "lock", "trim.txt"]);
  });

  it("never takes what a build may hold, and says that it is over", async () => {
    const made = await volume({
      [entry(KEEP, "a")]: { hours: 5, kib: 100 },
      [entry(OLD, "b")]: { hours: 1, kib: 100 },
      // Shipped with an image, dated 2100 (docs/adr/0005).
      [entry(KEEP, "c")]: { hours: -24 * 365 * 74, kib: 100 },
    });
    expect(collect(made, 10)).toMatchObject({ overBudget: true, removed: { otherVersions: 0, entries: 0 } });
    expect(await filesIn(made.root)).toHaveLength(3);
  });

  it("takes modules only when told that the volume is its own, with all that Go knows of them", async () => {
    const made = await volume({ ...unpacked(900), ...Object.fromEntries([["go-mod/cache/lock", { hours: 900 }]]) });
    // As Go leaves them.
    await chmod(path.join(made.root, MODULE, "inner"), 0o555);
    await chmod(path.join(made.root, MODULE), 0o555);
    expect(collect(made, 1)).toMatchObject({ overBudget: true, removed: { archives: 1, modules: 0 } });
    expect(await filesIn(made.root)).toContain(`${MODULE}/inner/deep.go`);
    expect(collect(made, 1, "--modules")).toMatchObject({ failed: 0, removed: { modules: 1 } });
    expect(await filesIn(made.root)).toEqual(["go-mod/cache/lock"]);
    expect(await readdir(path.join(made.root, ".kiln-trash"))).toEqual([]);
  });

  it("finishes what an earlier run left half removed", async () => {
    const made = await volume({ ".kiln-trash/1/lib/lib.go": { hours: 1, kib: 100 } });
    await chmod(path.join(made.root, ".kiln-trash/1/lib"), 0o555);
    expect(collect(made, 10_000).before).toBeLessThan(50 * KIB);
    expect(await filesIn(made.root)).toEqual([]);
  });

  it("counts a file of two names once", async () => {
    const made = await volume({ [entry(KEEP, "a")]: { hours: 900, kib: 400 } });
    const before = collect(made, 10_000).before;
    await mkdir(path.join(made.root, "out"));
    await link(path.join(made.root, entry(KEEP, "a")), path.join(made.root, "out/a"));
    expect(collect(made, 10_000).before - before).toBeLessThan(8 * KIB);
  });
});

describe("follows no link below its root", () => {
  const outside = Object.fromEntries(
    Object.entries({ [entry(KEEP, "0")]: { hours: 900 }, [entry(OLD, "0")]: { hours: 900 }, ...unpacked(900) }).map(
      ([name, file]) => [`../outside/${name}`, file],
    ),
  );
  const downloaded = { [`${DOWNLOAD}.mod`]: { hours: 900 }, [`${DOWNLOAD}.zip`]: { hours: 900 } };

  it.each<[string, Readonly<Record<string, { readonly hours: number }>>?]>([
    [KEEP],
    [OLD],
    [`${KEEP}/00`],
    [`${OLD}/00`],
    ["go-mod"],
    ["go-mod/cache"],
    ["go-mod/cache/download"],
    ["go-mod/cache/download/example.com"],
    [path.dirname(DOWNLOAD)],
    // Here the tree of the module is what stands behind the link.
    ["go-mod/example.com", downloaded],
  ])("as %s", async (name, own = {}) => {
    const made = await volume({ ...outside, ...own, [`${path.dirname(name)}/beside`]: { hours: 900 } });
    await symlink(path.join(made.outside, name), path.join(made.root, name));
    const before = await filesIn(made.outside);
    expect(collect(made, 1, "--modules").removed).toMatchObject({ otherVersions: 0, archives: 0, entries: 0 });
    expect(await filesIn(made.outside)).toEqual(before);
    expect((await lstat(path.join(made.root, name))).isSymbolicLink()).toBe(true);
  });

  it("but removes links that are garbage themselves, wherever they point", async () => {
    const made = await volume({ ...outside, ...downloaded, [entry(KEEP, "a")]: { hours: 1 } });
    const links = [`${KEEP}/aa/${"b".repeat(64)}-d`, `${KEEP}/aa/${"c".repeat(64)}-d`, MODULE];
    await mkdir(path.join(made.root, path.dirname(MODULE)), { recursive: true });
    for (const [index, name] of links.entries()) {
      await symlink(index === 0 ? made.outside : "/nowhere", path.join(made.root, name));
      await lutimes(path.join(made.root, name), 0, 0);
    }
    const before = await filesIn(made.outside);
    if (runner !== undefined) execFileSync("chown", ["-hR", `${runner}:${runner}`, made.root]);
    expect(collect(made, 1, "--modules").removed).toEqual({ otherVersions: 0, archives: 0, entries: 2, modules: 1 });
    expect(await filesIn(made.root)).toEqual([entry(KEEP, "a")]);
    expect(await filesIn(made.outside)).toEqual(before);
  });

  it("but takes a root that is reached through one", async () => {
    const made = await volume({ [entry(KEEP, "a")]: { hours: 900 } });
    const root = `${made.root}-link`;
    await symlink(made.root, root);
    expect(collect({ ...made, root }, 1).removed.entries).toBe(1);
    expect(await filesIn(made.root)).toEqual([]);
  });
});

describe("makes its trash anew", () => {
  it.each(["a file", "a dangling link", "a link to a folder"])("where %s has its place", async (kind) => {
    const made = await volume({ ...unpacked(900), "../outside/file": { hours: 900 } });
    await chmod(made.outside, 0o700);
    const trash = path.join(made.root, ".kiln-trash");
    if (kind === "a file") await writeFile(trash, "");
    else await symlink(kind === "a dangling link" ? "/nowhere" : made.outside, trash);
    expect(collect(made, 1, "--modules")).toMatchObject({ failed: 0, removed: { modules: 1 } });
    expect(await filesIn(made.root)).toEqual([]);
    expect((await lstat(trash)).isDirectory()).toBe(true);
    expect((await lstat(made.outside)).mode & 0o777).toBe(0o700);
    expect(await filesIn(made.outside)).toEqual(["file"]);
  });
});

it("is oldest first, ends below the budget or has nothing old left, and touches nothing young", async () => {
  const age = fc.integer({ min: 0, max: 30 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(age, { minLength: 1, maxLength: 12 }),
      fc.array(age, { maxLength: 4 }),
      fc.integer({ min: 1, max: 700 }),
      async (own, other, budgetKib) => {
        const hex = "0123456789abcdef";
        const name = (cache: string, index: number) => entry(cache, hex[index] ?? "");
        const ages = new Map([
          ...own.map((hours, index) => [name(KEEP, index), hours + index / 100] as const),
          ...other.map((hours, index) => [name(OLD, index), hours + index / 100] as const),
        ]);
        const made = await volume(Object.fromEntries([...ages].map(([file, hours]) => [file, { hours, kib: 40 }])));
        const report = collect(made, budgetKib);
        const left = new Set(await filesIn(made.root));
        for (const cache of [KEEP, OLD]) {
          const files = [...ages].filter(([file]) => file.startsWith(cache));
          const removed = files.flatMap(([file, hours]) => (left.has(file) ? [] : [hours]));
          const kept = files.flatMap(([file, hours]) => (left.has(file) && hours > 6.1 ? [hours] : []));
          expect(removed.filter((hours) => hours < 5.9)).toEqual([]);
          expect(Math.min(...removed, Infinity)).toBeGreaterThanOrEqual(Math.max(...kept, 0));
          if (report.overBudget) expect(kept).toEqual([]);
        }
        const oldLeft = [...ages].some(([file, hours]) => file.startsWith(OLD) && left.has(file) && hours > 6.1);
        if (oldLeft) expect(report.removed.entries).toBe(0);
        expect(report.after <= budgetKib * KIB).toBe(!report.overBudget);
        expect(collect(made, 1e6).before).toBe(report.after);
      },
    ),
    { numRuns: 15 },
  );
}, 60_000);

describe("is refused, in one line", () => {
  const sound = { root: "/nowhere", keep: KEEP, budget: "1", "minimum-age-hours": "6" };
  const given = (changed: Partial<typeof sound>) =>
    Object.entries({ ...sound, ...changed }).flatMap(([option, value]) => [`--${option}`, value]);

  it.each<[readonly string[], string]>([
    [[], "give --root, --keep, and --budget in bytes"],
    ...["80Gi", "Infinity", "0x10", "1e9", "0", "", "9".repeat(400)].map((budget): [readonly string[], string] => [
      given({ budget }),
      "--budget in bytes",
    ]),
    [given({ budget: "-1" }), "Option '--budget' argument is ambiguous."],
    [[...given({}), "--budget=-1"], "--budget in bytes"],
    [given({ "minimum-age-hours": "2" }), "must be at least 3"],
    [given({ "minimum-age-hours": "Infinity" }), "must be at least 3"],
    [given({ keep: "../go1.26.8-linux-amd64" }), "--keep names a folder"],
    [given({ keep: "go1.26.8/../../x-linux-amd64" }), "--keep names a folder"],
    [given({}), "is the volume mounted?"],
    [given({ root: PROGRAM }), "is the volume mounted?"],
    [[...given({}), "--unknown"], "Unknown option '--unknown'"],
    [[...given({}), "more"], "Unexpected argument 'more'"],
    [["--root"], "'--root <value>' argument missing"],
  ])("%j: %s", (args, said) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: "utf8" });
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(said);
    expect(stderr).toMatch(/^collect-garbage: [^\n]+\n$/);
  });
});
