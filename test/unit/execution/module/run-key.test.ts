import { expect, it, test, vi } from "vitest";
import { runKey } from "../../../../execution/module/run-key.ts";
import { checkRequest } from "../../../../execution/module/request.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { fakeDocker } from "./fake-docker.ts";

// Keys of passphrases take half a second each.
vi.setConfig({ testTimeout: 60_000 });

const ENV = { KILN_STATE_PASSPHRASE: "correct horse" };
const DIGEST = `sha256:${"0".repeat(64)}`;
const keyOf = (fields: object, env: NodeJS.ProcessEnv = {}, given?: Buffer) =>
  runKey(checkRequest({ action: "preview", ...fields }), given, env);

it("a passphrase makes one key a stack, without a file", async () => {
  const [one, again, other, unnamed] = await Promise.all([
    keyOf({ stack_name: "s" }, ENV),
    keyOf({ stack_name: "s" }, ENV),
    keyOf({ stack_name: "t" }, ENV),
    keyOf({}, ENV),
  ]);
  expect(one).toEqual({ bytes: again.bytes, lasts: true });
  expect(one.bytes).toHaveLength(32);
  expect(one.bytes).not.toEqual(other.bytes);
  expect((await keyOf({ stack_name: "default" }, ENV)).bytes).toEqual(unnamed.bytes);
});

it("a key that is given counts before the passphrase; without either it ends with the run", async () => {
  const given = Buffer.alloc(32, 7);
  expect(await keyOf({}, ENV, given)).toEqual({ bytes: given, lasts: true });
  const [one, other] = await Promise.all([keyOf({}), keyOf({})]);
  expect(one.lasts).toBe(false);
  expect(one.bytes).not.toEqual(other.bytes);
});

/** What the container of a run gets by its secret channel. */
async function channelOf(options: { readonly env?: NodeJS.ProcessEnv; readonly state?: { directory: string } }) {
  const fake = await fakeDocker();
  const notes: string[] = [];
  const request = { action: "preview", inputs: {}, stack_name: "s", state_mode: "remote", run_id: "r" } as const;
  const progress = { step: () => undefined, update: () => undefined, note: (text: string) => void notes.push(text) };
  await fake.execute({ request, progress, ...(options.state && { state: options.state }) }, options.env);
  const document = JSON.parse(await fake.fileOf("r", "stdin")) as Record<"state_key" | "state_key_lasting", unknown>;
  return { document, notes };
}

test("two runs without a state directory have the passphrase's key, so that a plan's digest is the same in both", async () => {
  const [preview, apply] = await Promise.all([channelOf({ env: ENV }), channelOf({ env: ENV })]);
  expect(preview.document.state_key).toBe(apply.document.state_key);
  expect(preview.document).not.toHaveProperty("state_key_lasting");
  expect(preview.notes).toEqual([]);
});

test("a key that ends with the run is said to, to the entrypoint and to people", async () => {
  const { document, notes } = await channelOf({});
  expect(document.state_key_lasting).toBe(false);
  expect(notes).toEqual([expect.stringMatching(/no plan digest: .* KILN_STATE_PASSPHRASE.*--state DIR/)]);
  const kept = await channelOf({ state: { directory: await temporaryDirectory() } });
  expect(kept.document).not.toHaveProperty("state_key_lasting");
  expect(kept.notes).toEqual([]);
});

test("a plan digest that no key can compare is refused by name, before there is a container", async () => {
  const fake = await fakeDocker();
  const request = { action: "apply", inputs: {}, state_mode: "remote", plan_digest: DIGEST } as const;
  await expect(fake.execute({ request })).rejects.toMatchObject({
    kind: "usage",
    message: expect.stringContaining("request.plan_digest cannot be compared") as string,
    mend: expect.stringContaining("KILN_STATE_PASSPHRASE") as string,
  });
  expect((await fake.execute({ request }, ENV)).response.success).toBe(true);
});
