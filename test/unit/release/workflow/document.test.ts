import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { parseWorkflow } from "../../../../release/workflow/document.ts";

const FILE = ".github/workflows/image.yml";
const HEAD = "on: { push: { tags: [v*] } }\n";
const STEP = "steps: [{ run: make }]";

const parse = (text: string) => parseWorkflow(text, FILE);

describe("a workflow", () => {
  it("is read with all that kiln runs", () => {
    const workflow = parse(`
name: Image
on:
  push: { tags: ["iac-runner-base-v*"], branches: [main] }
  schedule: [{ cron: "0 3 * * 1" }]
  workflow_dispatch:
    inputs: { push: { type: boolean, default: true, description: whether } }
  workflow_call:
    inputs: { registry: { type: string, required: true } }
    outputs: { digest: { value: "\${{ jobs.compose.outputs.digest }}" } }
    secrets: { token: { required: true } }
permissions: { contents: read }
concurrency: { group: image, cancel-in-progress: false }
env: { A: 1 }
defaults: { run: { shell: bash } }
jobs:
  warm:
    name: Warm \${{ matrix.shard }}
    runs-on: { group: trusted, labels: ["\${{ matrix.lane }}"] }
    permissions: { packages: write }
    environment: { name: prod, url: https://example.com }
    strategy: { fail-fast: false, max-parallel: 2, matrix: "\${{ fromJSON(inputs.matrix) }}" }
    timeout-minutes: 5
    continue-on-error: "\${{ inputs.push }}"
    outputs: { a: b }
    steps:
      - uses: actions/checkout@0123456789012345678901234567890123456789 # v6
        with: { fetch-depth: 0 }
      - { id: x, name: X, if: always(), run: make, env: { B: true }, working-directory: a, shell: sh, continue-on-error: true, timeout-minutes: 1 }
  call:
    needs: warm
    uses: kiln/kiln/.github/workflows/build.yml@main
    with: { registry: ghcr.io }
    secrets: inherit
`);
    expect(workflow).toMatchObject({ name: "Image", env: { A: "1" }, defaults: { shell: "bash" } });
    expect(workflow.on).toMatchObject({
      tags: ["iac-runner-base-v*"],
      dispatch: { push: { type: "boolean", default: true } },
      call: { inputs: { registry: { required: true } }, secrets: { token: true } },
    });
    const [warm, call] = workflow.jobs;
    expect(warm).toMatchObject({
      runsOn: ["trusted", "${{ matrix.lane }}"],
      environment: "prod",
      strategy: { failFast: "false", maxParallel: "2" },
      steps: [
        { action: "actions/checkout", with: { "fetch-depth": "0" }, title: "actions/checkout" },
        { id: "x", title: "X", if: "always()", run: "make", env: { B: "true" }, shell: "sh", timeoutMinutes: "1" },
      ],
    });
    expect(call).toMatchObject({
      needs: ["warm"],
      workflow: ".github/workflows/build.yml",
      elsewhere: "kiln/kiln/.github/workflows/build.yml@main",
    });
  });

  it("has every tag where push has no filter, and none where it names branches alone", () => {
    expect(parse(`on: push\njobs: { a: { runs-on: x, ${STEP} } }`).on.tags).toEqual(["**"]);
    expect(parse(`on: [push]\njobs: { a: { runs-on: x, ${STEP} } }`).on.tags).toEqual(["**"]);
    expect(parse(`on: { push: { branches: [main] } }\njobs: { a: { runs-on: x, ${STEP} } }`).on.tags).toEqual([]);
  });
});

describe("what is not understood is refused by its place", () => {
  it.each([
    ["jobs: [", `${FILE}:2:8 is no YAML`],
    ["jobs: {}", `${FILE}: has no jobs`],
    ["jobz: {}\njobs: { a: { runs-on: x, steps: [{ run: b }] } }", `${FILE}: jobz is not understood`],
    [`jobs: { a: { runs-on: x, container: node, ${STEP} } }`, `${FILE}: jobs.a.container is not understood`],
    [`jobs: { a: { runs-on: x, services: {}, ${STEP} } }`, `${FILE}: jobs.a.services is not understood`],
    [`jobs: { a: { ${STEP} } }`, `${FILE}: jobs.a has no runs-on`],
    ["jobs: { a: { runs-on: x } }", `${FILE}: jobs.a has neither steps nor uses`],
    ["jobs: { a: { runs-on: x, steps: [{ name: N }] } }", "jobs.a.steps[0] has neither or both of run and uses"],
    ["jobs: { a: { runs-on: x, steps: [{ run: b, timeout: 1 }] } }", "jobs.a.steps[0].timeout is not understood"],
    ["jobs: { a: { runs-on: x, steps: [{ run: b, shell: pwsh }] } }", "jobs.a.steps[0].shell is pwsh"],
    ["jobs: { a: { runs-on: x, steps: [{ uses: ./act }] } }", "jobs.a.steps[0].uses is ./act"],
    ["jobs: { a: { runs-on: x, steps: [{ run: a, id: i }, { run: b, id: i }] } }", "two steps with the id i"],
    ["jobs: { a: { runs-on: x, steps: [{ run: 'a ${{ b }}' }] } }", 'jobs.a.steps[0].run: the expression "b" has "b"'],
    ["jobs: { a: { runs-on: x, if: 'a ||', steps: [{ run: a }] } }", "jobs.a.if: the expression"],
    [
      "jobs: { a: { runs-on: x, strategy: { matrix: { b: ['${{ c( }}'] } }, steps: [{ run: a }] } }",
      "jobs.a.strategy.matrix.b.0: ",
    ],
    ["jobs: { a: { uses: ./x.yml } }", "jobs.a.uses is ./x.yml"],
    ["jobs: { a: { uses: o/r/.github/workflows/x.yml } }", "jobs.a.uses is o/r"],
    ["jobs: { a: { uses: ./.github/workflows/x.yml, steps: [] } }", "jobs.a.steps is not understood"],
    ["jobs: { 'a b': { runs-on: x, steps: [{ run: a }] } }", "jobs.a b has a name of other characters"],
  ])("%s", (text, message) => {
    const refused = () => parse(HEAD + text);
    expect(refused).toThrow(KilnError);
    expect(refused).toThrow(message);
  });

  it("names events and inputs that it does not know", () => {
    expect(() => parse(`on: { psh: {} }\njobs: { a: { runs-on: x, ${STEP} } }`)).toThrow("on.psh is not understood");
    const inputs = "{ a: { type: file } }";
    expect(() => parse(`on: { workflow_call: { inputs: ${inputs} } }\njobs: { a: { runs-on: x, ${STEP} } }`)).toThrow(
      "on.workflow_call.inputs.a.type is file",
    );
  });
});
