import { expect, it } from "vitest";
import { parseResponse } from "../../../../execution/module/response.ts";

it("a code of a newer entrypoint is internal, and stays in the message", () => {
  const detail = { code: "quota_exceeded", phase: "running", message: "10 of 10", retryable: true };
  const { error_detail } = parseResponse(JSON.stringify({ success: false, action: "apply", error_detail: detail }));
  expect(error_detail).toEqual({ ...detail, code: "internal", message: "quota_exceeded: 10 of 10" });
});

it("what is wrong is left out alone, and named after the response's own error", () => {
  const { outputs, changes, error, error_detail } = parseResponse(
    JSON.stringify({
      ...{ success: false, action: "apply", error: "bucket: denied" },
      outputs: { good: { value: 1 }, bad: 2 },
      changes: [
        { resource: "a", action: "adopt" },
        { resource: "b", action: "create" },
      ],
      error_detail: { code: "resource_failed", message: "bucket: denied" },
    }),
  );
  expect(outputs).toEqual({ good: { value: 1 } });
  expect(changes.map(({ resource }) => resource)).toEqual(["b"]);
  expect(error).toMatch(/^bucket: denied; response\.changes\[0\]\.action must be .*; response\.outputs\.bad must be/);
  expect(error_detail).toMatchObject({ code: "resource_failed", message: "bucket: denied" });
});

it("what is no JSON object is no response", () => {
  for (const text of ["", "{", "[]", "null", '"x"']) expect(() => parseResponse(text)).toThrow(/^response /);
});
