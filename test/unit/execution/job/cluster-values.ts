import type { V1Pod } from "@kubernetes/client-node";
import type { ClusterJobs } from "../../../../execution/job/cluster-jobs.ts";
import { manifestName } from "../../../../execution/job/manifest.ts";
import { aJob } from "./job-values.ts";

export const NAME = manifestName(aJob());

/** A cluster without anything in it, that says what it was asked to do. */
export function cluster(has: Partial<ClusterJobs>) {
  const done: string[] = [];
  const absent = () => Promise.resolve(undefined);
  const fake: ClusterJobs = {
    namespace: "jobs",
    create: () => Promise.reject(new Error("nothing is made here")),
    end: (name) => Promise.resolve(void done.push(`end ${name}`)),
    remove: (kind, name) => Promise.resolve(void done.push(`remove ${kind} ${name}`)),
    pod: absent,
    job: () => Promise.resolve({ metadata: { name: NAME, uid: "u" } }),
    jobs: () => Promise.resolve([]),
    events: () => Promise.resolve([]),
    follow: absent,
    ...has,
  };
  return { fake, done };
}

/** A log of these lines. */
export const prints =
  (...log: readonly string[]): ClusterJobs["follow"] =>
  (_pod, _namespace, onLine) => {
    for (const line of log) onLine(line);
    return Promise.resolve();
  };

/** A pod whose container has ended. */
export const ended = {
  metadata: { name: "p", uid: "pod" },
  status: { phase: "Failed", containerStatuses: [{ name: "job", state: { terminated: { exitCode: 3 } } }] },
} as V1Pod;
