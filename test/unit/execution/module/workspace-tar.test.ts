import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { extract } from "tar-stream";
import { expect, it, vi } from "vitest";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { fakeDocker } from "./fake-docker.ts";

// A dozen processes a run: slow where a machine is busy.
vi.setConfig({ testTimeout: 60_000 });

/** What goes into a run's container: each entry with owner, group and mode; and the user that it runs as. */
async function handedIn(entrypoint?: string) {
  const fake = await fakeDocker();
  await fake.execute({ request: { action: "preview", inputs: {}, run_id: "r" }, entrypoint });
  const entries: string[] = [];
  const tar = createReadStream(path.join(await fake.folderOf("r"), "workspace.tar"));
  for await (const entry of tar.pipe(extract())) {
    const { name, uid, gid, mode } = entry.header;
    entries.push(`${name} ${uid}:${gid} ${mode.toString(8)}`);
    entry.resume();
  }
  const args = (await fake.fileOf("r", "args")).split("\n");
  return { entries, user: args[args.indexOf("--user") + 1] };
}

it("a request is readable by the user that the module runs as, who is not root, and by nobody else", async () => {
  expect(await handedIn()).toEqual({ entries: ["input.json 65532:65532 600"], user: "65532:65532" });
});

it("so is an entrypoint that is put in, and the folder in which it leaves its response", async () => {
  const entrypoint = path.join(await temporaryDirectory(), "kiln-entrypoint");
  await writeFile(entrypoint, "a program");
  expect((await handedIn(entrypoint)).entries.map((entry) => entry.replace("/ ", " "))).toEqual([
    "run 65532:65532 700",
    "run/kiln-entrypoint 65532:65532 500",
    "run/input.json 65532:65532 600",
  ]);
});
