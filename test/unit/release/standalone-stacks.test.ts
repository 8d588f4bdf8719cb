import { describe, expect, it } from "vitest";
import { runningRoots, standaloneStacks } from "../../../release/standalone-stacks.ts";

const RUNNER = "ghcr.io/acme/infra/base-images/iac-runner";
const image = { repository: RUNNER, digest: `sha256:${"a".repeat(64)}` };
const text = (dockerfile: string, registry = "ghcr.io/acme/infra") =>
  `config:\n  kiln:registry: ${registry}\n  kiln:image: { dockerfile: ${dockerfile} }\n`;
const file = (stack: string, content: string) => ({ file: `stacks/Pulumi.${stack}.yaml`, text: content });
const version = { commit: "c", committed: "2026-01-01", authored: "2026-01-01", subject: "s" };

describe("standaloneStacks", () => {
  it("is who says so in the files here, and at the end of any branch", () => {
    const here = [file("prod", text("standalone")), file("dev", text("merged")), file("none", "config: {}\n")];
    const branches = [
      { ...version, ...file("edge", text("standalone")), branch: "origin/main" },
      { ...version, ...file("prod", text("standalone")), branch: "origin/main" },
      { ...version, ...file("past", text("standalone")) },
    ];
    expect(standaloneStacks({ here, branches })).toEqual([
      { stack: "edge", repository: RUNNER },
      { stack: "prod", repository: RUNNER },
    ]);
  });

  it.each(["", "config:\n", "config: [\n", "config: { kiln:image: 3, kiln:registry: x }\n", text("standalone", "x y")])(
    "finds none in %j",
    (content) => {
      expect(standaloneStacks({ here: [file("prod", content)], branches: [] })).toEqual([]);
    },
  );
});

describe("runningRoots", () => {
  const standalone = [{ stack: "prod", repository: RUNNER }];

  it("refuses to clean up images of a standalone stack that nothing names, and says how to name the one that runs", () => {
    const other = { stack: "prod", image: { ...image, repository: `${RUNNER}-warm` } };
    for (const running of [[], [{ stack: "dev", image }], [other]]) {
      expect(() => runningRoots(standalone, running, [RUNNER])).toThrow("stack prod is standalone");
    }
    const mend = expect.stringContaining(
      '--running "prod=$(npx kiln release image --stack prod --deployed)"',
    ) as string;
    expect(() => runningRoots(standalone, [], [RUNNER])).toThrow(
      expect.objectContaining({ kind: "usage", mend }) as Error,
    );
  });

  it("lets what it is said to run stay", () => {
    const running = [{ stack: "prod", image }];
    expect(runningRoots(standalone, running, [RUNNER])).toEqual([{ ...image, reason: "stack prod runs it" }]);
  });

  it("asks nothing where other repositories are cleaned up", () => {
    expect(runningRoots(standalone, [], [`${RUNNER}-warm`])).toEqual([]);
  });
});
