import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkDescription, parseDescription } from "../../../../execution/job/description.ts";
import { bytesOf, parseLimits } from "../../../../execution/job/limits.ts";
import { schemaIn } from "../module/schema-subset.ts";
import { aJob, jobs } from "./job-values.ts";

const fits = schemaIn("execution/job/schema/job-description.schema.json");

const C = "a".repeat(40);
const SECRET = { path: "secret/data/app", field: "password" };

describe("a job's description", () => {
  it("comes back from its text as it was, and fits its schema", () => {
    fc.assert(
      fc.property(jobs, (job) => {
        expect(parseDescription(JSON.stringify(job))).toEqual(JSON.parse(JSON.stringify(job)));
        expect(fits(job)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ["script", { script: "../etc/passwd" }],
    ["script", { script: "/etc/passwd" }],
    ["script", { script: "-rf" }],
    ["job_id", { job_id: "a/b" }],
    ["network", { network: "host" }],
    ["network", { network: "container:other" }],
    ["image", { image: "--privileged" }],
    ["source.url", { source: { kind: "repository", url: "ext::sh -c id", commit: "a".repeat(40) } }],
    ["source.url", { source: { kind: "repository", url: "--upload-pack=id", commit: "a".repeat(40) } }],
    ["source.url", { source: { kind: "repository", url: "https://me:word@git.example/x", commit: "a".repeat(40) } }],
    ["source.url is not encrypted", { source: { kind: "repository", url: "http://git.example/x", commit: C } }],
    ["script", { script: "a".repeat(201) }],
    ["source.commit", { source: { kind: "repository", url: "https://git.example/x", commit: "main" } }],
    [
      "secrets",
      {
        secrets: [
          { name: "A", as: "file" },
          { name: "A", as: "file" },
        ],
      },
    ],
    ["secrets", { secrets: [{ name: "A B", as: "file" }] }],
    ["limits.memory", { limits: { memory: "much" } }],
    ["timeouts.job", { timeouts: { job: "1h" } }],
    ["result_url", { result_url: "file:///etc/passwd" }],
    ["result_url", { result_url: "https://me:word@results.example/" }],
    ["result_url", { result_url: "https://results.example/ a" }],
    ["result_url", { result_url: "http://:8080/" }],
    ["vault.auth is no way to log in", { vault: { auth: "approl" } }],
    ["vault.auth is missing", { vault: { secrets: {} } }],
    ["vault.mount is no path", { vault: { auth: "approle", mount: "a//b" } }],
    ["vault.jwt_file", { vault: { auth: "approle", jwt_file: 1 } }],
    ["vault.secrets.A.path is no path", { vault: { auth: "approle", secrets: { A: { path: "../x", field: "f" } } } }],
    ["vault.secrets.A.path is missing", { vault: { auth: "approle", secrets: { A: { field: "f" } } } }],
    ["vault.secrets.A.field is missing", { vault: { auth: "approle", secrets: { A: { path: "a" } } } }],
    ["vault.secrets.A.field is empty", { vault: { auth: "approle", secrets: { A: { path: "a", field: "" } } } }],
    ["vault.secrets.A.as is no way", { vault: { auth: "approle", secrets: { A: { ...SECRET, as: "variable" } } } }],
    ["vault.secrets.A.with", { vault: { auth: "approle", secrets: { A: { ...SECRET, with: "all" } } } }],
    ["vault.secrets.a-b is no name of a variable", { vault: { auth: "approle", secrets: { "a-b": 1 } } }],
    ["vault.secrets.A must be an object", { vault: { auth: "approle", secrets: { A: 1 } } }],
    ["vault.secret_id", { vault: { auth: "approle", secret_id: "s" } }],
    ["vault.namespace", { vault: { auth: "approle", namespace: 1 } }],
    ["vault.ca_cert", { vault: { ca_cert: "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----" } }],
  ])("is refused for its %s", (path, fields) => {
    const document = { ...aJob(), ...fields };
    expect(() => checkDescription(document)).toThrow(path);
    // What the parser refuses for its value alone, the schema refuses as well, but for lists with doubles and hosts.
    if (
      !["secrets", "network", "vault.secret_id", "vault.ca_cert"].includes(path) &&
      !JSON.stringify(fields).includes("..")
    )
      expect(fits(document)).toBe(false);
  });

  it("sends a token over https alone", () => {
    const secrets = [{ name: "RESULT_TOKEN", as: "environment" }];
    const posts = (result_url: string, more = {}) => aJob({ result_url, ...more }).result_url;
    expect(posts("https://results.example", { secrets })).toBe("https://results.example");
    expect(posts("http://collector:8080/jobs")).toBe("http://collector:8080/jobs");
    expect(() => posts("http://127.0.0.1/jobs", { secrets })).toThrow("RESULT_TOKEN would be read on the way");
  });

  it("takes of Vault what the entrypoint takes, with a mend for all else", () => {
    const secrets = { A: SECRET, _b2: { path: "pki/issue/a web@x.y", field: "f", as: "file", with: { ttl: "1h" } } };
    for (const auth of ["approle", "wrapped", "token", "kubernetes"]) {
      const vault = { auth, mount: "", role: "job", secrets };
      expect(aJob({ vault }).vault).toEqual(vault);
      expect(fits({ ...aJob(), vault })).toBe(true);
    }
    for (const vault of [
      ...[{ auth: "kubernetes" }, { auth: "kubernetes", role: "" }, {}, { auth: "x" }],
      ...["../x", "/x", "x/", "x/../y"].map((path) => ({ auth: "token", secrets: { A: { ...SECRET, path } } })),
      { auth: "token", secrets: { A: { ...SECRET, feild: "f" } } },
    ])
      expect(() => aJob({ vault })).toThrow(
        expect.objectContaining({ kind: "usage", mend: expect.stringMatching(/./) as string }),
      );
    expect(() => aJob({ vault: { auth: "kubernetes" } })).toThrow("vault.role is missing");
    expect(() => aJob({ vault: { auth: "token", secrets: { A: { ...SECRET, feild: "f" } } } })).toThrow("A.feild");
  });

  it("never repeats a value that it refuses", () => {
    const message = (() => {
      try {
        checkDescription({ ...aJob(), parameters: "hunter2-secret" });
      } catch (error) {
        return String(error);
      }
      return "";
    })();
    expect(message).toContain("job.parameters");
    expect(message).not.toContain("hunter2");
  });

  it("names in its schema what the parser knows", () => {
    const schema = JSON.parse(readFileSync("execution/job/schema/job-description.schema.json", "utf8")) as {
      readonly properties: object;
    };
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(aJob())));
  });
});

describe("limits", () => {
  it("are read in any order", () => {
    expect(parseLimits("pids=64, memory=512m")).toEqual({ memory: "512m", cpus: 1, pids: 64, disk: "256m" });
    expect(bytesOf("512m")).toBe(536_870_912);
  });

  it.each(["memory", "memory=", "memory=512q", "swap=1g", "pids=0", "pids=1.5", "cpus=0", "cpus=x", "pids=1,pids=2"])(
    "%s is refused",
    (text) => {
      expect(() => parseLimits(text)).toThrow();
    },
  );
});
