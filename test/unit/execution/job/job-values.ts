import fc from "fast-check";
import { checkDescription, JOB_API, type JobDescription } from "../../../../execution/job/description.ts";

/** The least that a description needs. */
export function aJob(fields: Partial<Record<keyof JobDescription, unknown>> = {}): JobDescription {
  return checkDescription({
    api_version: JOB_API,
    job_id: "job-1",
    image: "kiln-job:1",
    script: "ops/restart",
    source: { kind: "directory", path: "/scripts" },
    ...fields,
  });
}

const size = fc
  .tuple(fc.integer({ min: 1, max: 4096 }), fc.constantFrom("k", "m", "g", "M"))
  .map(([amount, unit]) => `${amount}${unit}`);

/** Any description that a person may write. */
export const jobs: fc.Arbitrary<JobDescription> = fc
  .record({
    job_id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$/),
    attempt: fc.integer({ min: 1, max: 9 }),
    script: fc.constantFrom("a", "ops/restart", "deep/er/script-1.2"),
    parameters: fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), fc.jsonValue()),
    source: fc.constantFrom(
      { kind: "directory", path: "/scripts" },
      { kind: "repository", url: "https://git.example/scripts.git", commit: "a".repeat(40) },
    ),
    limits: fc.record({
      memory: size,
      disk: size,
      cpus: fc.integer({ min: 1, max: 64_000 }).map((milli) => milli / 1000),
      pids: fc.integer({ min: 1, max: 10_000 }),
    }),
    timeouts: fc.record(
      { script: fc.integer({ min: 1, max: 9_000 }), job: fc.integer({ min: 1, max: 9_000 }) },
      { requiredKeys: [] },
    ),
    network: fc.constantFrom("none", "isolated", "company"),
    result_url: fc.constantFrom(undefined, "https://results.example/jobs?of=me", "http://collector:8080"),
    labels: fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), fc.stringMatching(/^[a-z0-9]{0,9}$/)),
  })
  .map((fields) => aJob(fields));
