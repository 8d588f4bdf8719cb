import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { parseExactJson, type Json, type JsonObject } from "../../../execution/module/json.ts";
import type { ExecutionResult } from "../../../execution/module/execute-options.ts";
import type { Engine } from "../../../toolchain/docker-engine.ts";
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
  it("gives back any JSON that it was given, and texts that look like something else", async () => {
    const seed = Date.now() % 2 ** 31;
    const sampled = [...CHOSEN, ...fc.sample(sampledJson, { numRuns: 300, seed })];
    // As JSON has them: it knows no negative zero.
    const values = JSON.parse(JSON.stringify(sampled)) as readonly Json[];
    const runs = await runsOf(example);
    const inputs = { echo: values, text: "true", content: "1.10" };
    const apply = await runs.perform("apply", { network: "none", fields: { inputs } });
    expect(apply.response.error).toBeUndefined();
    expect(apply.outputs.text).toEqual({ value: "true", sensitive: false });
    expect(contentOf(apply)).toBe("1.10");
    const echoed = JSON.parse(JSON.stringify(apply.outputs.echo?.value)) as readonly Json[];
    expect(echoed).toHaveLength(values.length);
    for (const [at, value] of values.entries()) {
      // Pulumi's Go SDK sends no members that are null.
      const expected = example === "pulumi-go" ? withoutNullMembers(value) : value;
      expect(echoed[at], `seed ${seed}, value ${at}`).toEqual(expected);
    }
  });

  it("takes numbers beyond a double, null and a secret with a line end as inputs of their own", async () => {
    const runs = await runsOf(example);
    const given = example === "opentofu" ? NUMBERS.opentofu : NUMBERS.pulumi;
    const apply = await runs.perform("apply", {
      network: "none",
      fields: { inputs: parseExactJson(given.inputs) as JsonObject },
      secrets: { inputs: { secret: "-0012\n" } },
    });
    expect(apply.response.error).toBeUndefined();
    expect(JSON.stringify(apply.outputs.text?.value)).toBe(given.text);
    expect(contentOf(apply)).toBe(given.content);
    expect(JSON.stringify(apply.outputs.echo?.value)).toBe(given.echo);
    expect(apply.outputs.secret).toEqual({ value: "-0012\n", sensitive: true });
  });
});

/** What the note or the file was made with. */
function contentOf({ outputs, response }: ExecutionResult): unknown {
  // Of a note there is an output, of a file the change alone.
  const file = response.changes.find(({ resource }) => resource === "local_file.greeting");
  const { content } = (file?.after ?? { content: outputs.noteContent?.value }) as JsonObject;
  return content;
}

/**
 * Numbers that no double holds, and what is to come back, as JSON. Pulumi's configuration is text, so a number arrives in a
 * text digit by digit; its engine has doubles, so an output that is a number cannot. It has no null: the module's own value
 * stays.
 */
const NUMBERS = {
  pulumi: {
    inputs: '{"text": 12345678901234567890, "echo": 9007199254740993, "content": null}',
    ...{ text: '"12345678901234567890"', echo: "9007199254740992", content: "hello" },
  },
  opentofu: {
    inputs: '{"content": 12345678901234567890, "echo": 9007199254740993, "text": null}',
    ...{ text: "null", echo: "9007199254740993", content: "12345678901234567890" },
  },
};
