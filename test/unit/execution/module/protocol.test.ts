import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, test } from "vitest";
import { parseRequest, parseResponse, type ModuleResponse } from "../../../../execution/module/protocol.ts";
import { schemaOf } from "./schema-subset.ts";

const PUBLISHED = path.join(import.meta.dirname, "published");
const published = (start: string) =>
  readdirSync(PUBLISHED)
    .filter((name) => name.startsWith(start))
    .map((name) => [name, readFileSync(path.join(PUBLISHED, name), "utf8")] as const);

const ENVELOPE = {
  format: "kiln-state/v1",
  tool: "pulumi",
  stack: "s",
  lineage: "0d9f3f0e-1f3c-4d57-9a55-3a9a0a1f0c11",
  serial: 3,
  cipher: "aes-256-gcm",
  nonce: "AAAAAAAAAAAAAAAA",
  data: "AAAA",
};
const DIGEST = `sha256:${"0".repeat(64)}`;

/** Fields that go beside `action` and `inputs`, and where the error of the parser points; undefined where there is none. */
const REQUESTS: readonly (readonly [Readonly<Record<string, unknown>>, string | undefined])[] = [
  [{}, undefined],
  [{ unknown: 1, another: { a: [] } }, undefined],
  [{ action: undefined }, "request.action is missing"],
  [{ action: "up" }, "request.action must be one of preview, apply, refresh, destroy, import"],
  [{ action: "Apply" }, "request.action"],
  [{ action: null }, "request.action"],
  [{ inputs: [] }, "request.inputs must be an object, but is a list"],
  [{ inputs: "{}" }, "request.inputs must be an object, but is a string"],
  [{ inputs: null }, undefined],
  [{ inputs: undefined }, undefined],
  [{ inputs: { a: null, b: [1, "x", { c: true }], "-x": -3, "": 0 } }, undefined],
  [{ environment: { A: "1", _b2: "" } }, undefined],
  [{ environment: { A: 1 } }, "request.environment.A must be a string, but is a number"],
  [{ environment: { "A=B": "x" } }, 'request.environment["A=B"] is no name of a variable'],
  [{ environment: null }, undefined],
  [{ stack_name: "organization/project/dev.eu-1_a" }, undefined],
  [{ stack_name: "" }, "request.stack_name"],
  [{ stack_name: "--config-file" }, "request.stack_name"],
  [{ stack_name: "a b" }, "request.stack_name"],
  [{ stack_name: ".." }, "request.stack_name"],
  [{ stack_name: "a/../b" }, "request.stack_name"],
  [{ stack_name: "a/b/c/d" }, "request.stack_name"],
  [{ stack_name: "a".repeat(101) }, "request.stack_name"],
  [{ state: ENVELOPE }, undefined],
  [{ state: { version: 4, serial: "any" } }, undefined],
  [{ state: "x" }, "request.state must be an object, but is a string"],
  [{ state: { ...ENVELOPE, format: "kiln-state/v2" } }, "request.state.format"],
  [{ state: { ...ENVELOPE, tool: "terraform" } }, "request.state.tool"],
  [{ state: { ...ENVELOPE, serial: -1 } }, "request.state.serial must be a whole number from 0 on"],
  [{ state: { ...ENVELOPE, serial: 1.5 } }, "request.state.serial"],
  [{ state: { ...ENVELOPE, lineage: "x" } }, "request.state.lineage must be a UUID"],
  [{ state: { ...ENVELOPE, data: "%" } }, "request.state.data must be base64"],
  [{ state: { ...ENVELOPE, stack: undefined } }, "request.state.stack is missing"],
  [{ backend: { type: "s3", config: { bucket: "b" } } }, undefined],
  [{ backend: { type: "local" } }, undefined],
  [{ backend: { config: {} } }, "request.backend.type is missing"],
  [{ backend: { type: "s3", config: { bucket: 1 } } }, "request.backend.config.bucket"],
  [{ api_version: "exec/v1" }, undefined],
  [{ api_version: "exec/v2" }, "request.api_version must be one of exec/v1"],
  [{ run_id: "a-1_b.C" }, undefined],
  [{ run_id: "../a" }, "request.run_id"],
  [{ run_id: "-a" }, "request.run_id"],
  [{ deadline: "2026-11-22T01:02:03Z" }, undefined],
  [{ deadline: "2026-11-22T01:02:03.123456789+01:00" }, undefined],
  [{ deadline: "tomorrow" }, "request.deadline must be a time as in RFC 3339"],
  [{ deadline: 1 }, "request.deadline"],
  [{ state_mode: "carried" }, undefined],
  [{ state_mode: "none" }, "request.state_mode"],
  [{ plan_digest: DIGEST }, undefined],
  [{ plan_digest: "0" }, "request.plan_digest"],
  [{ refresh: { update: true } }, undefined],
  [{ refresh: true }, "request.refresh must be an object, but is a truth value"],
  [{ refresh: { update: "yes" } }, "request.refresh.update must be true or false"],
  [{ import: [{ address: "a", id: "b", type: "t", name: "n" }] }, undefined],
  [{ import: [{ address: "a" }] }, "request.import[0].id is missing"],
  [
    {
      import: [
        { address: "a", id: "b" },
        { address: 1, id: "b" },
      ],
    },
    "request.import[1].address",
  ],
  [{ inputs: { __import_mappings: [{ address: "a", id: "b" }] } }, undefined],
  [{ inputs: { __import_mappings: { a: "b" } } }, "request.inputs.__import_mappings must be a list"],
  [{ destroy: { allow_missing_state: true } }, undefined],
  [{ destroy: { allow_missing_state: 1 } }, "request.destroy.allow_missing_state"],
  [{ secret_inputs: ["a"] }, undefined],
  [{ secret_inputs: "a" }, "request.secret_inputs must be a list"],
  [{ secret_inputs: [1] }, "request.secret_inputs[0]"],
];

describe("requests", () => {
  const fits = schemaOf("request");

  it.each(REQUESTS)("schema and parser agree on %j", (fields, message) => {
    const document = JSON.parse(JSON.stringify({ action: "apply", inputs: {}, ...fields })) as unknown;
    expect(fits(document)).toBe(message === undefined);
    const parse = () => parseRequest(JSON.stringify(document));
    if (message === undefined) expect(parse()).toMatchObject({ action: "apply" });
    else
      expect(parse).toThrow(
        expect.objectContaining({ kind: "usage", message: expect.stringContaining(message) as string }),
      );
  });

  it.each(published("request-"))("%s of the published interface is taken", (_name, text) => {
    expect(fits(JSON.parse(text))).toBe(true);
    const { inputs, ...rest } = JSON.parse(text) as { inputs: Record<string, unknown> | null };
    const { __import_mappings: mappings, ...own } = inputs ?? {};
    expect(parseRequest(text)).toEqual({
      ...rest,
      inputs: own,
      ...(mappings === undefined ? {} : { import: mappings }),
    });
  });

  it("refuses what is no JSON object", () => {
    expect(() => parseRequest("{")).toThrow(/^request is no JSON/);
    expect(() => parseRequest("[]")).toThrow("request must be an object, but is a list");
  });

  it("never repeats a value in an error", () => {
    expect(() => parseRequest('{"action":"hunter22"}')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("hunter22") as string }),
    );
  });

  test("every JSON value goes through as it is, and every number with all its digits", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (inputs) => {
        delete inputs.__import_mappings;
        const text = JSON.stringify({ action: "apply", inputs });
        expect(JSON.stringify(parseRequest(text).inputs)).toBe(JSON.stringify(inputs));
      }),
    );
    const numbers = "[12345678901234567890,1e400,0.1000000000000000055,-1.50,1000000,1e+06,123456789012]";
    const { inputs } = parseRequest(`{"action":"apply","inputs":{"n":${numbers}}}`);
    expect(JSON.stringify(inputs.n)).toBe(
      "[12345678901234567890,1e400,0.1000000000000000055,-1.5,1000000,1000000,123456789012]",
    );
  });
});

const RESPONSES: readonly (readonly [Readonly<Record<string, unknown>>, string | undefined])[] = [
  [{}, undefined],
  [{ success: undefined }, "response.success is missing"],
  [{ success: "true" }, "response.success must be true or false"],
  [{ action: undefined }, "response.action is missing"],
  [{ outputs: { a: { value: null }, b: { value: { c: [1] }, sensitive: false }, c: {} } }, undefined],
  [{ outputs: { a: { value: null, sensitive: true, encrypted: "AAAA" } } }, undefined],
  [{ outputs: { a: 1 } }, "response.outputs.a must be an object, but is a number"],
  [{ outputs: { a: { value: 1, sensitive: 1 } } }, "response.outputs.a.sensitive"],
  [{ changes: [{ resource: "r", action: "create", urn: "u", type: "t", before: null, after: {} }] }, undefined],
  [{ changes: [{ resource: "r", action: "noop" }] }, undefined],
  [{ changes: [{ resource: "r", action: "same" }] }, "response.changes[0].action must be one of"],
  [{ changes: [{ action: "create" }] }, "response.changes[0].resource is missing"],
  [{ changes: [{ resource: "r", action: "read", before: [] }] }, "response.changes[0].before"],
  [{ summary: { create: 1, update: 0, delete: 0, replace: 0, same: 2 } }, undefined],
  [{ summary: { create: "1" } }, "response.summary.create"],
  [{ state: ENVELOPE }, undefined],
  [{ state: { ...ENVELOPE, serial: "3" } }, "response.state.serial"],
  [{ error: "e", logs: "l", error_detail: { code: "internal", phase: "p", message: "m", retryable: true } }, undefined],
  [{ error_detail: { code: "oops" } }, undefined],
  [{ error_detail: { message: "m" } }, "response.error_detail.code is missing"],
  [{ phase: "running" }, undefined],
  [{ phase: "resting" }, "response.phase"],
  [{ tool: { name: "pulumi", version: "3.253.0" }, timings: { running: 1.5 }, drift: true }, undefined],
  [{ tool: { name: "pulumi" } }, "response.tool.version is missing"],
  [{ timings: { running: -1 } }, "response.timings.running"],
  [{ drift: "no" }, "response.drift"],
  [{ more: "fields" }, undefined],
];

describe("responses", () => {
  const fits = schemaOf("response");

  it.each(RESPONSES)("schema and parser agree on %j; only a wrong state is no response at all", (fields, message) => {
    const document = { success: true, action: "apply", state: ENVELOPE, ...fields };
    const source = JSON.stringify(document);
    expect(fits(JSON.parse(source))).toBe(message === undefined);
    if (message === undefined) expect(parseResponse(source)).toMatchObject({ success: true, action: "apply" });
    else if (message.startsWith("response.state")) {
      expect(() => parseResponse(source)).toThrow(
        expect.objectContaining({ kind: "failed", message: expect.stringContaining(message) as string }),
      );
    } else {
      expect(parseResponse(source)).toMatchObject({
        success: false,
        error: expect.stringContaining(message) as string,
        error_detail: { code: "internal" },
        state: ENVELOPE,
      });
    }
  });

  it.each(published("response-"))("%s of the published interface is taken", (_name, text) => {
    const document = JSON.parse(text) as ModuleResponse;
    expect(fits(document)).toBe(true);
    const response = parseResponse(text);
    expect(response).toMatchObject({ success: document.success, action: document.action, phase: "done" });
    expect(Object.keys(response.outputs)).toEqual(Object.keys((document.outputs as object | null) ?? {}));
  });

  it("one word for what stays: noop of one part of the published interface is no-op of the other", () => {
    const [, text = ""] = published("response-full")[0] ?? [];
    const { changes, summary } = parseResponse(text);
    expect(changes.map(({ action }) => action)).toEqual(["create", "no-op", "no-op", "replace"]);
    expect(summary).toEqual({ create: 1, update: 0, delete: 0, replace: 1, same: 2 });
  });
});
