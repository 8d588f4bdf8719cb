import { describe, expect, it } from "vitest";
import { importedInputs, liveInputs } from "../../../../../toolchain/plugins/kubernetes-provider/live-inputs.ts";

const base = { apiVersion: "v1", kind: "Thing", metadata: { name: "x" } };

describe("inputs as the cluster has them", () => {
  it("are the fields that the program gives, without what was filled in", () => {
    const inputs = { ...base, spec: { a: 1, list: [{ b: 1 }] } };
    const live = {
      ...{ ...base, metadata: { name: "x", uid: "u" } },
      ...{ spec: { a: 2, filled: true, list: [{ b: 1, filled: true }] }, status: {} },
    };
    expect(liveInputs(inputs, live)).toEqual({ ...base, spec: { a: 2, list: [{ b: 1 }] } });
  });

  it("leave out what was taken away, and show what lists have more", () => {
    const inputs = { ...base, spec: { gone: 1, list: ["a"] } };
    expect(liveInputs(inputs, { ...base, spec: { list: ["a", "b"] } })).toEqual({
      ...base,
      spec: { list: ["a", "b"] },
    });
  });

  it("of a Secret are compared as text where they are given as text", () => {
    const inputs = { ...base, stringData: { same: "text", changed: "old", gone: "x" } };
    const data = { same: Buffer.from("text").toString("base64"), changed: Buffer.from("new").toString("base64") };
    expect(liveInputs(inputs, { ...base, data })).toEqual({ ...base, stringData: { same: "text", changed: "new" } });
  });
});

it("what is imported has neither status nor what the server filled in", () => {
  const live = {
    ...base,
    metadata: { name: "x", labels: { a: "b" }, uid: "u", managedFields: [] },
    data: {},
    status: {},
  };
  expect(importedInputs(live)).toEqual({ ...base, metadata: { name: "x", labels: { a: "b" } }, data: {} });
});
