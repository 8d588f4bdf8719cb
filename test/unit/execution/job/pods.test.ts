import type { CoreV1Event, V1Pod } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { podState } from "../../../../execution/job/pod-state.ts";
import { startProblem } from "../../../../execution/job/start-problem.ts";

const pod = (status: object): V1Pod => ({ metadata: { name: "p" }, status: { phase: "Pending", ...status } });
const container = (state: object) => ({ containerStatuses: [{ name: "job", state }] });

function event(type: "Normal" | "Warning", reason: string, message: string, second = 0): CoreV1Event {
  return {
    type,
    reason,
    message,
    lastTimestamp: new Date(second * 1000),
    involvedObject: {},
    metadata: {},
  };
}

describe("a pod", () => {
  it.each([
    [container({ waiting: { reason: "ContainerCreating" } }), { phase: "waiting", error: "ContainerCreating" }],
    [container({ running: {} }), { phase: "running", error: "" }],
    [
      container({ terminated: { exitCode: 137, reason: "OOMKilled" } }),
      { phase: "ended", exitCode: 137, outOfMemory: true, error: "" },
    ],
    [
      { phase: "Failed", reason: "OutOfmemory", message: "Pod was rejected" },
      { phase: "ended", exitCode: -1, error: "OutOfmemory: Pod was rejected", remark: "" },
    ],
    [
      { phase: "Failed", reason: "Evicted", message: "too much", ...container({ terminated: { exitCode: 137 } }) },
      { phase: "ended", exitCode: 137, error: "", remark: "Evicted: too much" },
    ],
    [
      {
        ...{ phase: "Failed", ...container({ waiting: { reason: "PodInitializing" } }) },
        initContainerStatuses: [{ name: "before", state: { terminated: { exitCode: 3, reason: "Error" } } }],
      },
      { phase: "ended", error: "the container before ended with exit code 3: Error: PodInitializing" },
    ],
    [
      // One of another's webhook may stand before the job's own.
      {
        containerStatuses: [
          { name: "mesh", state: { running: {} } },
          { name: "job", state: { terminated: { exitCode: 7 } } },
        ],
      },
      { phase: "ended", exitCode: 7 },
    ],
  ])("is told by its state %j", (status, expected) => {
    expect(podState(pod(status))).toMatchObject(expected);
  });
});

describe("a pod that has not started", () => {
  it.each([
    ["ErrImageNeverPull", "hopeless"],
    ["InvalidImageName", "hopeless"],
    ["ImagePullBackOff", "brief"],
    ["ErrImagePull", "brief"],
    ["CreateContainerError", "brief"],
  ] as const)("for %s is %s", (reason, outlook) => {
    const said = { waiting: { reason, message: "why" } };
    expect(startProblem(pod(container(said)), [])).toEqual({ text: `${reason}: why`, outlook });
    const before = { initContainerStatuses: [{ name: "before", state: said }] };
    expect(startProblem(pod({ ...before, ...container({ waiting: { reason: "PodInitializing" } }) }), [])).toEqual({
      ...{ text: `${reason}: why`, outlook },
    });
  });

  it("because no node takes it may start at any time", () => {
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes" }];
    expect(startProblem(pod({ conditions }), [])).toEqual({ text: "Unschedulable: 0/3 nodes", outlook: "open" });
  });

  it("is in nobody's way while it is being made, whatever was in its way before", () => {
    const creating = pod(container({ waiting: { reason: "ContainerCreating" } }));
    const missing = event("Warning", "FailedMount", "no such secret", 1);
    expect(startProblem(creating, [])).toBeUndefined();
    expect(startProblem(creating, [missing])).toEqual({ text: "FailedMount: no such secret", outlook: "open" });
    expect(startProblem(creating, [event("Normal", "Pulling", "", 2), missing])).toBeUndefined();
  });

  it.each([
    ['pods "job-x-1a2b" is forbidden: violates PodSecurity "restricted:latest": …', "hopeless"],
    ['pods "job-x-1a2b" is forbidden: maximum memory usage per Container is 16Mi, but limit is 1Gi', "hopeless"],
    ['admission webhook "images.example" denied the request: not signed', "hopeless"],
    ['Pod "job-x-1a2b" is invalid: spec.containers[0].image: Required value', "hopeless"],
    ['pods "a" is forbidden: exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5', "open"],
    [
      'pods "a" is forbidden: exceeded quota: q, requested: memory=1Gi, used: memory=0, limited: memory=1Mi',
      "hopeless",
    ],
    ['pods "a" is forbidden: error looking up service account jobs/default: not found', "open"],
    ['Internal error occurred: failed calling webhook "images.example": connection refused', "open"],
  ] as const)("because it is refused with %j is %s", (message, outlook) => {
    const problem = startProblem(undefined, [event("Warning", "FailedCreate", `Error creating: ${message}`)]);
    expect(problem).toMatchObject({ outlook });
    // The next try has another name, and is the same problem.
    expect(problem?.text).not.toMatch(/job-x|"a"/);
    expect(problem?.text).toMatch(/^FailedCreate: Error creating: /);
  });

  it("because it is not made yet has no problem", () => {
    expect(startProblem(undefined, [event("Normal", "SuccessfulCreate", "Created pod: p")])).toBeUndefined();
    expect(startProblem(undefined, [])).toBeUndefined();
  });
});
