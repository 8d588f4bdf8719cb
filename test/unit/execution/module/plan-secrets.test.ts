import { expect, it, test, vi } from "vitest";
import type { ExecuteOptions } from "../../../../execution/module/execute-options.ts";
import { checkRequest } from "../../../../execution/module/request.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { fakeDocker } from "./fake-docker.ts";

// A dozen processes a run, and keys of passphrases: slow where a machine is busy.
vi.setConfig({ testTimeout: 60_000 });

/** The secrets of a job: inputs and variables, and how it logs in. */
interface Job {
  readonly secrets?: ExecuteOptions["secrets"];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env?: NodeJS.ProcessEnv;
}

const AWS = (token: string) => ({
  ...{ AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: `AKIA${token}`, AWS_SECRET_ACCESS_KEY: `secret-${token}` },
  AWS_SESSION_TOKEN: `session-${token}`,
});
const FIRST: Job = {
  secrets: { inputs: { password: "hunter22!" }, environment: { DB_CONNECTION: "user:one@db" } },
  environment: { TF_VAR_admin_password: "swordfish", GITHUB_TOKEN: "ghs_first", LEVEL: "3" },
  env: AWS("first"),
};

/** What the apply of another executor says to the digest of a preview. */
async function applied(first: Job, second: Job, state: ExecuteOptions["state"], env: NodeJS.ProcessEnv = {}) {
  const fake = await fakeDocker({ plans: true });
  const run = (action: string, job: Job, more: object = {}) =>
    fake.execute(
      {
        request: checkRequest({ action, stack_name: "s", state_mode: "remote", environment: job.environment, ...more }),
        ...{ secrets: job.secrets, credentials: ["aws"], state },
      },
      { ...env, ...job.env },
    );
  const { response } = await run("preview", first);
  expect(response.plan_digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  const next = await run("apply", second, { plan_digest: response.plan_digest, run_id: "second" });
  return { response: next.response, channel: await fake.fileOf("second", "stdin") };
}

it.each([
  ["the passphrase's", () => ({ state: undefined, env: { KILN_STATE_PASSPHRASE: "correct horse" } })],
  ["a directory's", async () => ({ state: { directory: await temporaryDirectory() }, env: {} })],
] as const)("with %s key, the same secrets are the same plan, however the second job logs in", async (_, keyed) => {
  const { state, env } = await keyed();
  const second = { ...FIRST, environment: { ...FIRST.environment, GITHUB_TOKEN: "ghs_other" }, env: AWS("second") };
  const { response, channel } = await applied(FIRST, second, state, env);
  expect(response).toMatchObject({ success: true });
  const { environment } = JSON.parse(channel) as { environment: unknown };
  expect(environment).toMatchObject({ TF_VAR_admin_password: "swordfish", DB_CONNECTION: "user:one@db" });
});

test.each<[string, Job]>([
  ["secret input", { ...FIRST, secrets: { ...FIRST.secrets, inputs: { password: "hunter23!" } } }],
  ["secret variable", { ...FIRST, secrets: { ...FIRST.secrets, environment: { DB_CONNECTION: "user:two@db" } } }],
  ["secret file", { ...FIRST, secrets: { ...FIRST.secrets, files: { APP_KEY: { name: "k", base64: "YWJjZA==" } } } }],
  ["request's variable that is secret by its name", withVariable("TF_VAR_admin_password", "sword")],
  ["plain variable", withVariable("LEVEL", "4")],
])("another %s is another plan", async (_, second) => {
  const { response } = await applied(FIRST, second, { directory: await temporaryDirectory() });
  expect(response).toMatchObject({ success: false, error_detail: { code: "plan_moved" } });
});

function withVariable(name: string, value: string): Job {
  return { ...FIRST, environment: { ...FIRST.environment, [name]: value } };
}
