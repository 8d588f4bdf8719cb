import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { givenPassword } from "../../../cli/registry.ts";
import { issuedPassword, logIn } from "../../../registry/log-in.ts";
import { loginCommand, registryLogin } from "../../../registry/registry-login.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

describe("the login of a registry", () => {
  it.each([
    ["docker.io/owner", "me", "docker login docker.io --username me --password-stdin < token"],
    ["registry-1.docker.io", "me", "docker login docker.io --username me --password-stdin < token"],
    [
      `${ECR}/jobs`,
      undefined,
      `aws ecr get-login-password --region eu-central-1 | docker login ${ECR} --username AWS --password-stdin`,
    ],
    [
      "public.ecr.aws/alias",
      undefined,
      "aws ecr-public get-login-password --region us-east-1 | docker login public.ecr.aws --username AWS --password-stdin",
    ],
    [
      "jobs.azurecr.io",
      undefined,
      "az acr login --name jobs --expose-token --query accessToken --output tsv | " +
        "docker login jobs.azurecr.io --username 00000000-0000-0000-0000-000000000000 --password-stdin",
    ],
    ["jobs.azurecr.io", "robot", "docker login jobs.azurecr.io --username robot --password-stdin < token"],
    [
      "harbor.example.com/p",
      "robot$jobs",
      "docker login harbor.example.com --username 'robot$jobs' --password-stdin < token",
    ],
    [
      "registry.gitlab.com/g/p",
      "it's",
      String.raw`docker login registry.gitlab.com --username 'it'\''s' --password-stdin < token`,
    ],
    ["localhost:5180/kiln", "me", "docker login localhost:5180 --username me --password-stdin < token"],
  ])("%s as %s", (address, username, command) => {
    expect(loginCommand(registryLogin(address, username))).toBe(command);
  });

  it.each(["docker.io/owner", "ghcr.io/a/b", "harbor.example.com/p"])("%s needs a user name", (address) => {
    expect(() => registryLogin(address)).toThrow("takes a user name and a token");
  });

  it.each(["https://ghcr.io", "", "owner/name", "--config=x", "ghcr.io --password x"])("is none of %j", (address) => {
    expect(() => registryLogin(address, "me")).toThrow("is no address of a registry");
  });
});

/** A program that writes down what it is told, and ends with a code. */
async function recorder(name: string, code = 0) {
  const folder = await temporaryDirectory();
  const file = path.join(folder, name);
  const seen = path.join(folder, "seen");
  await writeFile(
    file,
    `#!/bin/sh\n{ echo "$@"; env; echo "in: $(cat)"; } > ${seen}\necho issued\necho bad >&2; exit ${code}\n`,
  );
  await chmod(file, 0o755);
  return { folder, file, seen: () => readFile(seen, "utf8") };
}

describe("logging in", () => {
  const login = registryLogin("harbor.example.com/p", "robot$jobs");
  const password = "correct horse";

  it("gives the password by standard input, and nowhere else", async () => {
    const docker = await recorder("docker");
    await logIn({ docker: docker.file, env: { PATH: process.env.PATH } }, login, password);
    const [args, ...others] = (await docker.seen()).trimEnd().split("\n");
    expect(args).toBe("login harbor.example.com --username robot$jobs --password-stdin");
    expect(others.pop()).toBe(`in: ${password}`);
    expect(others.join("\n")).not.toContain("horse");
  });

  it("says why it was refused, without the password, and refuses none at all", async () => {
    const docker = await recorder("docker", 1);
    const at = { docker: docker.file, env: { PATH: process.env.PATH } };
    await expect(logIn(at, login, "bad")).rejects.toMatchObject({
      kind: "unreachable",
      message: "no login to harbor.example.com as robot$jobs: [secret]",
    });
    await expect(logIn(at, login, "")).rejects.toMatchObject({ kind: "usage" });
  });

  it("asks the cloud's own program, and says what to install where there is none", async () => {
    const { issuer } = registryLogin(ECR);
    if (issuer === undefined) throw new Error("there is no issuer");
    const aws = await recorder("aws");
    expect(await issuedPassword(issuer, { PATH: `${aws.folder}:${process.env.PATH ?? ""}` })).toBe("issued");
    expect(await aws.seen()).toMatch(/^ecr get-login-password --region eu-central-1\n/);
    await expect(issuedPassword(issuer, { PATH: await temporaryDirectory() })).rejects.toMatchObject({
      kind: "unreachable",
      mend: expect.stringContaining("Install the AWS CLI") as string,
    });
    const broken = await recorder("aws", 255);
    await expect(issuedPassword(issuer, { PATH: `${broken.folder}:${process.env.PATH ?? ""}` })).rejects.toThrow(
      "aws gives no password: bad",
    );
  });

  it("takes the password from a variable or from standard input, never from a terminal", async () => {
    const stdin = (text: string, isTTY = false) => Object.assign(Readable.from([text]), { isTTY });
    expect(await givenPassword("TOKEN", { env: { TOKEN: "x" }, stdin: stdin("y") })).toBe("x");
    expect(await givenPassword(undefined, { env: {}, stdin: stdin("y y\n") })).toBe("y y");
    await expect(givenPassword("TOKEN", { env: {}, stdin: stdin("y") })).rejects.toThrow("that variable is empty");
    await expect(givenPassword(undefined, { env: {}, stdin: stdin("", true) })).rejects.toThrow("password is missing");
  });
});
