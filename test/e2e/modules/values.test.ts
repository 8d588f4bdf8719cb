import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Json } from "../../../execution/module/json.ts";
import type { Engine } from "../../../toolchain/docker-engine.ts";
import { run } from "../../../toolchain/process.ts";
import { moduleEngine, moduleImage, RUNNABLE_EXAMPLES, type RunnableExample } from "../../support/module-images.ts";
import { ModuleRuns } from "../../support/module-runs.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await moduleEngine();
});

async function runsOf(example: RunnableExample): Promise<ModuleRuns> {
  const { image } = await moduleImage(engine, example);
  return new ModuleRuns(engine, image, await temporaryDirectory());
}

/**
 * Any JSON, of any Unicode. OpenTofu has texts in their composed form only, and JavaScript's own objects cannot have
 * `__proto__` as a name like any other.
 */
const sampledJson = fc
  .jsonValue({ stringUnit: "grapheme-composite", maxDepth: 4 })
  .map((value) => composed(value as Json));

function composed(value: Json): Json {
  if (typeof value === "string") return value.normalize("NFC");
  if (Array.isArray(value)) return value.map(composed);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => name !== "__proto__");
  return Object.fromEntries(entries.map(([name, inner]) => [name.normalize("NFC"), composed(inner)]));
}

const CHOSEN: readonly Json[] = [
  ...[null, true, false, 0, -1, 0.1, 1e21, 5e-324, 1.7976931348623157e308, 9007199254740991],
  ...[
    "",
    " ",
    "--flag",
    "-3",
    "null",
    "true",
    "1.10",
    "${var.x}",
    "%{if}",
    "a: b\n- c",
    "\u2028\t\u001b\u007f",
    "🦜",
    "=",
    '"',
    "\\",
  ],
  ...[[], [[]], {}, { "": "" }, { "a.b[0]": [{ "${x}": null }] }, [null, [null, { none: null }]]],
];

function withoutNullMembers(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNullMembers);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutNullMembers(inner)]));
}

describe.each(RUNNABLE_EXAMPLES)("%s", (example) => {
  it("gives back any JSON that it was given", async () => {
    const seed = Date.now() % 2 ** 31;
    const sampled = [...CHOSEN, ...fc.sample(sampledJson, { numRuns: 300, seed })];
    // As JSON has them: it knows no negative zero.
    const values = JSON.parse(JSON.stringify(sampled)) as readonly Json[];
    const runs = await runsOf(example);
    const apply = await runs.perform("apply", { network: "none", fields: { inputs: { echo: values } } });
    expect(apply.response.error).toBeUndefined();
    const echoed = JSON.parse(JSON.stringify(apply.outputs.echo?.value)) as readonly Json[];
    expect(echoed).toHaveLength(values.length);
    for (const [at, value] of values.entries()) {
      // Pulumi's Go SDK sends no members that are null.
      const expected = example === "pulumi-go" ? withoutNullMembers(value) : value;
      expect(echoed[at], `seed ${seed}, value ${at}`).toEqual(expected);
    }
  });
});

/** With what encoders change: quotes, signs of URLs, two lines, letters beyond ASCII. */
const SECRET = 'Zq7&"kä/ n+8?w=\\x\nSecond-Line-9f3';

/** Spelled without the redactor's own list, by what anyone has at hand. */
function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const shifted = [0, 1, 2].map((by) =>
    Buffer.concat([Buffer.alloc(by, "x"), bytes])
      .toString("base64")
      .slice(4, -4),
  );
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    ...secret.split("\n"),
    ...[
      json,
      JSON.stringify(json).slice(1, -1),
      encodeURIComponent(secret),
      new URLSearchParams({ s: secret }).toString().slice(2),
    ],
    ...[
      bytes.toString("hex"),
      bytes.toString("hex").toUpperCase(),
      bytes.toString("base64url").slice(0, -2),
      ...shifted,
    ],
  ];
}

describe.each(["pulumi-nodejs", "opentofu"] as const)("a secret of %s", (example) => {
  it("is nowhere but in its channel and in the decrypted output", async () => {
    const runs = await runsOf(example);
    const places = new Map<string, string>();
    let looked: Promise<void> | undefined;
    const look = async (runId: string): Promise<void> => {
      const [name = ""] = await runs.containers(runId);
      places.set("docker inspect", (await runs.docker("inspect", name)).stdout);
      places.set("processes", (await runs.docker("top", name, "-eo", "pid,args")).stdout + (await commandLines()));
      places.set("request", (await runs.docker("exec", name, "cat", "/workspace/input.json")).stdout);
      places.set("docker diff", (await runs.docker("diff", name)).stdout);
    };
    // Long enough to look at the container while the tool is at it.
    const slow = example === "opentofu" ? { delay_seconds: 3 } : { delaySeconds: 3 };
    const applied = await runs.perform("apply", {
      network: "none",
      secrets: { inputs: { secret: SECRET } },
      // The secret stands in plain inputs, too: it is known, and hidden there as well.
      fields: { run_id: `secrecy-${example}`, inputs: { ...slow, text: "unrelated", content: "unrelated" } },
      onEvent: ({ kind, status }) => {
        if (kind === "resource" && status === "started") looked ??= look(`secrecy-${example}`);
      },
    });
    await looked;
    expect(applied.response.error).toBeUndefined();
    expect(applied.outputs.secret).toEqual({ value: SECRET, sensitive: true });

    for (const file of (await readdir(runs.state, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    )) {
      places.set(`state directory: ${file.name}`, await readFile(path.join(file.parentPath, file.name), "latin1"));
    }
    places.set("events", JSON.stringify(runs.events));
    places.set("response", JSON.stringify(applied.response));
    const archive = path.join(await temporaryDirectory(), "image.tar");
    await runs.docker("save", "--output", archive, runs.image);
    expect([...places.keys()]).toEqual(
      expect.arrayContaining(["docker inspect", "processes", "request", "state directory: events.ndjson"]),
    );
    expect(places.get("docker inspect")).toContain("KILN_SECRETS=stdin");
    expect(places.get("request")).toContain("unrelated");
    for (const spelling of spellings(SECRET)) {
      for (const [place, text] of places) expect(text.includes(spelling), `${spelling} in ${place}`).toBe(false);
    }
    const there = await run("grep", ["--text", "--count", "--fixed-strings", "dev.kiln.module.tool", archive]);
    expect(Number(there.stdout)).toBeGreaterThan(0);
    const patterns = spellings(SECRET).flatMap((spelling) => spelling.split("\n").flatMap((line) => ["-e", line]));
    const inLayers = await run("grep", ["--text", "--count", "--fixed-strings", ...patterns, archive], {
      allowFailure: true,
    });
    expect(inLayers.stdout.trim()).toBe("0");
  });
});

/** What everybody on this machine may read of its processes. */
async function commandLines(): Promise<string> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const texts = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""));
  return (await Promise.all(texts)).join("\n").replaceAll("\0", " ");
}
