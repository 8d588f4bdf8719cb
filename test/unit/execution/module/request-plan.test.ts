import { describe, expect, it } from "vitest";
import { planRequest, type RequestParts } from "../../../../execution/module/request-plan.ts";
import { checkRequest } from "../../../../execution/module/request.ts";
import type { StateEnvelope } from "../../../../execution/module/state-envelope.ts";

const key = { bytes: Buffer.alloc(32, 7), lasts: true };
const CLEAR = { version: 3, deployment: { secret: "hunter22" } };

function planned(state: RequestParts["request"]["state"], kept?: RequestParts["state"]) {
  return planRequest({
    request: checkRequest({ action: "apply", stack_name: "s", ...(state === undefined ? {} : { state }) }),
    secrets: {},
    credentials: { plain: {}, environment: {}, files: {}, secrets: [] },
    runId: "run",
    key,
    state: kept,
    deadline: new Date("2026-01-01T00:00:00Z"),
  });
}

const SEALED: StateEnvelope = {
  format: "kiln-state/v1",
  tool: "pulumi",
  stack: "s",
  lineage: "0b9a3f4e-1111-4222-8333-444455556666",
  serial: 1,
  cipher: "aes-256-gcm",
  nonce: "bm9uY2U=",
  data: "ZGF0YQ==",
};

describe("the state of a request", () => {
  it("is a secret where it is in the clear, and nowhere in the request, which is written to a disk", () => {
    const plan = planned(CLEAR);
    expect(plan.secrets.state).toEqual(CLEAR);
    expect(JSON.stringify(plan.request)).not.toContain("hunter22");
    expect(plan.request).not.toHaveProperty("state");
  });

  it("stays in the request where it is sealed", () => {
    const { request, secrets } = planned(SEALED);
    expect(request.state).toEqual(SEALED);
    expect(secrets).not.toHaveProperty("state");
  });

  it("is the state directory's where there is one", () => {
    const { request, secrets } = planned(undefined, SEALED);
    expect(request.state).toEqual(SEALED);
    expect(secrets).not.toHaveProperty("state");
  });
});
