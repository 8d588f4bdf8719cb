import { writeFile } from "node:fs/promises";
import path from "node:path";
import { PassThrough } from "node:stream";
import { expect, it, vi } from "vitest";
import { secretValues, terminalPrompt } from "../../../../cli/module/secret-values.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const NOBODY = { env: { password: "from env", OTHER: "from other" }, ask: undefined };

it("takes values from variables, files and people", async () => {
  const file = path.join(await temporaryDirectory(), "token");
  await writeFile(file, "two\nlines\n");
  const sources = { ...NOBODY, ask: (name: string) => Promise.resolve(`asked for ${name}`) };
  expect(await secretValues(["password", "a=env:OTHER", `b=file:${file}`, "c"], sources)).toEqual({
    password: "from env",
    a: "from other",
    b: "two\nlines",
    c: "asked for c",
  });
});

it("refuses a value on the command line without repeating it", async () => {
  const refused = secretValues(["password=hunter22"], NOBODY);
  await expect(refused).rejects.toMatchObject({
    kind: "usage",
    message: "--secret password=… has its value on the command line",
  });
  const error = (await refused.catch((thrown: unknown) => thrown)) as Error & { mend: string };
  expect(error.message + error.mend).not.toContain("hunter22");
});

it.each([
  ["unset", "the secret unset has no value: the variable unset is not set"],
  ["a=env:UNSET", "the secret a has no value: the variable UNSET is not set"],
  ["a=file:/nowhere/b", "the secret a cannot be read"],
])("%s without a value is an error where nobody can be asked", async (option, message) => {
  await expect(secretValues([option], NOBODY)).rejects.toThrow(message);
});

/** A terminal on which a person presses keys once they are asked. */
function terminal(keys: string) {
  const input = Object.assign(new PassThrough(), { isTTY: true }) as unknown as NodeJS.ReadStream;
  const said: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
  const answer = terminalPrompt(input)?.("password");
  (input as unknown as PassThrough).write(keys);
  const restored = answer?.finally(() => {
    spy.mockRestore();
  });
  return { said, answer: restored };
}

it("asks a person, and shows nothing of what is typed", async () => {
  const { said, answer } = terminal("hunter22\r");
  expect(await answer).toBe("hunter22");
  expect(said.join("")).toBe("password (secret): \n");
});

it.each([
  ["Ctrl-C", "hunt\u0003"],
  ["Ctrl-D", "\u0004"],
])("%s at the question is an interruption, not a wait for ever", async (_, keys) => {
  await expect(terminal(keys).answer).rejects.toMatchObject({ kind: "interrupted" });
});

it("asks nobody where standard input is no terminal", () => {
  expect(terminalPrompt(new PassThrough() as unknown as NodeJS.ReadStream)).toBeUndefined();
});
