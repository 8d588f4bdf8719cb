import { execFileSync } from "node:child_process";
import { readFile, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kiln, makeCheckout, PROJECT, removeCheckout, type Checkout } from "../support/checkout.ts";
import { isExtended } from "../support/extended.ts";

/** A stack of the three small programs, in a checkout of its own, so that it can be interrupted and taken down. */
let checkout: Checkout;
/** Those in which most is half done; the others are for `npm run test:extended`. */
const PHASES = ["linking", "pulumi up"];
const stackFile = () => path.join(checkout.directory, "stacks/Pulumi.local.yaml");
let committed = "";

beforeAll(async () => {
  checkout = await makeCheckout({ store: path.join(PROJECT, ".kiln/test-store-fixture") });
  const source = '  kiln:source:\n    path: test/fixtures/programs\n    modules: "{provider}/{module}"\n';
  committed = `${(await readFile(stackFile(), "utf8")).trimEnd()}\n${source}`;
  await writeFile(stackFile(), committed);
});

afterAll(async () => {
  await kiln(checkout, ["down"]);
  await removeCheckout(checkout);
});

describe("up, interrupted in each phase, then up, then down", () => {
  it.each(isExtended ? ["building the base image", ...PHASES, "verifying inside the image"] : PHASES)(
    "Ctrl-C at «%s» exits with 130 and writes no digest",
    async (phase) => {
      let sent = false;
      const result = await kiln(checkout, ["up"], {
        onStderr: (text, pid) => {
          if (sent || !text.includes(phase)) return;
          sent = true;
          setTimeout(() => process.kill(pid, "SIGINT"), 300);
        },
      });
      expect({ code: result.code, sent }).toEqual({ code: 130, sent: true });
      expect(result.stderr).toContain("interrupted");
      if (phase !== "pulumi up") expect(await readFile(stackFile(), "utf8")).toBe(committed);
      // What the engine started ends by itself, moments after it.
      await expect.poll(() => processesOf(checkout.directory), { timeout: 5_000 }).toEqual([]);
    },
  );

  it("goes on from what is done", async () => {
    const up = await kiln(checkout, ["up"]);
    expect(up.stderr).not.toContain("kiln: ");
    expect(up.code).toBe(0);
    expect(up.stdout).toMatch(/^image {7}localhost:\d+\/kiln\/base-images\/iac-runner@sha256:[0-9a-f]{64}$/m);
    expect(await readFile(stackFile(), "utf8")).toContain("kiln:warmImage: localhost:");
    const again = await kiln(checkout, ["up"]);
    expect(again.stdout).toContain("no changes");
  });

  it("down leaves no process, container, port, state or changed file", async () => {
    const state = checkout.env.KILN_STATE_DIR ?? "";
    const down = await kiln(checkout, ["down"]);
    expect(down.code).toBe(0);
    expect(processesOf(state)).toEqual([]);
    expect(await answers(checkout.registry)).toBe(false);
    await expect(stat(state)).rejects.toThrow("ENOENT");
    expect(await readFile(stackFile(), "utf8")).toBe(committed);
  });
});

/** Command lines of running processes that name a text. */
function processesOf(text: string): readonly string[] {
  const lines = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).split("\n");
  return lines.filter((line) => line.includes(text) && !line.startsWith("ps "));
}

/** Whether anything listens at `host:port`. */
function answers(address: string): Promise<boolean> {
  const [host = "", port = ""] = address.split(":");
  return new Promise((resolve) => {
    const socket = connect(Number(port), host);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => {
      resolve(false);
    });
  });
}
