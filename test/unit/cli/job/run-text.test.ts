import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { historyText, jobText, recordedText } from "../../../../cli/job/run-text.ts";
import { main } from "../../../../cli/main.ts";
import { JobHistory } from "../../../../execution/job/history.ts";
import { parseResult } from "../../../../execution/job/result.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { aJob } from "../../execution/job/job-values.ts";

/** Clears the screen; writes to the clipboard; a title by the one sign of an escape sequence; turns a text around. */
const ACTING = "\u001b[2J\u001b]52;c;eA==\u0007\u009d0;x\u009c\u202e";
const acts = (text: string) => /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/.test(text);

const result = parseResult(
  JSON.stringify({
    ...{ job_id: `job${ACTING}`, status: "failed", exit_code: 1, error: `error${ACTING}`, notes: [`note${ACTING}`] },
    ...{ started_at: `start${ACTING}`, finished_at: `end${ACTING}` },
    artifacts: [{ name: `artifact${ACTING}\nsucceeded`, bytes: 1, sha256: ACTING }],
  }),
);
const description = aJob({
  source: { kind: "directory", path: `/source${ACTING}` },
  parameters: { host: ACTING },
});
const sandbox = { relaxations: [] } as unknown as Parameters<typeof jobText>[0]["sandbox"];

it("what a job wrote is shown and never obeyed, wherever it is printed", () => {
  const folder = `/folder${ACTING}`;
  const texts = [
    jobText({ ...{ result, description, folder, runner: "docker", container: "c", sandbox } }),
    recordedText({ folder, description, result, status: "failed" }),
    historyText([
      { folder, description, result, status: "failed" },
      { folder, job_id: "x", status: "unreadable", fault: `fault${ACTING}` },
    ]),
  ];
  for (const text of texts) expect(acts(text)).toBe(false);
  const [ended = "", recorded = "", listed = ""] = texts;
  for (const said of ["error", "note: note", "artifact", "/folder"]) expect(ended).toContain(`${said}\u241b[2J`);
  for (const said of ["error", "/source", "start", "end"]) expect(recorded).toContain(`${said}\u241b[2J`);
  expect(listed).toContain("fault\u241b[2J");
  // An artifact's name is no line of its own.
  expect(ended.split("\n").filter((line) => line.startsWith("succeeded"))).toEqual([]);
});

describe("the log of a job", () => {
  const own = Object.getOwnPropertyDescriptor(process.stdout, "isTTY");
  let root: string;

  beforeEach(async () => {
    vi.spyOn(process, "once").mockReturnThis();
    root = await temporaryDirectory();
    const history = await JobHistory.begin(root, aJob(), "container");
    await writeFile(path.join(history.folder, "stdout.log"), `\u001b[32mgreen${ACTING}\n`);
    await history.end(result);
  });

  afterEach(() => {
    vi.restoreAllMocks();
    Reflect.deleteProperty(process.stdout, "isTTY");
    if (own !== undefined) Object.defineProperty(process.stdout, "isTTY", own);
  });

  async function printed(isTerminal: boolean, ...argv: readonly string[]): Promise<{ stdout: string; stderr: string }> {
    Object.defineProperty(process.stdout, "isTTY", { value: isTerminal, configurable: true });
    const written = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      vi.spyOn(process[name], "write").mockImplementation((text) => {
        written[name] += String(text);
        return true;
      });
    }
    await main([...argv, "--history", root]);
    return written;
  }

  it("acts on no terminal, and goes as it is through a pipe", async () => {
    const onTerminal = await printed(true, "job", "show", "job-1", "--log");
    expect(onTerminal.stdout).toContain("\u241b[32mgreen\u241b[2J");
    expect(acts(onTerminal.stdout)).toBe(false);
    vi.restoreAllMocks();
    expect((await printed(false, "job", "show", "job-1", "--log")).stdout).toBe(`\u001b[32mgreen${ACTING}\n`);
  });

  it("is not what an error brings to a terminal", async () => {
    await mkdir(path.join(root, "damaged"));
    await writeFile(path.join(root, "damaged/job.json"), `${ACTING} is no JSON`);
    const { stderr } = await printed(true, "job", "show", "damaged");
    expect(stderr).toContain("damaged/job.json cannot be read");
    expect(acts(stderr)).toBe(false);
  });
});
