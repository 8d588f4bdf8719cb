import { describe, expect, it, vi } from "vitest";
import { differences, expectGolden, readGolden, type Manifest } from "../../support/golden.ts";

function deployment(spec: Readonly<Record<string, unknown>>, name = "x"): Manifest {
  return { kind: "Deployment", metadata: { name, namespace: "here" }, spec } as Manifest;
}

function paths(ours: Readonly<Record<string, unknown>>, theirs: Readonly<Record<string, unknown>>): readonly string[] {
  return differences([deployment(ours)], [deployment(theirs)]).map(({ path }) => path);
}

describe("differences", () => {
  it.each([
    ["a value", { replicas: 1 }, { replicas: 2 }, ["Deployment/x: spec.replicas"]],
    ["a key that has to be quoted", { a: { "b.c/d": 1 } }, { a: {} }, ['Deployment/x: spec.a["b.c/d"]']],
    ["a whole branch", { a: { b: { c: 1 } } }, {}, ["Deployment/x: spec.a"]],
    ["a kind of value", { a: [] }, { a: {} }, ["Deployment/x: spec.a"]],
    ["an empty map where there is none", { a: {} }, {}, ["Deployment/x: spec.a"]],
    [
      "one more named entry",
      { env: [{ name: "A" }, { name: "B" }] },
      { env: [{ name: "B" }] },
      ["Deployment/x: spec.env[A]"],
    ],
    [
      "an entry's field",
      { env: [{ name: "A", value: 1 }] },
      { env: [{ name: "A" }] },
      ["Deployment/x: spec.env[A].value"],
    ],
    ["a mount, by its path", { m: [{ name: "v", mountPath: "/a" }] }, { m: [] }, ["Deployment/x: spec.m[/a]"]],
    ["a scalar of a list", { args: ["-a", "-b"] }, { args: ["-b"] }, ["Deployment/x: spec.args[-a]"]],
    ["the order of a list", { args: ["-a", "-b"] }, { args: ["-b", "-a"] }, ["Deployment/x: spec.args (order)"]],
    ["entries that share a name", { l: ["a", "a"] }, { l: ["a", "b"] }, ["Deployment/x: spec.l[1]"]],
  ])("finds %s", (_, ours, theirs, expected) => {
    expect(paths(ours, theirs)).toEqual(expected);
    expect(paths(theirs, ours)).toEqual(expected);
  });

  it("takes a null for nothing, as an API server does", () => {
    expect(paths({ annotations: null, a: { b: null } }, { a: {} })).toEqual([]);
  });

  it("names objects that only one side has, and matches others by kind, namespace and name", () => {
    const [mine, other] = [deployment({}, "mine"), deployment({}, "other")];
    expect(differences([mine], [other]).map(({ path }) => path)).toEqual(["Deployment/mine", "Deployment/other"]);
    const renamed = differences([mine], [other], { renames: { "Deployment/other": "mine" } });
    expect(renamed).toEqual([{ path: "Deployment/mine: metadata.name", ours: "mine", theirs: "other" }]);
  });

  it("refuses two objects of one name: the second would hide the first", () => {
    expect(() => differences([deployment({}), deployment({})], [])).toThrow("two objects are Deployment/here/x");
  });
});

describe("the table", () => {
  const [ours, theirs] = [[deployment({ a: 1, b: 1 })], [deployment({ a: 2, b: 1 })]];

  it("allows what it lists, by path or pattern", () => {
    for (const pattern of ["Deployment/x: spec.a", "*: spec.a", "Deployment/*"]) {
      expect(() => {
        expectGolden(ours, theirs, { [pattern]: "why" });
      }).not.toThrow();
    }
  });

  it("fails on a difference that it does not list", () => {
    expect(() => {
      expectGolden(ours, theirs, {});
    }).toThrow("not in the table: Deployment/x: spec.a | ours 1 | theirs 2");
  });

  it("fails on an entry that is no difference", () => {
    expect(() => {
      expectGolden(ours, theirs, { "*: spec.a": "why", "*: spec.b": "why" });
    }).toThrow("in the table, but no difference: *: spec.b");
  });
});

it("says that a rendering is missing, and goes on without", () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  expect(readGolden("none.yaml")).toBeUndefined();
  expect(warn).toHaveBeenCalledWith(expect.stringContaining("skipped: none.yaml"));
});
