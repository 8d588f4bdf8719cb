import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, inject, it } from "vitest";
import { kiln } from "../support/checkout.ts";
import { isExtended } from "../support/extended.ts";

const checkout = inject("checkout");
const up = inject("up");

/** Compiles all examples from nothing, some minutes: `npm run test:extended`. */
it.runIf(isExtended)("a bake with an empty store gives the very layers of the first one", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "kiln-reproducible-"));
  try {
    const [out, layout] = [path.join(root, "cache"), path.join(root, "layout")];
    const select = ["--source", ".", "--modules", "examples/modules/{provider}/{module}", "--shards", "2"];
    const simulated = await kiln(checkout, [
      "cache",
      "simulate",
      ...select,
      "--store",
      path.join(root, "store"),
      "--out",
      out,
    ]);
    expect(simulated.code).toBe(0);
    const args = ["cache", "layers", "--cache", out, "--plan", `${out}.plan.json`, "--out", layout, "--json"];
    const written = JSON.parse((await kiln(checkout, args)).stdout) as { name: string; digest: string }[];
    expect(written.map(({ digest }) => digest)).toEqual(up.layers.map(({ digest }) => digest));
    expect(JSON.parse(await readFile(path.join(layout, "index.json"), "utf8"))).toMatchObject({ schemaVersion: 2 });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
