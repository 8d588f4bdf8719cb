import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { writeFirst, writeWhole } from "../../../execution/whole-file.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

it("a file is always one of those that were written, whole, and its owner's alone", async () => {
  const file = path.join(await temporaryDirectory(), "below/state.json");
  const texts = Array.from({ length: 20 }, (_, at) => String(at).repeat(100_000));
  await writeWhole(file, texts[0] ?? "");
  await Promise.all(
    texts.flatMap((text) => [
      writeWhole(file, text),
      readFile(file, "utf8").then((found) => {
        expect(texts).toContain(found);
      }),
    ]),
  );
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(path.dirname(file))).toEqual(["state.json"]);
});

it("of several that write first, one does", async () => {
  const file = path.join(await temporaryDirectory(), "key");
  const written = await Promise.all(["a", "b", "c"].map((text) => writeFirst(file, text)));
  expect(written.filter(Boolean)).toHaveLength(1);
  expect(await readFile(file, "utf8")).toBe(["a", "b", "c"][written.indexOf(true)]);
  expect(await writeFirst(file, "d")).toBe(false);
  expect(await readdir(path.dirname(file))).toEqual(["key"]);
});
