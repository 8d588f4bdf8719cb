import { describe, expect, it } from "vitest";
import {
  bringsState,
  mayHaveState,
  refuseLocalBackend,
  refuseLostState,
  stateModeOf,
} from "../../../../execution/module/request-rules.ts";
import { checkRequest, type ModuleRequest } from "../../../../execution/module/request.ts";

const request = (fields: object): ModuleRequest => checkRequest({ action: "apply", ...fields });
const local = (config?: object) => ({ backend: { type: "local", config } });
const FOLDER = "keeps state in a folder of the container, which is gone after the run";

describe("where the state of a request is", () => {
  it.each([
    [{}, "", "carried"],
    [{}, "s3://b", "remote"],
    [{ state: { version: 3 } }, "s3://b", "carried"],
    [{ state_mode: "ephemeral" }, "s3://b", "ephemeral"],
    [{ state_mode: "carried" }, "s3://b", "carried"],
    [{ backend: { type: "s3", config: { bucket: "b" } } }, "", "remote"],
    [local(), "", "carried"],
    [{ backend: { type: "file", config: { path: "" } } }, "s3://b", "carried"],
    [local({ path: "/data" }), "", "remote"],
  ])("%j with the backend %j: %s", (fields, url, mode) => {
    expect(stateModeOf(request(fields), url)).toBe(mode);
  });

  it("a local backend without a path is carried: it needs a place, and its container may have the only copy", () => {
    expect(() => {
      refuseLostState(request(local()), "");
    }).toThrow("apply has no place for its state");
    expect(mayHaveState(request(local()), true)).toBe(true);
    expect(bringsState(request(local()), "")).toBe(true);
  });
});

describe("a backend in the container's own file system", () => {
  it.each([
    [local({ path: "state/terraform.tfstate" }), "", "request.backend"],
    [local({ path: "/var/state" }), "", "request.backend"],
    [{ backend: { type: "file", config: { path: "/var/state" } } }, "", "request.backend"],
    [{ backend: { type: "other", config: { url: "file:///var/state" } } }, "", "request.backend"],
    [{ ...local(), state_mode: "remote" }, "", "request.backend"],
    [{ ...local({ path: "/var/state" }), state_mode: "carried" }, "", "request.backend"],
    [{}, "file:///tmp/state", "PULUMI_BACKEND_URL"],
    [{}, "FILE://~", "PULUMI_BACKEND_URL"],
    [{ action: "preview", state_mode: "remote" }, "file:///tmp/state", "PULUMI_BACKEND_URL"],
  ])("%j with the backend %j is refused, with what to do", (fields, url, what) => {
    expect(() => {
      refuseLocalBackend(request(fields), url);
    }).toThrow(
      expect.objectContaining({
        kind: "usage",
        message: `${what} ${FOLDER}`,
        mend: expect.stringContaining("--state DIR") as string,
      }),
    );
  });

  it.each([
    [{}, ""],
    [{}, "s3://b"],
    [local(), ""],
    [{ backend: { type: "s3", config: { bucket: "b", path: "x" } } }, "file:///unused"],
    // The entrypoint looks at no PULUMI_BACKEND_URL then.
    [{ state_mode: "carried" }, "file:///tmp/state"],
    [{ state_mode: "ephemeral" }, "file:///tmp/state"],
    [{ state: { version: 3 } }, "file:///tmp/state"],
  ])("%j with the backend %j is none", (fields, url) => {
    expect(() => {
      refuseLocalBackend(request(fields), url);
    }).not.toThrow();
  });
});

it.each([
  [{ action: "apply" }, "", true],
  [{ action: "import" }, "", true],
  [{ action: "destroy" }, "", false],
  [{ action: "destroy", state: { version: 3 } }, "", true],
  [{ action: "refresh", refresh: { update: true }, state: { version: 3 } }, "", true],
  [{ action: "refresh", state: { version: 3 } }, "", false],
  [{ action: "preview", state: { version: 3 } }, "", false],
  [{ action: "apply" }, "s3://b", false],
  [{ action: "apply", state_mode: "remote" }, "", false],
  [{ action: "apply", state_mode: "ephemeral" }, "", false],
])("%j with the backend %j must bring a state back: %s", (fields, url, brings) => {
  expect(bringsState(request(fields), url)).toBe(brings);
});
