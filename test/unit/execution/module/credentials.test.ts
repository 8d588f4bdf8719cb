import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { credentialNames, CREDENTIALS, type CredentialName } from "../../../../execution/module/credential-names.ts";
import { readCredentials } from "../../../../execution/module/credentials.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const decoded = (base64 = "") => Buffer.from(base64, "base64").toString("utf8");

/** What the published interface passes on. */
const PUBLISHED: Readonly<Record<string, string>> = {
  aws: "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE",
  gcp: "GOOGLE_APPLICATION_CREDENTIALS GOOGLE_PROJECT GOOGLE_REGION GOOGLE_ZONE CLOUDSDK_CORE_PROJECT",
  azure:
    "AZURE_SUBSCRIPTION_ID AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET ARM_SUBSCRIPTION_ID ARM_TENANT_ID ARM_CLIENT_ID ARM_CLIENT_SECRET",
  kubernetes: "KUBECONFIG",
};

it.each(Object.entries(PUBLISHED))("%s has every variable of the published interface", (name, variables) => {
  const { plain, secret, files } = CREDENTIALS[name as CredentialName];
  expect([...plain, ...secret, ...files]).toEqual(expect.arrayContaining(variables.split(" ")));
});

it("divides what is secret from what is not, and leaves other variables alone", async () => {
  const env = { AWS_ACCESS_KEY_ID: "AKIA0", AWS_SECRET_ACCESS_KEY: "k", AWS_REGION: "r", AWS_PROFILE: "", OTHER: "o" };
  expect(await readCredentials(["aws"], env)).toEqual({
    plain: { AWS_REGION: "r" },
    environment: { AWS_ACCESS_KEY_ID: "AKIA0", AWS_SECRET_ACCESS_KEY: "k" },
    files: {},
    secrets: ["AKIA0", "k"],
  });
});

it("takes what the request says before what this machine says", async () => {
  const env = { AWS_ACCESS_KEY_ID: "here", AWS_SECRET_ACCESS_KEY: "k" };
  const { environment } = await readCredentials(["aws"], env, { AWS_ACCESS_KEY_ID: "asked" });
  expect(environment.AWS_ACCESS_KEY_ID).toBe("asked");
});

it.each([
  ["aws", "AWS_WEB_IDENTITY_TOKEN_FILE"],
  ["aws", "AWS_SHARED_CREDENTIALS_FILE"],
  ["gcp", "GOOGLE_APPLICATION_CREDENTIALS"],
  ["azure", "AZURE_FEDERATED_TOKEN_FILE"],
  ["kubernetes", "KUBECONFIG"],
] as const)("%s: the file of %s goes along; its path does not", async (name, variable) => {
  const file = path.join(await temporaryDirectory(), "a file");
  await writeFile(file, "content-of-the-file");
  const read = await readCredentials([name], { [variable]: file });
  expect(read.files).toEqual({
    [variable]: { name: "a_file", base64: Buffer.from("content-of-the-file").toString("base64") },
  });
  expect(JSON.stringify([read.plain, read.environment])).not.toContain(file);
  expect(read.secrets).toEqual(expect.arrayContaining(["content-of-the-file"]));
});

it("a profile without a file of its own brings the files at home along", async () => {
  const home = await temporaryDirectory();
  await mkdir(path.join(home, ".aws"));
  await writeFile(
    path.join(home, ".aws/credentials"),
    "[work]\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY\n",
  );
  const { plain, files, secrets } = await readCredentials(["aws"], { HOME: home, AWS_PROFILE: "work" });
  expect(plain).toEqual({ AWS_PROFILE: "work" });
  expect(decoded(files.AWS_SHARED_CREDENTIALS_FILE?.base64)).toContain("[work]");
  expect(secrets).toEqual(["wJalrXUtnFEMI/K7MDENG/bPxRfiCY"]);
});

it("files at home stay there where variables say who one is", async () => {
  const home = await temporaryDirectory();
  await mkdir(path.join(home, ".aws"));
  await writeFile(path.join(home, ".aws/credentials"), "[default]\n");
  const env = { HOME: home, AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
  expect((await readCredentials(["aws"], env)).files).toEqual({});
});

it("of a service account its key is secret, its project is not", async () => {
  const file = path.join(await temporaryDirectory(), "sa.json");
  await writeFile(
    file,
    JSON.stringify({ project_id: "p-1", client_email: "a@b", private_key: "KEY\nLINES", private_key_id: "id" }),
  );
  expect((await readCredentials(["gcp"], { GOOGLE_APPLICATION_CREDENTIALS: file })).secrets).toEqual([
    "KEY\nLINES",
    "id",
  ]);
});

it.each([
  ["nothing is set", ["kubernetes"], {}, "there are no credentials for kubernetes"],
  [
    "a file is not there",
    ["gcp"],
    { GOOGLE_APPLICATION_CREDENTIALS: "/nowhere/a" },
    "GOOGLE_APPLICATION_CREDENTIALS names a file that cannot be read",
  ],
  ["KUBECONFIG is a list", ["kubernetes"], { KUBECONFIG: "/a:/b" }, "KUBECONFIG names several files"],
] as const)("where %s that is an error", async (_, names, env, message) => {
  await expect(readCredentials(names, env)).rejects.toMatchObject({
    kind: "usage",
    message: expect.stringContaining(message) as string,
  });
});

it("identities without a secret are credentials: a role of the machine", async () => {
  const { plain } = await readCredentials(["azure"], { ARM_USE_MSI: "true", ARM_CLIENT_ID: "c" });
  expect(plain).toEqual({ ARM_USE_MSI: "true", ARM_CLIENT_ID: "c" });
});

it("the address of a backend is enough: its login may be another set's, or none", async () => {
  const { plain } = await readCredentials(["pulumi"], { PULUMI_BACKEND_URL: "s3://bucket" });
  expect(plain).toEqual({ PULUMI_BACKEND_URL: "s3://bucket" });
  await expect(readCredentials(["opentofu"], { TF_HTTP_ADDRESS: "https://state" })).resolves.toBeDefined();
  await expect(readCredentials(["pulumi"], {})).rejects.toThrow("none of its variables is set");
});

it("reads names from a list, and refuses one that there is not", () => {
  expect(credentialNames("aws, kubernetes,")).toEqual(["aws", "kubernetes"]);
  expect(credentialNames("")).toEqual([]);
  for (const name of ["aws,amazon", "toString"]) {
    expect(() => credentialNames(name)).toThrow(/there are no credentials called/);
  }
});
