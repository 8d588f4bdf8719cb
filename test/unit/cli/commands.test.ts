import { describe, expect, it } from "vitest";
import { readCommands } from "../../../cli/commands.ts";

const all = await readCommands();
const firstWord = (name: string) => name.split(" ")[0] ?? "";

describe("readCommands", () => {
  it.each(all.map(({ name }) => name))("finds `%s` by its first word, among its like alone", async (name) => {
    const group = (await readCommands(firstWord(name))).map((command) => command.name);
    expect(group).toContain(name);
    expect(group.length).toBeLessThan(all.length);
  });

  it("gives every command for a word that none begins with", async () => {
    expect(await readCommands("caches")).toEqual(all);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });
});
