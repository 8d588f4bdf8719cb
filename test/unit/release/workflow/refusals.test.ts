import { beforeEach, describe, expect, it } from "vitest";
import { oneJob, WorkflowProject } from "../../../support/workflow-project.ts";

let project: WorkflowProject;
beforeEach(async () => {
  project = await WorkflowProject.make();
});

const CALLER = `
on: { push: { tags: ["image-v*"] } }
jobs: { release: { uses: ./.github/workflows/build.yml, with: { version: "1" } } }
`;
const BUILD = `
on: { workflow_call: { inputs: { version: { type: string } } } }
jobs: { a: { runs-on: ubuntu-latest, steps: [{ run: "true" }] } }
`;

const fine = oneJob("      - { run: 'true' }\n");

describe("what is refused", () => {
  it.each([
    [{ image: fine, other: fine }, /starts \.github\/workflows\/image\.yml and \.github\/workflows\/other\.yml/],
    [{ image: fine.replace("image-v*", "other-v*") }, /the tag image-v1\.2\.3 starts no workflow of its commit/],
    [
      { image: oneJob("      - uses: actions/github-script@v7\n") },
      /jobs\.a\.steps\[0\] \(actions\/github-script\): the action actions\/github-script has no stand-in/,
    ],
    [
      { image: oneJob("      - { uses: actions/checkout@v6, with: { submodules: true } }\n") },
      /with\.submodules is not understood/,
    ],
    [
      { image: oneJob("      - { uses: pulumi/actions@v7, with: { pulumi-version: 3.253.0, command: up } }\n") },
      /with\.command is not understood/,
    ],
    [{ image: oneJob("      - uses: azure/login@v3\n", "    if: always()\n") }, /azure\/login has no stand-in/],
    [{ image: fine.replace("ubuntu-latest", "windows-latest") }, /jobs\.a runs on windows-latest/],
    [{ image: CALLER.replace("version:", "versions:"), build: BUILD }, /the input versions, which it does not take/],
    [{ image: CALLER }, /has no file \.github\/workflows\/build\.yml/],
  ])("%#", async (workflows, message) => {
    await project.commit(workflows);
    await expect(project.run()).rejects.toThrow(message);
  });

  it("a tag that is not there, an input that is not declared, a file that is not committed", async () => {
    await project.commit({ image: fine });
    await expect(project.run({ tag: "image-v9" })).rejects.toThrow("this checkout has no tag image-v9");
    await expect(project.run({ inputs: { a: "b" } })).rejects.toThrow("takes no input a");
    await project.write("new", fine);
    await expect(project.run({ workflow: ".github/workflows/new.yml" })).rejects.toThrow(/has no file/);
  });

  it("a tag that names another commit than its recorded run did, until it begins anew", async () => {
    await project.commit({ image: fine });
    await project.run();
    await project.commit({ image: `# another\n${fine}` });
    await expect(project.run()).rejects.toMatchObject({
      kind: "usage",
      message: /the tag image-v1\.2\.3 names commit \w{12}, and its recorded run was of/,
    });
    expect((await project.run({ fresh: true })).result).toBe("success");
  });
});

describe("two runs of one tag at once", () => {
  it("take turns, and the second finds all done", async () => {
    await project.commit({ image: fine });
    const [first, second] = await Promise.all([project.run(), project.run()]);
    expect([first.result, second.result]).toEqual(["success", "success"]);
    expect(project.notes.join("\n")).toMatch(/waiting for the release of image-v1\.2\.3: process \d+/);
    const recalled = [first, second].map(({ timeline }) => timeline.rows.every((row) => row.recalled));
    expect(recalled.sort()).toEqual([false, true]);
  });
});
