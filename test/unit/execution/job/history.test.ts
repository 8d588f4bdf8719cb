import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { jobCommands } from "../../../../cli/job/commands.ts";
import {
  findJob,
  JobHistory,
  pruneHistory,
  readHistory,
  readJob,
  readWholeHistory,
} from "../../../../execution/job/history.ts";
import { parseResult } from "../../../../execution/job/result.ts";
import { silent } from "../../../../progress.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { aJob } from "./job-values.ts";

const RESULT = parseResult('{"job_id":"good","status":"succeeded","exit_code":0}');

/** A history of a sound job, one whose result broke off, one that kiln takes no more, and one that is no JSON. */
async function history(): Promise<string> {
  const root = await temporaryDirectory();
  const [, broken, old, empty] = await Promise.all(
    ["good", "broken", "old", "empty-2"].map(async (id) => {
      const begun = await JobHistory.begin(root, aJob({ job_id: id }), "container");
      await begun.end(RESULT);
      return begun.folder;
    }),
  );
  await writeFile(path.join(broken ?? "", "result.json"), '{"status": "succ');
  await writeFile(path.join(old ?? "", "job.json"), JSON.stringify({ ...aJob({ job_id: "old" }), network: "host" }));
  await writeFile(path.join(empty ?? "", "job.json"), "");
  await mkdir(path.join(root, "notes"));
  await writeFile(path.join(root, ".settling.lock"), "");
  return root;
}

const FAULTS = {
  broken: /broken\/result\.json cannot be read as this kiln reads it: result is no JSON/,
  old: /old\/job\.json cannot be read as this kiln reads it: job\.network host is no network/,
  "empty-2": /empty-2\/job\.json cannot be read as this kiln reads it: job is no JSON/,
};

async function command(name: string, root: string, ...positionals: readonly string[]) {
  const found = jobCommands.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found.run({ values: { history: root }, positionals: [...positionals], progress: silent });
}

it("a damaged job is listed with its fault, in what is printed and in the document", async () => {
  const root = await history();
  const { text, json } = await command("job list", root);
  const rows = text.split("\n").filter((row) => /^\d{8}T/.test(row));
  expect(rows.map((row) => row.split(/ +/)[1]).sort()).toEqual([
    ...["succeeded", "unreadable", "unreadable", "unreadable"],
  ]);
  const { jobs } = json as { readonly jobs: Awaited<ReturnType<typeof readWholeHistory>> };
  for (const [id, fault] of Object.entries(FAULTS)) {
    expect(text).toMatch(fault);
    expect(jobs).toContainEqual(
      expect.objectContaining({ job_id: id, status: "unreadable", fault: expect.stringMatching(fault) as string }),
    );
  }
  expect(jobs.length).toBe(4);
});

it("a damaged job is found by its id and by its folder, and what is said names the file", async () => {
  const root = await history();
  for (const [id, message] of Object.entries(FAULTS)) {
    const fault = { kind: "usage", message: expect.stringMatching(message) as string };
    const { folder = "" } = (await readWholeHistory(root)).find((job) => job.folder.endsWith(id)) ?? {};
    for (const wanted of [id, path.basename(folder), folder]) {
      await expect(findJob(root, wanted)).rejects.toMatchObject(fault);
      await expect(command("job show", root, wanted)).rejects.toMatchObject(fault);
    }
  }
  expect((await findJob(root, "good")).status).toBe("succeeded");
  await expect(findJob(root, "empty")).rejects.toThrow("there is no job empty");
});

it("a result without its job.json is one too; a folder with neither is none", async () => {
  const root = await temporaryDirectory();
  const { folder } = await JobHistory.begin(root, aJob(), "container");
  await rm(path.join(folder, "job.json"));
  expect(await readWholeHistory(root)).toEqual([]);
  await writeFile(path.join(folder, "result.json"), JSON.stringify(RESULT));
  expect(await readWholeHistory(root)).toMatchObject([
    { job_id: "job-1", fault: `${folder} is no job's folder: it has no job.json` },
  ]);
});

it("damaged jobs keep nobody from the others, and stay where they are", async () => {
  const root = await history();
  expect((await readHistory(root)).map(({ description }) => description.job_id)).toEqual(["good"]);
  expect(await pruneHistory(root, 0)).toHaveLength(1);
  expect(await readWholeHistory(root)).toHaveLength(3);
});

it("a result that may not be read is no job that still runs", async () => {
  const root = await temporaryDirectory();
  const begun = await JobHistory.begin(root, aJob(), "container");
  await mkdir(path.join(begun.folder, "result.json"));
  await expect(readJob(begun.folder)).rejects.toThrow("result.json cannot be read as this kiln reads it: EISDIR");
  expect(await readFile(path.join(begun.folder, "job.json"), "utf8")).toContain("job-1");
});
