import path from "node:path";
import language from "@pulumi/pulumi/proto/language_pb.js";
import { describe, expect, it } from "vitest";
import {
  programArguments,
  programEnvironment,
  responseTo,
} from "../../../../../toolchain/plugins/nodejs-host/program-runs.ts";

const PROJECT = path.join(import.meta.dirname, "../../../../..");

function request(dryRun: boolean): language.RunRequest {
  const info = new language.ProgramInfo().setRootDirectory(PROJECT).setProgramDirectory(PROJECT).setEntryPoint(".");
  const run = new language.RunRequest().setProject("kiln").setStack("dev").setPwd(PROJECT).setParallel(4);
  run.setMonitorAddress("127.0.0.1:1").setDryrun(dryRun).setInfo(info).setConfigsecretkeysList(["kiln:b"]);
  run.getConfigMap().set("kiln:a", "1");
  return run;
}

describe("programArguments", () => {
  it("are those of the SDK's launcher", () => {
    expect(programArguments(request(true), "127.0.0.1:2", PROJECT)).toEqual([
      path.join(PROJECT, "node_modules/@pulumi/pulumi/cmd/run/index.js"),
      "--monitor=127.0.0.1:1",
      "--engine=127.0.0.1:2",
      "--project=kiln",
      `--root-directory=${PROJECT}`,
      "--stack=dev",
      `--pwd=${PROJECT}`,
      "--parallel=4",
      "--dry-run",
      ".",
    ]);
  });

  it("say when the run is no preview", () => {
    expect(programArguments(request(false), "127.0.0.1:2", PROJECT)).not.toContain("--dry-run");
  });
});

describe("programEnvironment", () => {
  it("carries the configuration beside what was there", () => {
    expect(programEnvironment(request(true), { HOME: "/home/me" })).toEqual({
      HOME: "/home/me",
      PULUMI_CONFIG: '{"kiln:a":"1"}',
      PULUMI_CONFIG_SECRET_KEYS: '["kiln:b"]',
      PULUMI_NODEJS_TYPESCRIPT: "false",
    });
  });
});

describe("responseTo", () => {
  it.each([
    [0, { error: "", bail: false }],
    [32, { error: "", bail: true }],
    [1, { error: "the program ended with exit code 1", bail: false }],
  ])("exit code %s", (code, response) => {
    expect(responseTo(code).toObject()).toEqual(response);
  });
});
