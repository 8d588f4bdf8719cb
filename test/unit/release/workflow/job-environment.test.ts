import { expect, it } from "vitest";
import { jobEnvironment } from "../../../../release/workflow/job-environment.ts";
import { places } from "../../../../toolchain/places.ts";

const job = { root: "/run/a", workspace: "/run/a/workspace", home: "/run/a/home", temp: "/run/a/temp" };
const github = { sha: "abc", ref_name: "v1", token: "hunter2222", event: { ref: "x" }, workspace: "/elsewhere" };
const environment = (env: NodeJS.ProcessEnv) =>
  jobEnvironment(env, { places: places({}, "/checkout"), job, key: "warm (aws)", github });

it("keeps how this machine finds programs and reaches the network, and no login", () => {
  const kept = {
    PATH: "/bin",
    LC_ALL: "C",
    https_proxy: "http://proxy:1",
    GOPROXY: "https://go",
    DOCKER_HOST: "unix:///d",
  };
  const secret = { AWS_SECRET_ACCESS_KEY: "a", GITHUB_TOKEN: "b", KILN_STATE_PASSPHRASE: "c", npm_config__auth: "d" };
  const others = {
    PULUMI_ACCESS_TOKEN: "e",
    NODE_OPTIONS: "--import=x",
    GITHUB_ACTIONS: "true",
    GIT_DIR: "/f",
    SSH_AUTH_SOCK: "g",
  };
  const made = environment({ ...kept, ...secret, ...others, HOME: "/home/me" });
  expect(made).toMatchObject(kept);
  for (const name of Object.keys({ ...secret, ...others })) expect(made).not.toHaveProperty(name);
  expect(Object.values(made)).not.toContain("hunter2222");
});

it("has a HOME of its own, and kiln's tools and local registry as they are", () => {
  const made = environment({ HOME: "/home/me", DOCKER_CONFIG: "/docker" });
  expect(made).toMatchObject({
    ...{ HOME: job.home, CI: "true", GITHUB_SHA: "abc", GITHUB_REF_NAME: "v1", GITHUB_WORKSPACE: job.workspace },
    ...{ RUNNER_TEMP: job.temp, DOCKER_CONFIG: "/docker", npm_config_cache: "/home/me/.npm" },
    KILN_STATE_DIR: places({}, "/checkout").state,
    KILN_REGISTRY_AGENT: "kiln-job/warm%20(aws)",
  });
});
