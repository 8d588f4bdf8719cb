import { describe, expect, it } from "vitest";
import { holds, interpolate, interpolatedValue, valueOf, type Scope } from "../../../../release/workflow/expression.ts";
import type { Value } from "../../../../release/workflow/value.ts";

const scope: Scope = {
  contexts: {
    github: { ref_name: "v1.2.3", event_name: "push", event: { after: "abc" } },
    inputs: { registry: "", push: true, count: 3 },
    needs: {
      plan: { result: "success", outputs: { matrix: '{"include":[{"shard":"aws"}]}' } },
      warm: { result: "failure", outputs: {} },
    },
    matrix: { shard: "aws", list: ["a", "B"], "runs-on": "lane-0" },
    steps: { "say-it": { outputs: { true: "yes" } } },
    env: { NAME: "kiln" },
  },
  status: { success: true, failure: false, cancelled: false },
};
const value = (text: string) => valueOf(text, scope);

describe("values of expressions, as GitHub documents them", () => {
  const table: readonly (readonly [text: string, value: Value])[] = [
    ...([
      ["null", null],
      ["true", true],
      ["711", 711],
      ["-9.2", -9.2],
      ["0xff", 255],
      ["-2.99e-2", -0.0299],
    ] as const),
    ["'It''s open'", "It's open"],
    ["matrix.shard", "aws"],
    ["matrix['runs-on']", "lane-0"],
    ["matrix.runs-on", "lane-0"],
    ["MATRIX.Shard", "aws"],
    ["matrix.list[1]", "B"],
    ["matrix.list[7]", null],
    ["matrix.none.deeper", null],
    ["steps.say-it.outputs.true", "yes"],
    ["fromJSON(needs.plan.outputs.matrix).include[0].shard", "aws"],
    ["github.event.after", "abc"],
    // Equality: texts whatever their case, two kinds as numbers, lists and maps only with themselves.
    ["'AWS' == matrix.shard", true],
    ["null == 0", true],
    ["true == 1", true],
    ["'' == 0", true],
    ["' 0xff ' == 255", true],
    ["' +1.5 ' == 1.5", true],
    ["'0o10' == 8", true],
    ["'Infinity' == Infinity", true],
    ["'abc' == 0", false],
    ["NaN == NaN", false],
    ["NaN != NaN", true],
    ["matrix.list == matrix.list", true],
    ["fromJSON('[]') == fromJSON('[]')", false],
    ["fromJSON('{}') == 'Object'", false],
    // Order.
    ["'b' < 'A'", false],
    ["'10' < '9'", true],
    ["'10' < 9", false],
    ["false < true", true],
    ["matrix.list < matrix.list", false],
    ["matrix.list <= matrix.list", true],
    ["'abc' >= 0 || 'abc' <= 0", false],
    // Operators give operands back, and bind in GitHub's order.
    ["inputs.registry || 'ghcr.io'", "ghcr.io"],
    ["inputs.push && 'pushed' || 'kept'", "pushed"],
    ["true || false && false", true],
    ["(true || false) && false", false],
    ["!true == false", true],
    ["!'' && !0 && !null", true],
    ["1 < 2 == true", true],
    // Functions.
    ["contains('Hello', 'LO')", true],
    ["contains(matrix.list, 'b')", true],
    ["contains(needs.*.result, 'failure')", true],
    ["join(needs.*.result)", "success,failure"],
    ["join(matrix.list, ' and ')", "a and B"],
    ["join(needs.*.outputs.matrix, '|')", '{"include":[{"shard":"aws"}]}'],
    ["startsWith('iac-runner-base-v1', 'IAC')", true],
    ["endsWith(github.ref_name, '.3')", true],
    ["format('{0}/{1} {{{0}}}', 'a', 2)", "a/2 {a}"],
    ["toJSON(matrix.list)", '[\n  "a",\n  "B"\n]'],
    ["fromJSON('3')", 3],
    ["success() && !failure() && !cancelled()", true],
  ];
  it.each(table)("%s", (text, expected) => {
    expect(value(text)).toEqual(expected);
  });

  it.each([
    ["1 +", /cannot be read: at character 3/],
    ['"double"', /cannot be read: at character 1/],
    ["a.b", /"a", which kiln does not know/],
    ["hashFiles('x')", /the function hashFiles\(\), which kiln does not know/],
    ["contains('a')", /contains\(\) with 1 arguments/],
    ["github.head_ref", /github\.head_ref, which kiln does not know/],
    ["(true", /where "\)" should/],
    ["true false", /where its end should/],
    ["matrix.", /it ends where a name should/],
    ["'open", /cannot be read/],
    ["fromJSON('')", /got an empty text/],
    ["format('{1}', 'a')", /has no value for \{1\}/],
  ])("refuses %s", (text, message) => {
    expect(() => value(text)).toThrow(message);
  });

  it("does not show what fromJSON could not read, which may be a secret", () => {
    expect(() => valueOf("fromJSON(env.NAME)", scope)).toThrow(/^fromJSON\(\) got what is no JSON$/);
  });
});

describe("texts with expressions", () => {
  it.each([
    ["no expression", "no expression"],
    ["${{ env.NAME }}-${{ matrix.shard }}!", "kiln-aws!"],
    ["${{ '}}' }}", "}}"],
    ["${{ null }}|${{ true }}|${{ 1.50 }}|${{ matrix.list }}|${{ matrix }}", "|true|1.5|Array|Object"],
    ["$ { } {{ }}", "$ { } {{ }}"],
  ])("%s", (text, expected) => {
    expect(interpolate(text, scope)).toBe(expected);
  });

  it("keeps the kind of a value that is all of a text", () => {
    expect(interpolatedValue(" ${{ fromJSON(needs.plan.outputs.matrix) }} ", scope)).toEqual({
      include: [{ shard: "aws" }],
    });
    expect(interpolatedValue("${{ inputs.push }}", scope)).toBe(true);
    expect(interpolatedValue("${{ inputs.count }}.", scope)).toBe("3.");
  });

  it("refuses an expression that is not closed", () => {
    expect(() => interpolate("a ${{ env.NAME }", scope)).toThrow(/has no }} for its/);
  });
});

describe("conditions", () => {
  const after = (status: Partial<Scope["status"]>): Scope => ({ ...scope, status: { ...scope.status, ...status } });
  const failed = after({ success: false, failure: true });
  const cancelled = after({ success: false, cancelled: true });
  it.each([
    [undefined, true, false, false],
    ["true", true, false, false],
    ["inputs.push", true, false, false],
    ["${{ inputs.push }}", true, false, false],
    ["always()", true, true, true],
    ["failure()", false, true, false],
    ["!cancelled()", true, true, false],
    ["cancelled()", false, false, true],
    ["always() && matrix.shard == 'gcp'", false, false, false],
    ["success() || failure()", true, true, false],
  ])("%s after success, failure, cancellation", (condition, ...expected) => {
    expect([scope, failed, cancelled].map((one) => holds(condition, one))).toEqual(expected);
  });

  it("refuses ${{ }} around a part of a condition, which GitHub takes for true", () => {
    expect(() => holds("${{ inputs.push }} == false", scope)).toThrow(/always true/);
  });
});
