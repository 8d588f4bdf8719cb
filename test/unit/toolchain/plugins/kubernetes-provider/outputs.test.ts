import { describe, expect, it } from "vitest";
import { plainValue, secret, UNKNOWN } from "../../../../../toolchain/plugins/property-values.ts";
import {
  fieldManagerOf,
  outputsOf,
  plannedOutputs,
  secretsOf,
  withoutSecrets,
} from "../../../../../toolchain/plugins/kubernetes-provider/outputs.ts";

const SECRET = { apiVersion: "v1", kind: "Secret", metadata: { name: "x" }, data: { token: "dG9rZW4=" } };

describe("outputs", () => {
  it("hide all data of a Secret, whoever gives it", () => {
    const outputs = outputsOf(SECRET, "manager", secretsOf(SECRET));
    expect(outputs.data).toEqual(secret(SECRET.data));
    expect(plainValue(outputs)).toEqual({ ...SECRET, __fieldManager: "manager" });
  });

  it("hide what the program marks", () => {
    const inputs = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data: { a: secret("s"), b: "t" } };
    const live = { ...inputs, data: { a: "s", b: "t" } };
    expect(outputsOf(live, "manager", secretsOf(inputs)).data).toEqual(inputs.data);
  });

  it("say nothing of who manages which field, but remember who applied", () => {
    const outputs = outputsOf({ ...SECRET, metadata: { name: "x", managedFields: [{}] } }, "manager", []);
    expect(outputs.metadata).toEqual({ name: "x" });
    expect(fieldManagerOf(outputs)).toBe("manager");
    expect(fieldManagerOf({})).toBeUndefined();
  });

  it("of a plan leave open what the server chooses", () => {
    const planned = plannedOutputs({ ...SECRET, status: { phase: "x" } }, "manager", []);
    expect(planned).toMatchObject({ metadata: { name: "x", uid: UNKNOWN } });
    expect(planned).not.toHaveProperty("status");
  });
});

it("a message repeats no secret", () => {
  const message = 'Invalid value: "hunter22" in hunter22-and-more';
  const object = { ...SECRET, data: { a: "hunter22", b: "hunter22-and-more", c: "in" } };
  expect(withoutSecrets(message, object, secretsOf(object))).toBe('Invalid value: "[secret]" in [secret]');
});
