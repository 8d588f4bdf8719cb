import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parsePulumiProject, withRuntimeOptions } from "../../../../execution/module/pulumi-project.ts";

describe("parsePulumiProject", () => {
  it("reads the runtime as text and as an object alike", () => {
    const text = parsePulumiProject("name: p\nruntime: go\nmain: ./x\n", "f");
    expect(text).toEqual({ name: "p", runtime: "go", options: {}, main: "./x" });
    const object = parsePulumiProject("name: p\nruntime:\n  name: go\n  options:\n    binary: b\n", "f");
    expect(object).toEqual({ name: "p", runtime: "go", options: { binary: "b" } });
    expect(parsePulumiProject("name: p\nruntime: {name: go, options: null}", "f").options).toEqual({});
  });

  it("names the file and the key that is wrong", () => {
    expect(() => parsePulumiProject("name: 3\nruntime: go", "at/Pulumi.yaml")).toThrow(
      expect.objectContaining({ kind: "usage", message: "at/Pulumi.yaml name is of type number; it must be text" }),
    );
    expect(() => parsePulumiProject("name: p\nruntime: {name: go, options: [a]}", "f")).toThrow(
      /runtime\.options is a list/,
    );
    expect(() => parsePulumiProject("- a", "f")).toThrow(/is no object/);
    expect(() => parsePulumiProject("", "f")).toThrow(/is no object/);
  });
});

describe("withRuntimeOptions", () => {
  it("makes an object of a runtime that is text, and leaves the rest as it was", () => {
    const text = "# mine\nname: p # here\nruntime: go\nconfig:\n  a: 1\n";
    const edited = withRuntimeOptions(text, { binary: "b" });
    expect(parse(edited)).toEqual({ name: "p", runtime: { name: "go", options: { binary: "b" } }, config: { a: 1 } });
    expect(edited).toContain("# mine\nname: p # here\n");
  });

  it("keeps the other options and takes out what it is told to", () => {
    const text = "name: p\nruntime:\n  name: go\n  options:\n    buildTarget: t\n    other: 1\n";
    expect(parse(withRuntimeOptions(text, { binary: "b" }, ["buildTarget", "none"]))).toEqual({
      name: "p",
      runtime: { name: "go", options: { other: 1, binary: "b" } },
    });
    expect(parse(withRuntimeOptions("name: p\nruntime: {name: go}", { binary: "b" }))).toMatchObject({
      runtime: { options: { binary: "b" } },
    });
  });

  it("gives back any value that it sets", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.constantFrom("go", "{name: go}", "{name: go, options: {a: b}}"),
        (value, runtime) => {
          const edited = withRuntimeOptions(`name: p\nruntime: ${runtime}\n`, { binary: value });
          expect(parsePulumiProject(edited, "f").options.binary).toBe(value);
        },
      ),
    );
  });
});
